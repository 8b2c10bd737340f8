"""The chart of the attack with shadow nets claims no more than its interval over nets allows."""

import pytest

from tests.charts.fake_reports import made_up_report
from tests.charts.test_figures import plain
from unlearn_core.charts.privacy import lira
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import LiraResult

REPORT = made_up_report()


def told(low: float, high: float) -> Report:
    shares = {"success_rate": (low + high) / 2, "low": low, "high": high, "after": 0.64, "gold": 0.38}
    return REPORT.with_result(REPORT[LiraResult].model_copy(update=shares))


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (told(0.66, 0.76), "in 71 % of cases (95 % interval 66 % to 76 %; guessing: 50 %): this method leaves a"),
        (told(0.46, 0.56), "not significantly better than guessing with this number of models"),
        (told(0.3, 0.4), "worse than guessing, which can happen by chance with few models"),
        (told(0.66, 0.76), "identifies 64 % of the forget images after unlearning, and 38 % in the retrained model."),
    ],
)
def test_the_sentence_compares_with_guessing_and_with_gold(report: Report, words: str) -> None:
    assert words in plain(lira.summary(report))


def test_the_curve_says_how_many_models_it_rests_on() -> None:
    curve = lira.CHART.variants["At few false positives"]
    assert "All false positives are from 16 models" in curve.summary(REPORT)
    earlier = REPORT.with_result(REPORT[LiraResult].model_copy(update={"attack": None}))
    assert curve.applies(earlier) == lira.EARLIER_RELEASE and lira.CHART.applies(earlier) is True


def test_every_net_is_a_row_of_its_own() -> None:
    counts = lira.table([REPORT]).groupby("model").size()
    assert counts.to_dict() == {
        "after": 1,
        "retrained": 1,
        "retrained shadow model": 16,
        "unlearned shadow model": 16,
    }
