"""Groups of runs that the history shows as one row: repeats from other seeds, trials of a sweep, all methods."""

import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.run import Run, RunBrief, RunState
from unlearn_core.domain.sweeps.sweep import SWEEP_PREFIX
from unlearn_core.store.queue import method_runs
from unlearn_core.store.queue.repeats import GROUP_PREFIX


class HistoryGroup(NamedTuple):
    """One row of the history: a single run, or `head` as the representative of the `runs` of a group.

    `is_member` marks a run of an expanded group, which is listed below its group.
    """

    head: RunBrief
    runs: tuple[RunBrief, ...]
    group: str | None
    is_member: bool = False

    @property
    def is_group(self) -> bool:
        """Whether the row represents several runs."""
        return self.group is not None and not self.is_member

    @property
    def item_label(self) -> str:
        """What one of its runs is called: "seed", "method" or "trial"."""
        if self.group is not None and self.group.startswith(method_runs.GROUP_PREFIX):
            return "method"
        return "seed" if self.group is not None and self.group.startswith(GROUP_PREFIX) else "trial"

    @property
    def sweep(self) -> str | None:
        """The number of the sweep whose trials these are, or None."""
        return (
            self.group.removeprefix(SWEEP_PREFIX)
            if self.group is not None and self.group.startswith(SWEEP_PREFIX)
            else None
        )

    @property
    def done(self) -> list[int]:
        """The ids of the finished runs."""
        return [run.id for run in self.runs if run.state is RunState.DONE]

    @property
    def shown(self) -> list[int]:
        """The ids of the runs that its row shows: the head, and all seeds, of which it shows means."""
        return [self.head.id, *(self.done if self.is_group and self.item_label == "seed" else ())]

    def accuracy(self, runs: Mapping[int, Run]) -> Mapping[str, Mapping[str, float | None]]:
        """The head's accuracies, or the means over a group's seeds; none for runs whose settings differ."""
        if not self.is_group:
            return runs[self.head.id].metrics.accuracy
        if self.item_label != "seed":
            return {}
        every = [runs[run].metrics.accuracy for run in self.done if run in runs]
        return {model: _mean([accuracy[model] for accuracy in every if accuracy.get(model)]) for model in MODELS}


def group_runs(runs: Sequence[RunBrief], expanded: Collection[str] = ()) -> list[HistoryGroup]:
    """Return the rows of runs, newest first: a group at its newest run, and below it its runs if it is expanded."""
    began = {run.parent: run.group for run in runs if run.group is not None and run.group.startswith(GROUP_PREFIX)}
    groups: dict[str, list[RunBrief]] = {}
    for run in runs:
        group = _group(run, began)
        if group is not None:
            groups.setdefault(group, []).append(run)
    rows: list[HistoryGroup] = []
    listed: set[str] = set()
    for run in runs:
        group = _group(run, began)
        if group is None or len(groups[group]) == 1:
            rows.append(HistoryGroup(run, (run,), None))
        elif group not in listed:
            listed.add(group)
            rows += _rows_of(group, groups[group], is_expanded=group in expanded)
    return rows


def _group(run: RunBrief, began: Mapping[int | None, str]) -> str | None:
    """The group of a run, or of the repeats of it."""
    return run.group or began.get(run.id)


def _rows_of(group: str, runs: list[RunBrief], *, is_expanded: bool) -> Iterable[HistoryGroup]:
    """The row of a group, represented by its first run or its newest trial, then its runs by seed or newest first."""
    by_seed = group.startswith(GROUP_PREFIX)
    yield HistoryGroup(min(runs, key=lambda run: run.id) if by_seed else runs[0], tuple(runs), group)
    if is_expanded:
        for run in sorted(runs, key=lambda run: run.seed) if by_seed else runs:
            yield HistoryGroup(run, (run,), group, is_member=True)


def status_text(entry: HistoryGroup, marks: dict[str, str]) -> str:
    """The status of a group: "● 5 seeds", "◔ 3 of 5 seeds", "● 4 of 5 seeds, 1 ✕"; of a single run its mark."""
    if not entry.is_group:
        return marks[entry.head.state.value]
    every, done = len(entry.runs), len(entry.done)
    lost = sum(run.state in (RunState.FAILED, RunState.CANCELLED) for run in entry.runs)
    over = all(run.state.is_finished for run in entry.runs)
    mark = marks["done" if over and done else "failed" if over else "running"].partition(" ")[0]
    count = f"{every}" if done == every else f"{done} of {every}"
    tail = f", {lost} {marks['failed'].partition(' ')[0]}" if lost and over else ""
    return f"{mark} {count} {entry.item_label}s{tail}"


def _mean(accuracies: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """The mean of each accuracy that all runs have, else None."""
    names = accuracies[0] if accuracies else ()
    known = {name: [accuracy.get(name) for accuracy in accuracies] for name in names}
    return {
        name: None if any(value is None for value in values) else statistics.fmean(v for v in values if v is not None)
        for name, values in known.items()
    }
