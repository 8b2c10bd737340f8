"""Sweeps: many runs of one method that differ in some hyperparameters, with their objectives, budget and trials."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import RunNumber, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweeps.search_space import SearchRange

Sampler = Literal["grid", "random", "tpe", "nsga2"]
"""The algorithm that chooses the next trial's hyperparameters."""

ObjectiveId = Literal["distance", "retain", "forget", "privacy", "seconds"]
"""The ids of the objectives; `domain/objectives.py` defines them."""

MAX_TRIALS, MAX_HYPERPARAMETERS = 256, 6
MAX_MINUTES = 24 * 60.0
"""Maximum time budget of a sweep."""


class SweepState(StrEnum):
    """running <-> paused; both -> done, cancelled or failed."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_finished(self) -> bool:
        return self not in (SweepState.RUNNING, SweepState.PAUSED)


class SweepSpec(BaseModel):
    """Everything that is needed to reproduce a sweep.

    Every trial runs `method` on `request` with `params`, except for the hyperparameters in `ranges`, and with the same
    `seed`, which also seeds the sampler. The first of one or two objectives decides where a single value is needed.
    The budget is a number of trials or of busy minutes, without pauses. `early` stops hopeless trials early.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["sweep"] = "sweep"
    request: ForgetRequest
    start: RunNumber | None = None
    method: str
    params: dict[str, Any]
    ranges: tuple[SearchRange, ...] = Field(min_length=1, max_length=MAX_HYPERPARAMETERS)
    sampler: Sampler = "tpe"
    objectives: tuple[ObjectiveId, ...] = Field(min_length=1, max_length=2)
    trials: int | None = Field(default=None, ge=2, le=MAX_TRIALS)
    minutes: float | None = Field(default=None, gt=0, le=MAX_MINUTES)
    seed: int = Field(default=0, ge=0, lt=2**31)
    early: bool = True

    @model_validator(mode="after")
    def _fits_together(self) -> "SweepSpec":
        if (self.trials is None) == (self.minutes is None):
            raise ValueError("give the budget either in trials or in minutes")
        if len({one.knob for one in self.ranges}) < len(self.ranges):
            raise ValueError("each hyperparameter can be swept only once")
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError("the two objectives must be different")
        return self

    @property
    def max_trials(self) -> int:
        """The maximum number of trials."""
        limit = self.trials or MAX_TRIALS
        if self.sampler != "grid":
            return limit
        size = 1
        for one in self.ranges:
            size *= len(one.grid_values())
        return min(size, limit)

    def run_spec(self, values: dict[str, Any]) -> UnlearnSpec:
        """The run of a trial with these values of the swept hyperparameters."""
        return UnlearnSpec(
            request=self.request, start=self.start, method=self.method, params=self.params | values, seed=self.seed
        )


class Trial(NamedTuple):
    """One trial of a sweep and its run; `state` is None if the run was deleted.

    `attributes` are the sampler's notes; `stopped` says why the trial was stopped early. Times are seconds since
    1970.
    """

    number: int
    run: int | None
    params: dict[str, Any]
    attributes: dict[str, Any]
    stopped: str | None
    state: RunState | None
    error: str | None
    metrics: RunMetrics
    started: float | None
    finished: float | None

    @property
    def is_over(self) -> bool:
        return self.state is None or self.state.is_finished

    @property
    def status(self) -> str:
        """Its state in words: queued, running, done, stopped early, failed, cancelled or deleted."""
        if self.state is None:
            return "deleted"
        if self.state is RunState.CANCELLED and self.stopped:
            return "stopped early"
        return self.state.value


class SweepFindings(BaseModel):
    """What was computed from all trials of a sweep together."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    importance: Mapping[str, Mapping[str, float]] = Field(default_factory=dict)
    """By objective and hyperparameter: its share (0 to 1) of the importance; empty after few trials."""
    num_trials: Annotated[int, Field(alias="done")] = 0
    """The number of finished trials that it was computed from."""


class Sweep(BaseModel):
    """One sweep and its current state."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: int
    spec: SweepSpec
    title: str
    state: SweepState
    owner: str
    created: datetime
    finished: datetime | None
    error: str | None
    findings: Annotated[SweepFindings, Field(alias="facts")]


def trial_name(trial: Trial) -> str:
    """Return what a trial is called within a sentence: "run 5", or "trial 3" where no run of it is kept."""
    return f"trial {trial.number + 1}" if trial.run is None else f"run {trial.run}"


SWEEP_PREFIX = "sweep-"
"""The prefix of the group of a sweep's trials."""


def sweep_group(sweep: int) -> str:
    """The run group of a sweep."""
    return f"{SWEEP_PREFIX}{sweep}"


def sweep_id(group: str | None) -> int | None:
    """The sweep that this run group belongs to; None if it belongs to none."""
    number = (group or "").removeprefix(SWEEP_PREFIX)
    return int(number) if number != group and number.isdecimal() else None


def busy_minutes(trials: Sequence[Trial], now: float) -> float:
    """Minutes in which at least one trial was running; overlapping trials count once."""
    spans = sorted((trial.started, trial.finished or now) for trial in trials if trial.started is not None)
    total, last = 0.0, float("-inf")
    for start, end in spans:
        total += max(0.0, end - max(start, last))
        last = max(last, end)
    return total / 60
