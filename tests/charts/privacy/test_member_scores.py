"""Who is still recognised: counted by corners, beside gold, or beside before where there is no gold."""

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.privacy.member_scores import (
    CHART,
    OLD_REPORT,
    MembershipCounts,
    count_members,
    list_member_scores,
    reference_model,
    summary,
)
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import MembershipResult, PredictedMembers


def called(after: list[float], *, strangers: int = 1, **others: list[float]) -> Report:
    """A report whose first forgotten pictures the attack calls members so surely, by model."""
    report = made_up_report(gold="gold" in others)
    result = report[MembershipResult].model_copy(
        update={
            "predicted_members": {"after": PredictedMembers(members=0, non_members=strangers)},
            "member_rows": report.split.forget_train[: len(after)].astype(np.float32),
            "probabilities": {model: np.array(own, np.float32) for model, own in ({"after": after} | others).items()},
        }
    )
    return report.with_result(result)


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def test_the_surest_come_first_with_golds_figure_beside_them() -> None:
    report = called([0.2, 0.9, 0.6, 0.5], gold=[0.1, 0.3, 0.8, 0.7], before=[1, 1, 1, 1])
    found = list_member_scores(report)
    assert [one.image for one in found] == report.split.forget_train[[1, 2, 3, 0]].tolist()
    assert found[0].scores == {"before": 1.0, "after": np.float32(0.9), "gold": np.float32(0.3)}
    assert count_members(found, "gold") == MembershipCounts(only_after=1, both=1, only_reference=1, neither=1)


def test_sentence_compares_with_gold_and_says_how_often_the_attack_errs() -> None:
    report = called([0.2, 0.9, 0.6, 0.5], gold=[0.1, 0.3, 0.8, 0.7], before=[1, 1, 1, 1])
    assert plain(summary(report)) == (
        "The attack identifies 1 of 4 forget images as members only after unlearning, 1 only in the retrained model: "
        "chance explains the difference. In total 2 and 2. It also identifies 25 % of an equal number of test images "
        "as members: its false positive rate."
    )


@pytest.mark.parametrize(
    ("after", "gold", "words"),
    [(0.9, 0.1, ": more than chance explains. In total"), (0.1, 0.9, ": fewer than chance explains. In total")],
)
def test_a_difference_that_chance_does_not_explain_is_named(after: float, gold: float, words: str) -> None:
    assert words in summary(called([after] * 40, gold=[gold] * 40, before=[1] * 40))


def test_without_gold_it_is_held_against_before() -> None:
    report = called([0.2, 0.9], before=[0.9, 0.8])
    assert reference_model(report) == "before"
    assert summary(report).startswith("The attack identifies 1 of 2 forget images as members, before unlearning, 2.")
    assert summary(report).endswith(NO_GOLD)


def test_a_run_that_was_measured_earlier_says_so() -> None:
    report = called([0.2], gold=[0.1], before=[0.3])
    for lacking in ("predicted_members", "probabilities"):
        old = report[MembershipResult].model_copy(update={lacking: {}})
        assert CHART.applies(report.with_result(old)) == OLD_REPORT
