"""Which of several runs did better at forgetting, retaining and time, and whether the difference is more than chance.

* forgetting: the share of forget images, training and test, that are predicted as the retrained model predicts them.
  Closeness decides: a lower forget accuracy than that of the retrained model is no better.
* retaining: the accuracy on test images of the retain set.
* time: the seconds of unlearning.

Each two runs are compared on the same images by the rule of every verdict (`rule`), and the p-values are adjusted for
all comparisons of both questions. Runs are compared only where nothing but the method differs: with the same data set
and classifier, for forgetting with the same forget set and retrained model, for time on the same device. Retain sets of
other images are compared as independent samples. Runs that differ only in their seed count as one: what differs between
them is chance, and their spread widens the interval of every comparison with them.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np

from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.verdicts.paired_comparison import Comparison, compare, compare_samples, holm
from unlearn_core.domain.verdicts.report_verdicts import correct_predictions, is_judged
from unlearn_core.domain.verdicts.rule import Relation, relations

Criterion = Literal["forgetting", "retaining", "time"]
Missing = Literal["no outputs", "no retrained model", "no images", "no time"]
"""Why a run cannot be compared."""
Difference = Literal["data set", "classifier", "forget set", "retrained model", "device"]
"""What makes it impossible to compare runs with one another."""

RunSet = tuple[int, ...]
"""The places of runs that differ only in their seed; mostly a single one."""

TIME_FACTOR = 1.25
"""A time is measured once: a smaller ratio than this counts as no difference."""


class RunPair(NamedTuple):
    """Two sets of runs, of which `leader` is not worse; `comparison` is `other` minus `leader`, None for times."""

    leader: RunSet
    other: RunSet
    on_same_images: bool
    is_shown: bool = False
    """Whether the leader is better by more than chance explains; for times, by more than `TIME_FACTOR`."""
    comparison: Comparison | None = None
    relation: Relation | None = None
    p: float | None = None
    """That the two are equal, adjusted for the number of comparisons."""


class RunGroup(NamedTuple):
    """Runs that can be compared with one another; the best comes first."""

    sets: tuple[RunSet, ...]
    pairs: tuple[RunPair, ...]

    @property
    def behind(self) -> tuple[RunSet, ...]:
        """Those that others are shown to be better than."""
        shown = {pair.other for pair in self.pairs if pair.is_shown}
        return tuple(runs for runs in self.sets if runs in shown)

    @property
    def best(self) -> tuple[RunSet, ...]:
        """The other ones: of several, none is shown to be the best."""
        return tuple(runs for runs in self.sets if runs not in self.behind)


class Ranking(NamedTuple):
    """What the comparison of runs shows by one criterion."""

    criterion: Criterion
    values: tuple[float | None, ...]
    """One for each run: a share from 0 to 1, or seconds."""
    images: tuple[int, ...]
    """The number of images that a run's share is of; 0 for times and where there is none."""
    groups: tuple[RunGroup, ...]
    missing: tuple[tuple[int, Missing], ...] = ()
    """The runs that cannot be compared with any, and why."""
    split_by: Difference | None = None
    """What the groups differ in, if there are several."""
    tests: int = 0
    """The comparisons that p-values are adjusted for."""

    @property
    def pairs(self) -> list[RunPair]:
        return [pair for group in self.groups for pair in group.pairs]

    @property
    def is_whole(self) -> bool:
        """Whether all runs can be compared with one another."""
        return len(self.groups) == 1 and not self.missing

    @property
    def winners(self) -> tuple[RunSet, ...]:
        """The best runs, if all can be compared and one is shown to be worse; else none."""
        return self.groups[0].best if self.is_whole and self.groups[0].behind else ()


class _Score(NamedTuple):
    """What one run is compared by; `basis` must be equal in two runs that are compared."""

    basis: dict[Difference, Hashable]
    value: float
    rows: np.ndarray
    good: np.ndarray
    """Which of these images count for the run: (rows,) bool; empty for times."""


def rank_runs(reports: Sequence[Report]) -> tuple[Ranking, Ranking, Ranking]:
    """Rank runs by forgetting, retaining and time, in this order."""
    sets = seed_sets(reports)
    forgetting = _rank("forgetting", [_forgetting(report) for report in reports], sets)
    retaining = _rank("retaining", [_retaining(report) for report in reports], sets)
    tested = [*forgetting.pairs, *retaining.pairs]
    judged = iter(_judge(tested))
    return (
        _with_results(forgetting, judged, len(tested)),
        _with_results(retaining, judged, len(tested)),
        _rank("time", [_time(report) for report in reports], sets),
    )


def seed_sets(reports: Sequence[Report]) -> list[RunSet]:
    """The runs by their places, those together that differ in nothing but, at most, their seed."""
    sets: dict[str, list[int]] = {}
    for place, report in enumerate(reports):
        sets.setdefault(report.spec.model_copy(update={"seed": 0}).fingerprint(), []).append(place)
    return [tuple(places) for places in sets.values()]


def _forgetting(report: Report) -> _Score | Missing:
    rows = np.concatenate([report.split.forget_train, report.split.forget_test])
    if not is_judged(report):
        return "no outputs"
    if "gold" not in report.evaluations:
        return "no retrained model"
    if not len(rows):
        return "no images"
    after, gold = (report.evaluations[model].logits[rows].argmax(1) for model in ("after", "gold"))
    gold_weights = report.evaluations["gold"].weights
    basis: dict[Difference, Hashable] = {"forget set": rows.tobytes(), "retrained model": gold_weights}
    return _Score(_basis(report) | basis, float((after == gold).mean()), rows, after == gold)


def _retaining(report: Report) -> _Score | Missing:
    rows = report.split.retain_test
    if not is_judged(report):
        return "no outputs"
    if not len(rows):
        return "no images"
    correct = correct_predictions(report, "after", rows)
    return _Score(_basis(report), float(correct.mean()), rows, correct)


def _time(report: Report) -> _Score | Missing:
    timings = report.get(TimingsResult)
    if timings is None:
        return "no time"
    none = np.empty(0, bool)
    basis: dict[Difference, Hashable] = {"device": (timings.device, timings.threads)}
    return _Score(_basis(report) | basis, timings.seconds.forget, none, none)


def _basis(report: Report) -> dict[Difference, Hashable]:
    return {"data set": report.dataset.id, "classifier": report.classifier.id}


def _rank(criterion: Criterion, found: Sequence[_Score | Missing], sets: Sequence[RunSet]) -> Ranking:
    scores = {place: one for place, one in enumerate(found) if isinstance(one, _Score)}
    groups: dict[tuple[Hashable, ...], dict[int, RunSet]] = {}
    for number, places in enumerate(sets):
        for place in places:
            if place in scores:
                group = groups.setdefault(tuple(scores[place].basis.values()), {})
                group[number] = (*group.get(number, ()), place)
    return Ranking(
        criterion,
        tuple(scores[place].value if place in scores else None for place in range(len(found))),
        tuple(len(scores[place].good) if place in scores else 0 for place in range(len(found))),
        tuple(_group(criterion, list(own.values()), scores) for own in groups.values()),
        tuple((place, one) for place, one in enumerate(found) if not isinstance(one, _Score)),
        _difference(list(scores.values())),
    )


def _difference(scores: Sequence[_Score]) -> Difference | None:
    """The first thing in which the bases differ."""
    known = scores[0].basis if scores else {}
    return next((name for name in known if len({one.basis[name] for one in scores}) > 1), None)


def _group(criterion: Criterion, sets: list[RunSet], scores: Mapping[int, _Score]) -> RunGroup:
    """The sets from the best to the worst, and all their pairs; without the results of the tests."""
    means = {runs: float(np.mean([scores[run].value for run in runs])) for runs in sets}
    ordered = sorted(sets, key=lambda runs: means[runs] if criterion == "time" else -means[runs])
    pairs: list[RunPair] = []
    for leader, other in combinations(ordered, 2):
        same = all(np.array_equal(scores[leader[0]].rows, scores[run].rows) for run in (*leader, *other))
        if criterion == "time":
            pairs.append(RunPair(leader, other, same, means[other] > TIME_FACTOR * means[leader]))
            continue
        worse, better = (np.stack([scores[run].good for run in runs]) for runs in (other, leader))
        found = compare(worse, better) if same else compare_samples(worse.mean(axis=0), better.mean(axis=0))
        pairs.append(RunPair(leader, other, same, comparison=found))
    return RunGroup(tuple(ordered), tuple(pairs))


def _judge(pairs: Sequence[RunPair]) -> list[RunPair]:
    """The same pairs with what the rule says of all of them together."""
    compared = [pair.comparison for pair in pairs if pair.comparison is not None]
    results = zip(pairs, relations(compared), holm([one.p_differs for one in compared]), strict=True)
    return [
        pair._replace(relation=relation, p=p, is_shown=relation in ("lower", "lost")) for pair, relation, p in results
    ]


def _with_results(ranking: Ranking, judged: Iterator[RunPair], tests: int) -> Ranking:
    """The ranking with the next judged pairs in place of its own."""
    groups = [group._replace(pairs=tuple(next(judged) for _ in group.pairs)) for group in ranking.groups]
    return ranking._replace(groups=tuple(groups), tests=tests)
