"""Runs: one entry of the history for each job, with its state, progress and summary metrics."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from unlearn_core.domain.jobs import Spec, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics


class RunState(StrEnum):
    """queued -> running -> done, failed or cancelled."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_finished(self) -> bool:
        return self in (RunState.DONE, RunState.FAILED, RunState.CANCELLED)


TIMED_KINDS = ("unlearn", "gold", "train")
"""The kinds of runs that forecasts learn from. The metrics of a measurement become those of its run."""

SEARCH_STAGE = "finding hyperparameters"
"""The stage of a run that tries settings before it begins; its steps are the tries."""

UNFINISHED_STATES = tuple(state for state in RunState if not state.is_finished)
"""The states of runs that wait or are being executed: queued, then running."""


class Priority(IntEnum):
    """The priority of a run: smaller numbers go first."""

    INTERACTIVE = 0
    SWEEP = 1
    BACKGROUND = 2


class Phase(NamedTuple):
    """One phase of a run: optimiser steps planned and done, and the seconds they took."""

    name: str
    steps: int
    done: int
    seconds: float


class Progress(NamedTuple):
    """The progress of a run. `stage` is the current phase, or what follows the last one ("measuring")."""

    phases: tuple[Phase, ...]
    stage: str
    images_per_second: float | None


class Silence(NamedTuple):
    """How many seconds a run has made no step and shown no other sign, and after how many it is stopped."""

    seconds: float
    limit: float


class CurvePoint(NamedTuple):
    """A point of the live curve: accuracies (0 to 1) on a few fixed images of each side after `step` steps."""

    step: int
    seconds: float
    phase: str
    forget: float
    retain: float


class Run(BaseModel):
    """One row of the history: a job, its state and its summary metrics."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: int
    spec: Spec
    title: str
    state: RunState
    owner: str
    priority: Priority
    group: str | None
    parent: int | None
    note: str
    device: str | None
    attempt: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    error: str | None
    progress: Progress | None
    metrics: Annotated[RunMetrics, Field(alias="headline"), PlainSerializer(RunMetrics.to_dict)]
    cancelling: bool
    deaths: int = Field(default=0, exclude=True)
    """How often its process has ended by itself."""
    silence: Silence | None = Field(default=None, exclude=True)
    """Set while it has made no step for long."""
    shared: bool = False
    """Whether everybody may read it although sharing is private."""
    pinned: bool = False
    """Whether it stays although others of its age, or as many, are deleted."""

    @property
    def params(self) -> dict[str, Any]:
        """The hyperparameters of an unlearning run: those of its spec, and those that it found itself; else none."""
        return self.spec.params | dict(self.metrics.found) if isinstance(self.spec, UnlearnSpec) else {}


def run_name(number: int) -> str:
    """Return the name of a run in sentences: "Run 5", or "Shipped run 2" for -2, one that ships with the lab."""
    return f"Run {number}" if number > 0 else f"Shipped run {-number}"


class RunBrief(NamedTuple):
    """A run in a list of many. `when` is the time of its last change of state, in seconds since 1970.

    `method` and `classifier` are ids; None where the run has no method or no forget request. `is_mine` says whether it
    is for whoever reads the list: they own or joined it.
    """

    id: int
    title: str
    state: RunState
    owner: str
    group: str | None
    parent: int | None
    when: float
    method: str | None
    classifier: str | None
    seed: int
    is_mine: bool


class RunFilter(NamedTuple):
    """Which runs are listed: those that match every field; an empty field matches all runs.

    `methods` and `classifiers` are ids. Runs without a method or a forget request never match these. `text` holds
    words that must all occur in the title or the note; upper and lower case are the same.
    """

    states: tuple[RunState, ...] = ()
    methods: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    text: str = ""


ALL_RUNS = RunFilter()
"""The filter that matches all runs."""
