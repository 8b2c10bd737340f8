"""The chart of the attack with shadow nets claims no more than its interval over nets allows."""

import pytest

from tests.charts.fake_reports import made_up_report
from tests.charts.test_figures import plain, with_part
from unlearn_core.charts.report import lira
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.domain.report import Report

REPORT = made_up_report()


def told(low: float, high: float) -> Report:
    part = REPORT.parts["lira"]
    facts = part.facts | {"told": (low + high) / 2, "low": low, "high": high, "after": 0.64, "gold": 0.38}
    return with_part(REPORT, "lira", ReportPart(facts, part.arrays))


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (told(0.66, 0.76), "in 71 % of tries (95 % interval 66 % to 76 %; guessing gets 50 %): this method leaves a"),
        (told(0.46, 0.56), "no better than guessing, as far as so many nets can tell"),
        (told(0.3, 0.4), "worse than guessing, which chance does to few nets"),
        (told(0.66, 0.76), "It calls 64 % of the forgotten pictures seen after, and 38 % of gold's."),
    ],
)
def test_the_sentence_compares_with_guessing_and_with_gold(report: Report, words: str) -> None:
    assert words in plain(lira.summary(report))


def test_every_net_is_a_row_of_its_own() -> None:
    counts = lira.table([REPORT]).groupby("net").size()
    assert counts.to_dict() == {
        "after": 1,
        "gold": 1,
        "gold as a shadow net": 16,
        "shadow net that was made to forget": 16,
    }
