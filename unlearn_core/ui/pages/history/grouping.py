"""Runs that belong together as one entry of the history: repeats from other seeds, trials of a sweep."""

import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import MODELS
from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.queue.repeats import GROUP_PREFIX

SWEEP_PREFIX = "sweep-"
"""How the groups of a sweep's trials begin."""


class HistoryGroup(NamedTuple):
    """One row of the history: `head` alone, or the run that stands for the `runs` of a folded group.

    `inner` is a run of an unfolded group, which stands beneath its head.
    """

    head: Run
    runs: tuple[Run, ...]
    group: str | None
    is_member: bool = False

    @property
    def is_group(self) -> bool:
        """Whether it stands for several runs."""
        return self.group is not None and not self.is_member

    @property
    def item_label(self) -> str:
        """What its runs are: seeds or trials."""
        return "seed" if self.group is not None and self.group.startswith(GROUP_PREFIX) else "trial"

    @property
    def sweep(self) -> str | None:
        """The number of the sweep whose trials these are."""
        return (
            self.group.removeprefix(SWEEP_PREFIX)
            if self.group is not None and self.group.startswith(SWEEP_PREFIX)
            else None
        )

    @property
    def done(self) -> list[Run]:
        return [run for run in self.runs if run.state is RunState.DONE]

    @property
    def accuracy(self) -> dict[str, dict[str, float | None]]:
        """The head's accuracies, or the means of a group's seeds; trials have different settings, so no mean."""
        if not self.is_group:
            return self.head.headline.get("accuracy") or {}
        if self.item_label == "trial":
            return {}
        known = [run.headline["accuracy"] for run in self.done if run.headline.get("accuracy")]
        return {model: _mean([own[model] for own in known if own.get(model)]) for model in MODELS}


def group_runs(runs: Sequence[Run], unfolded: Collection[str] = ()) -> list[HistoryGroup]:
    """The runs, newest first, as entries: a group where its newest run stands, its runs beneath it where unfolded."""
    began = {run.parent: run.group for run in runs if run.group is not None and run.group.startswith(GROUP_PREFIX)}
    groups: dict[str, list[Run]] = {}
    for run in runs:
        group = _group(run, began)
        if group is not None:
            groups.setdefault(group, []).append(run)
    made: list[HistoryGroup] = []
    told: set[str] = set()
    for run in runs:
        group = _group(run, began)
        if group is None or len(groups[group]) == 1:
            made.append(HistoryGroup(run, (run,), None))
        elif group not in told:
            told.add(group)
            made += _entries_of(group, groups[group], open_=group in unfolded)
    return made


def _group(run: Run, began: Mapping[int | None, str]) -> str | None:
    """A run's own group, or that of the repeats which began with it."""
    return run.group or began.get(run.id)


def _entries_of(group: str, runs: list[Run], *, open_: bool) -> Iterable[HistoryGroup]:
    """The entry of a group, under the run that it began with, and beneath it its runs by seed or newest first."""
    by_seed = group.startswith(GROUP_PREFIX)
    yield HistoryGroup(min(runs, key=lambda run: run.id) if by_seed else runs[0], tuple(runs), group)
    if open_:
        for run in sorted(runs, key=_seed) if by_seed else runs:
            yield HistoryGroup(run, (run,), group, is_member=True)


def _seed(run: Run) -> int:
    return run.spec.seed if isinstance(run.spec, UnlearnSpec) else 0


def status_text(entry: HistoryGroup, marks: dict[str, str]) -> str:
    """How a group stands: "● 5 seeds", "◔ 3 of 5 seeds", "● 4 of 5 seeds, 1 ✕"; a run alone as `marks` say."""
    if not entry.is_group:
        return marks[entry.head.state.value]
    every, done = len(entry.runs), len(entry.done)
    lost = sum(run.state in (RunState.FAILED, RunState.CANCELLED) for run in entry.runs)
    over = all(run.state.is_finished for run in entry.runs)
    mark = marks["done" if over and done else "failed" if over else "running"].partition(" ")[0]
    count = f"{every}" if done == every else f"{done} of {every}"
    tail = f", {lost} {marks['failed'].partition(' ')[0]}" if lost and over else ""
    return f"{mark} {count} {entry.item_label}s{tail}"


def _mean(own: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """The mean of every accuracy that all of them have."""
    names = own[0] if own else ()
    known = {name: [one.get(name) for one in own] for name in names}
    return {
        name: None if any(value is None for value in values) else statistics.fmean(v for v in values if v is not None)
        for name, values in known.items()
    }
