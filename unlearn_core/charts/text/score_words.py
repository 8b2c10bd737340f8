"""The scores of papers in words, each beside its parts: for the table that compares runs, and for the command line."""

from collections.abc import Iterable, Mapping

from unlearn_core.charts.drawing.wording import number
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import ACCURACY_PARTS, Part, SummaryScoresResult, tug_of_war
from unlearn_core.domain.results.predictions import AccuracyResult

PART_LABELS: Mapping[Part, str] = {
    "forget_train": "forget",
    "retain_train": "retain",
    "retain_test": "test",
    "non_members": "attack",
}
"""Tight labels of the parts; all but the last are accuracies."""


def points(gap: float) -> str:
    """Format a gap (0 to 1) as "2.1 points"."""
    return f"{number(100 * gap)}{chr(160)}points"


def tug_of_war_words(report: Report) -> str:
    """Return the tug of war of the unlearned model beside its parts; "" where one of them is missing.

    It needs accuracies alone, so that reports of earlier releases have it too.
    """
    result = report.get(AccuracyResult)
    after, gold = (result.scores.get(model, {}) if result else {} for model in ("after", "gold"))
    if not all(name in own and own[name].total for own in (after, gold) for name in ACCURACY_PARTS):
        return ""
    gaps: dict[Part, float] = {name: abs(after[name].accuracy - gold[name].accuracy) for name in ACCURACY_PARTS}
    return f"{number(tug_of_war(gaps.values()), 3)} ({gap_words(gaps)})"


def average_gap_words(report: Report) -> str:
    """Return the average gap of the unlearned model beside its parts; "" if it was not measured."""
    result = report.get(SummaryScoresResult)
    return f"{points(result.average_gap('after'))} ({gap_words(result.gaps('after'))})" if result else ""


def gap_words(gaps: Mapping[Part, float]) -> str:
    """List gaps: "forget 0.0, retain 5.3, test 1.4"."""
    return ", ".join(f"{PART_LABELS[part]} {number(100 * gap)}" for part, gap in gaps.items())


SCORES = {
    "tug of war (1 is like retrained) and its gaps in points": tug_of_war_words,
    "average gap to retrained, after, and its parts": average_gap_words,
}
"""The words of each score by its title."""


def score_lines(reports: Iterable[tuple[str, Report]]) -> list[str]:
    """Return one line for each score of each report, with the name of the report; none where parts are missing."""
    named = list(reports)
    return [
        f"{name}: {title}: {words}" for title, read in SCORES.items() for name, own in named if (words := read(own))
    ]
