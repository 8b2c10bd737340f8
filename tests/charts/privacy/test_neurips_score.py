"""The chart of the score claims no more than both populations show."""

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from tests.charts.test_figures import plain
from unlearn_core.charts.privacy import neurips_score
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import EnsembleScore, NeuripsScoreResult

REPORT = made_up_report()


def told(after: float, ceiling: float, *, error: float = 0.01) -> Report:
    sides = {
        side: EnsembleScore(score=value, forgetting=value, error=error, retain=1.0, test=1.0)
        for side, value in (("after", after), ("ceiling", ceiling))
    }
    return REPORT.with_result(REPORT[NeuripsScoreResult].model_copy(update=sides))


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (told(0.05, 0.2), "The score is 0.050 ± 0.010 for 32 unlearned against 32 retrained models; as many"),
        (told(0.05, 0.2), "as many other retrained models score 0.200 ±"),
        (told(0.05, 0.2), "unlearned and retrained models are distinguishable"),
        (told(0.19, 0.2), "no significant difference to retraining with this number of models"),
        (told(0.3, 0.2), "higher by more than chance explains"),
        (told(float("nan"), 0.2), "they cannot be compared"),
    ],
)
def test_the_sentence_compares_with_the_ceiling(report: Report, words: str) -> None:
    assert words in plain(neurips_score.summary(report))


def test_every_picture_with_an_epsilon_is_in_one_bucket() -> None:
    table = neurips_score.table([REPORT])
    assert [own["share"].sum() for _, own in table.groupby("models")] == pytest.approx([1, 1])
    assert table["points"].tolist()[:3] == [1.0, 0.5, 0.25]
    assert table["points"].iloc[-1] == 0
    beyond = REPORT[NeuripsScoreResult].epsilons["after"] >= REPORT[NeuripsScoreResult].last_bucket
    last = table[(table["models"] == "after") & (table["points"] == 0)]["share"].item()
    assert last == pytest.approx(np.mean(beyond))
