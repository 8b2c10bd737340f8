"""Progress of a run and its remaining time, estimated only from steps that were measured."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Literal, NamedTuple

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import SEARCH_STAGE, Phase, Progress, Run
from unlearn_core.ui.shell.formatting import format_duration, format_estimate

MIN_STEPS = 5
"""Least number of steps for an estimate from their mean duration."""

MIN_WIDTH = 0.22
"""Least share of the page's width for a progress bar, so that its text fits."""


class PhaseProgress(NamedTuple):
    """One phase as the page shows it: the share that is done (0 to 1), and a text."""

    name: str
    state: Literal["done", "now", "planned"]
    share: float
    words: str


def phase_progress(progress: Progress, past: Mapping[str, float]) -> tuple[PhaseProgress, ...]:
    """Every phase that has steps, in order. `past` gives seconds per step by phase name, from comparable runs."""
    return tuple(_phase(phase, progress, past) for phase in progress.phases if phase.steps)


def widths(progress: Progress, past: Mapping[str, float]) -> list[float]:
    """The width of each progress bar: its expected share of the time, with a minimum for its text.

    It depends only on what is known before the first step, so that no bar moves during the run.
    """
    sizes = [phase.steps * past.get(phase.name, 1.0 if not past else 0.0) for phase in progress.phases if phase.steps]
    whole = sum(sizes)
    return [max(size / whole, MIN_WIDTH) for size in sizes] if whole else [1.0] * len(sizes)


def remaining(progress: Progress, past: Mapping[str, float]) -> float | None:
    """Seconds until the last step, or None as long as there is no measurement to estimate it from."""
    total = 0.0
    for phase in progress.phases:
        left = phase.steps - phase.done
        if left <= 0:
            continue
        pace = _seconds_a_step(phase, progress, past)
        if pace is None:
            return None
        total += left * pace
    return total


def total(progress: Progress, past: Mapping[str, float]) -> float | None:
    """Seconds that all steps will take according to earlier runs, or None if they lack one of the phases."""
    paces = [(phase.steps, past.get(phase.name)) for phase in progress.phases if phase.steps]
    if not paces or any(pace is None for _, pace in paces):
        return None
    return sum(steps * pace for steps, pace in paces if pace is not None)


def past_step_times(run: Run, earlier: Sequence[Run]) -> dict[str, float]:
    """Seconds per step by phase name: the median over earlier runs of the same method and classifier on the device."""
    found: dict[str, list[float]] = {}
    for other in earlier:
        if other.id == run.id or other.progress is None or not _is_comparable(run, other):
            continue
        for phase in other.progress.phases:
            if phase.steps and phase.done == phase.steps:
                found.setdefault(phase.name, []).append(phase.seconds / phase.done)
    return {name: median(values) for name, values in found.items()}


def _is_comparable(run: Run, other: Run) -> bool:
    if not isinstance(run.spec, UnlearnSpec) or not isinstance(other.spec, UnlearnSpec):
        return False
    same = run.spec.method == other.spec.method and run.spec.request.classifier == other.spec.request.classifier
    return same and other.device == run.device


def _phase(phase: Phase, progress: Progress, past: Mapping[str, float]) -> PhaseProgress:
    if phase.done >= phase.steps:
        return PhaseProgress(phase.name, "done", 1.0, f"done in {format_duration(phase.seconds)}")
    if phase.name == SEARCH_STAGE:
        return PhaseProgress(phase.name, "now", phase.done / phase.steps, f"{phase.done + 1} of at most {phase.steps}")
    if phase.name == progress.stage or phase.done:
        words = f"step {phase.done:,} of {phase.steps:,}"
        if progress.images_per_second:
            words += f" · {progress.images_per_second:,.0f} images/s"
        return PhaseProgress(phase.name, "now", phase.done / phase.steps, words)
    pace = _seconds_a_step(phase, progress, past)
    words = f"{phase.steps:,} steps" if pace is None else format_estimate(phase.steps * pace)
    return PhaseProgress(phase.name, "planned", 0.0, words)


def _seconds_a_step(phase: Phase, progress: Progress, past: Mapping[str, float]) -> float | None:
    """Seconds per step of this phase, else of earlier runs, else the mean over all steps of this run."""
    if phase.done >= MIN_STEPS:
        return phase.seconds / phase.done
    if phase.name in past:
        return past[phase.name]
    made = sum(other.done for other in progress.phases)
    return sum(other.seconds for other in progress.phases) / made if made >= MIN_STEPS else None
