"""The comparison of runs as tables: who did better in each row, and every pair of runs with its test."""

from collections.abc import Callable, Mapping, Sequence
from math import isnan

import pandas as pd

from unlearn_core.charts.drawing.wording import capitalize, eval_forget_set, number, p_value, percent
from unlearn_core.charts.text.ranking_words import (
    CANNOT_TELL,
    EQUAL,
    ONLY_SEEDS,
    RankingText,
    gap_text,
    value_text,
    winner_text,
)
from unlearn_core.charts.text.run_comparison import MISSING, RELATION_WORDS
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.verdicts.run_ranking import Ranking, RunPair

ROW, BETTER, CHANCE = "question", "better", "more than chance?"
"""The columns beside those of the runs."""
NOT_TESTED = "not tested"


def winners_table(text: RankingText, reports: Sequence[Report]) -> pd.DataFrame:
    """One row per question, with a column for each run, who did better, and whether that is more than chance.

    The first three rows are those of the cards. In the others, which are not tested, the run that is closest to the
    retrained model is the better one, if all runs can be compared.
    """
    rows = [
        [
            capitalize(one.criterion),
            winner_text(one, text),
            chance_text(one),
            *(value_text(one, (run,)) for run in range(len(reports))),
        ]
        for one in text.rankings
    ]
    rows += [row for title in UNTESTED if (row := _untested(title, text, reports))]
    return pd.DataFrame(rows, columns=[ROW, BETTER, CHANCE, *text.labels])


def explanation(noun: str) -> str:
    """What the rows of the table are; `noun` is what the data set calls an image."""
    return (
        f"Forgetting: the share of forget {noun}s that are predicted as the retrained model predicts them. Retaining: "
        f"the accuracy on test {noun}s of the retain set. Time: that of unlearning. The other rows are not tested: "
        "there the run that is closest to the retrained model is the better one; a privacy of 1 is like it."
    )


def chance_text(ranking: Ranking) -> str:
    """Whether a ranking shows more than chance does: "yes (p < 0.001)"; the least certain p-value of several."""
    if not ranking.is_whole:
        return CANNOT_TELL
    if not ranking.pairs:
        return ONLY_SEEDS
    if ranking.criterion == "time":
        return "measured once"
    shown = [pair.p for pair in ranking.pairs if pair.is_shown and pair.p is not None]
    if shown:
        return f"yes ({p_value(max(shown))})"
    if all(pair.relation == "equal" for pair in ranking.pairs):
        return f"no: {EQUAL}"
    return f"no ({p_value(min(pair.p for pair in ranking.pairs if pair.p is not None))})"


def pairs_table(text: RankingText) -> pd.DataFrame:
    """One row per pair of runs and question: the difference, its interval, the adjusted p-value and the finding."""
    rows = [
        {
            "question": capitalize(ranking.criterion),
            "ahead": text.label(pair.leader),
            "behind": text.label(pair.other),
            "difference (90 % interval)": gap_text(pair),
            "images of only one": _discordant(pair),
            "p, adjusted": MISSING if pair.p is None else p_value(pair.p),
            "finding": _finding(pair),
        }
        for ranking in text.rankings[:2]
        for pair in ranking.pairs
    ]
    return pd.DataFrame(rows)


def _discordant(pair: RunPair) -> str:
    """The images that count for the leader only, and for the other only; means over seeds."""
    found = pair.comparison
    return MISSING if found is None or isnan(found.lost) else f"{found.lost:,.0f} and {found.gained:,.0f}"


def _finding(pair: RunPair) -> str:
    assert pair.relation is not None
    shown = "ahead by more than chance explains"
    words = shown if pair.is_shown else RELATION_WORDS[pair.relation].removeprefix("which ")
    return words if pair.on_same_images else f"{words}, on other images"


def _distance(report: Report) -> tuple[str, float] | None:
    result = report.get(DistanceResult)
    overall = result.overall.get("test") if result else None
    if overall is None or isnan(overall.after):
        return None
    return f"{number(overall.after, 3)} bits", overall.after


def _forget_accuracy(report: Report) -> tuple[str, float] | None:
    result = report.get(AccuracyResult)
    name = eval_forget_set(report)
    after, gold = (result.scores.get(model, {}).get(name) if result else None for model in ("after", "gold"))
    if not after or not gold or not after.total or not gold.total:
        return None
    return percent(after.accuracy), abs(after.accuracy - gold.accuracy)


def _privacy(report: Report) -> tuple[str, float] | None:
    result = report.get(MembershipResult)
    value = result.privacy.get("after") if result else None
    return None if value is None else (number(value, 2), abs(1 - value))


UNTESTED: Mapping[str, Callable[[Report], tuple[str, float] | None]] = {
    "Forget accuracy": _forget_accuracy,
    "Distance to retrained": _distance,
    "Privacy": _privacy,
}
"""Rows without a test: each run's value in words, and how far it is from that of the retrained model."""


def _untested(title: str, text: RankingText, reports: Sequence[Report]) -> list[str] | None:
    """A row of a value that is not tested; None where no run has it."""
    found = [UNTESTED[title](report) for report in reports]
    if not any(found):
        return None
    cells = [MISSING if one is None else one[0] for one in found]
    ranking = text.rankings[0]
    if not ranking.is_whole or None in found:
        return [title, CANNOT_TELL, NOT_TESTED, *cells]
    (group,) = ranking.groups
    if not group.pairs:
        return [title, ONLY_SEEDS, NOT_TESTED, *cells]
    gaps = {runs: sum(found[run][1] for run in runs) / len(runs) for runs in group.sets}  # type: ignore[index]
    closest = [runs for runs in group.sets if gaps[runs] == min(gaps.values())]
    return [title, text.join(closest) if len(closest) < len(gaps) else "equal", NOT_TESTED, *cells]
