"""Which run did better, in words: one card for forgetting, retaining and time, and a sentence above them.

The page Compare, the command `compare` and exported files show these, and compose no sentences of their own.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from unlearn_core.charts.chart import report_labels
from unlearn_core.charts.drawing.wording import capitalize, join_words, p_value, seconds
from unlearn_core.charts.text.card import Verdict, difference, share
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.verdicts.paired_comparison import MARGIN
from unlearn_core.domain.verdicts.run_ranking import (
    TIME_FACTOR,
    Criterion,
    Difference,
    Missing,
    Ranking,
    RunGroup,
    RunPair,
    RunSet,
    rank_runs,
    seed_sets,
)

EQUAL = f"equal within {100 * MARGIN:.0f} points"
ONLY_SEEDS = "chance, only the seed differs"
NO_DIFFERENCE = "no difference shown"
CANNOT_TELL = "cannot tell"
_WINS: Mapping[Criterion, tuple[str, str]] = {
    "forgetting": ("forgets most like the retrained model", "forget most like the retrained model"),
    "retaining": ("retains most", "retain most"),
    "time": ("is fastest", "are fastest"),
}
"""What is said of one winner, and of several."""
_SPLIT: Mapping[Difference, str] = {
    "data set": "The data sets differ, so a paired test is not possible, and the runs cannot be ranked.",
    "classifier": "The classifiers differ, so a paired test of the methods is not possible. Compare each run with its "
    "own retrained model.",
    "forget set": "The forget sets differ, so a paired test is not possible: one may be harder to forget.",
    "retrained model": "The runs are compared with different retrained models, so a paired test is not possible.",
    "device": "The devices differ, so these times cannot be compared.",
}
_MISSING: Mapping[Missing, str] = {
    "no outputs": "no outputs to compare",
    "no retrained model": "no retrained model yet, and closeness to it decides",
    "no images": "no images to compare on",
    "no time": "no recorded time",
}


class RankingText(NamedTuple):
    """What is said of a comparison, all of it made from `rankings`."""

    labels: list[str]
    """The label of each run."""
    rankings: tuple[Ranking, Ranking, Ranking]
    lead: str
    """Who did better, in one or two sentences."""
    chance: str
    """Which runs differ only in their seed; "" without such runs."""
    cards: list[Verdict]
    """On forgetting, retaining and time."""
    note: str
    """How it was tested, and what that does not cover."""

    def label(self, runs: RunSet) -> str:
        """The label of one run, or of several that differ only in their seed."""
        own = [self.labels[run] for run in runs]
        method, joined, _ = own[0].rpartition(" · run ")
        if len(own) == 1 or not joined:
            return join_words(own, limit=6)
        return f"{method} · runs {join_words([name.rpartition(' ')[2] for name in own], limit=6)}"

    def join(self, sets: Sequence[RunSet]) -> str:
        """The labels of several sets of runs."""
        return join_words([self.label(runs) for runs in sets], limit=6)


def ranking_text(reports: Sequence[Report]) -> RankingText:
    """Rank at least two runs and say what that shows."""
    blank = RankingText(report_labels(reports), rank_runs(reports), "", "", [], "")
    return blank._replace(
        lead=_lead(blank),
        chance=_chance(blank, reports),
        cards=[_card(one, blank, reports) for one in blank.rankings],
        note=_note(blank, reports),
    )


def winner_text(ranking: Ranking, text: RankingText) -> str:
    """The best runs, or why there are none: a few words for a title or a cell."""
    if ranking.winners:
        (group,) = ranking.groups
        many = len(group.best) > len(group.behind) + 1
        return f"all but {text.join(group.behind)}" if many else text.join(group.best)
    if ranking.is_whole:
        return _no_difference(ranking.pairs)
    return "cannot tell for all of them" if ranking.pairs else CANNOT_TELL


def _no_difference(pairs: Sequence[RunPair]) -> str:
    """Why none of these pairs shows a difference."""
    if not pairs:
        return ONLY_SEEDS
    return EQUAL if all(pair.relation == "equal" for pair in pairs) else NO_DIFFERENCE


def value_text(ranking: Ranking, runs: RunSet) -> str:
    """The mean of runs: a share, a count where there are few images, or a time; a dash without a value."""
    known = [value for run in runs if (value := ranking.values[run]) is not None]
    if not known:
        return "–"
    mean = sum(known) / len(known)
    return seconds(mean) if ranking.criterion == "time" else share(mean, ranking.images[runs[0]])


def _card(ranking: Ranking, text: RankingText, reports: Sequence[Report]) -> Verdict:
    said = winner_text(ranking, text)
    words = [_group(ranking, group, text, reports) for group in ranking.groups if group.pairs or ranking.is_whole]
    words += [_SPLIT[ranking.split_by]] if ranking.split_by else []
    words += [f"{text.labels[run]} has {_MISSING[why]}." for run, why in ranking.missing]
    tone = "good" if ranking.winners or said == EQUAL else "unknown"
    return Verdict(f"{capitalize(ranking.criterion)}: {said}", tone, " ".join(words))


def _group(ranking: Ranking, group: RunGroup, text: RankingText, reports: Sequence[Report]) -> str:
    """The values of runs that can be compared, and what is shown of them."""
    first = reports[group.sets[0][0]]
    noun, count = first.dataset.item_noun, ranking.images[group.sets[0][0]]
    heads: Mapping[Criterion, str] = {
        "forgetting": f"Predicted as by the retrained model, of {count:,} forget {noun}s",
        "retaining": f"Accuracy on test {noun}s of the retain set",
        "time": f"Unlearning on {timings.device}" if (timings := first.get(TimingsResult)) else "Unlearning",
    }
    cells = ", ".join(f"{text.label(runs)} {_values(ranking, runs)}" for runs in group.sets)
    return f"{heads[ranking.criterion]}: {cells}. {_finding(ranking, group, text)}"


def _values(ranking: Ranking, runs: RunSet) -> str:
    """The mean of runs, and each of several."""
    mean = value_text(ranking, runs)
    return mean if len(runs) == 1 else f"{mean} ({', '.join(value_text(ranking, (run,)) for run in runs)})"


def _finding(ranking: Ranking, group: RunGroup, text: RankingText) -> str:
    """What is shown of the differences within a group."""
    if not group.pairs:
        return f"{_SEEDS.get(len(group.sets[0]), 'Several')} seeds: this is chance."
    if ranking.criterion == "time":
        once = f"A time was measured once: less than a factor of {TIME_FACTOR} counts as none."
        return f"Clearly slower: {text.join(group.behind)}. {once}" if group.behind else once
    other = not all(pair.on_same_images for pair in group.pairs)
    samples = (
        " Their images differ, so a paired test is not possible: they are independent samples, and one retain set may "
        "be easier."
    )
    said = _pair(group.pairs[0], text) if len(group.pairs) == 1 else _pairs(group, text)
    return said + (samples if other else "")


def _pairs(group: RunGroup, text: RankingText) -> str:
    if group.behind:
        between = [pair for pair in group.pairs if pair.leader in group.best and pair.other in group.best]
        rest = f" Between {text.join(group.best)}: {_no_difference(between)}." if between else ""
        return f"Behind another run by more than chance explains: {text.join(group.behind)}.{rest}"
    if _no_difference(group.pairs) == EQUAL:
        return f"All are {EQUAL}."
    least = min(pair.p for pair in group.pairs if pair.p is not None)
    return f"No difference is more than chance explains (smallest {p_value(least)})."


def _pair(pair: RunPair, text: RankingText) -> str:
    """The finding on a single pair."""
    gap = gap_text(pair)
    assert pair.p is not None
    if pair.is_shown:
        return f"{text.label(pair.leader)} is ahead by {gap}, more than chance explains ({p_value(pair.p)})."
    if pair.relation == "equal":
        return f"They are {EQUAL}: {gap}."
    return f"The difference, {gap}, may be chance ({p_value(pair.p)})."


def gap_text(pair: RunPair) -> str:
    """By how much the leader of a tested pair is ahead, with its 90 % interval."""
    found = pair.comparison
    assert found is not None
    return difference(-found.difference, -found.high, -found.low, images=found.images)


def _lead(text: RankingText) -> str:
    """One clause for each set of winners, then one sentence for each reason why there are none."""
    wins: dict[str, list[str]] = {}
    rest: dict[str, list[str]] = {}
    for ranking in text.rankings:
        said = winner_text(ranking, text)
        if ranking.winners:
            several = sum(map(len, ranking.winners)) > 1
            wins.setdefault(said, []).append(_WINS[ranking.criterion][several])
        else:
            rest.setdefault(said, []).append(ranking.criterion)
    clauses = [capitalize("; ".join(f"{who} {join_words(said)}" for who, said in wins.items()))] if wins else []
    clauses += [f"{capitalize(join_words(criteria))}: {why}" for why, criteria in rest.items()]
    return " ".join(f"{clause}." for clause in clauses)


def _chance(text: RankingText, reports: Sequence[Report]) -> str:
    """Which runs differ only in their seed, or not even in that."""
    said: list[str] = []
    for runs in seed_sets(reports):
        same = len({reports[run].spec.seed for run in runs}) == 1
        if len(runs) > 1 and same:
            said.append(f"{text.label(runs)} have the same settings and the same seed: what differs is chance.")
        elif len(runs) > 1:
            said.append(
                f"{text.label(runs)} differ only in their seed. {_SEEDS.get(len(runs), 'Several')} seeds: this is "
                "chance. They count as one, with their spread."
            )
    return " ".join(said)


_SEEDS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six"}


def _note(text: RankingText, reports: Sequence[Report]) -> str:
    tests, noun = text.rankings[0].tests, reports[0].dataset.item_noun
    if not tests:
        return "There was nothing to test."
    holm = f" The p-values are adjusted for {tests} comparisons (Holm)." if tests > 1 else ""
    alone = any(len(runs) == 1 for runs in seed_sets(reports))
    seeds = (
        " A run with one seed says nothing of other seeds, which may change the order: add repeats." if alone else ""
    )
    return (
        f"Runs on the same {noun}s are compared {noun} by {noun}: McNemar's exact test, or Welch's where there are "
        f"several seeds. Ranges are 90 % intervals.{holm}{seeds}"
    )
