"""What the chart of interclass confusion says, by the paired tests behind it."""

from dataclasses import replace

import pytest

from tests.charts.fake_curves import interclass_confusion
from tests.charts.fake_reports import made_up_report
from unlearn_core.charts.report.interclass_confusion import CHART
from unlearn_core.domain.report import Report


def report_of(*shares: float, gold: bool = True, forgotten: int = 80) -> Report:
    return made_up_report(gold=gold, images=True).with_result(
        interclass_confusion(shares, gold=gold, forgotten=forgotten)
    )


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((0.40, 0.55, 0.55), "gained 15.0 points (40.0 % → 55.0 %), more than chance explains; it came back as far as"),
        ((0.40, 0.45, 0.55), "gained 5.0 points (40.0 % → 45.0 %), more than chance explains; it is still below that"),
        ((0.40, 0.60, 0.55), "gained 20.0 points (40.0 % → 60.0 %), more than chance explains; it is above that of"),
        ((0.40, 0.30, 0.55), "lost 10.0 points (40.0 % → 30.0 %), more than chance explains; it is still below that"),
        (
            (0.40, 0.41, 0.4125),
            "gained 1.0 points (40.0 % → 41.0 %), equal within three points; retraining is not shown",
        ),
    ],
)
def test_it_says_whether_the_accuracy_came_back(shares: tuple[float, ...], words: str) -> None:
    summary = CHART.summary(report_of(*shares)).replace("\N{NO-BREAK SPACE}", " ")
    assert summary.startswith("Accuracy on 400 test images of cat and dog ") and words in summary
    assert "Taken for each other: 20.0 % before" in summary


def test_without_a_retrained_model_only_the_change_is_judged() -> None:
    summary = CHART.summary(report_of(0.4, 0.55, gold=False))
    assert "more than chance explains. Taken for each other" in summary and "came back" not in summary


def test_wrong_labels_that_are_not_forgotten_are_named() -> None:
    assert "not in the forget set" not in CHART.summary(report_of(0.4, 0.5, 0.6))
    half = CHART.summary(report_of(0.4, 0.5, 0.6, forgotten=40))
    assert "40 of 80 wrong labels are not in the forget set. The retrained model was trained on these as well." in half


def test_the_row_of_memorised_labels_is_left_out_where_none_was_forgotten() -> None:
    measures = set(CHART.table([report_of(0.4, 0.5, 0.6, forgotten=0)])["measure"])
    assert measures == {"cat and dog: correct", "cat: correct", "dog: correct", "taken for each other"}


def test_a_report_of_right_labels_leaves_it_out() -> None:
    report = report_of(0.4, 0.5, 0.6)
    assert CHART.optional and CHART.applies(report) is True
    assert CHART.applies(replace(report, parts={})) is not True
