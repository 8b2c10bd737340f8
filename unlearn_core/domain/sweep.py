"""Many runs of one method that differ in some knobs: what is tried, what is aimed at, and what became of each trial."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import RunState
from unlearn_core.domain.search_space import SearchRange

Sampler = Literal["grid", "random", "tpe", "nsga2"]
"""Who chooses the next settings."""

ObjectiveId = Literal["distance", "retain", "forget", "privacy", "seconds"]
"""What may be aimed at; `domain/objectives.py` says how each is read."""

MAX_TRIALS, MAX_HYPERPARAMETERS = 256, 6
MAX_MINUTES = 24 * 60.0
"""Minutes that a sweep may work."""


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
    """All that is needed to do a sweep again.

    Every trial forgets `request` by `method` with `params`, but for the knobs in `ranges`, and with the same `seed`,
    which also seeds the sampler. The first of one or two objectives decides where a single figure must. The budget is
    a number of trials or of minutes of work, pauses not counted. `early` stops trials that are hopeless.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["sweep"] = "sweep"
    request: ForgetRequest
    start: int | None = None
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
            raise ValueError("give a budget either in trials or in minutes")
        if len({one.knob for one in self.ranges}) < len(self.ranges):
            raise ValueError("each knob can be swept once")
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError("two objectives must be different ones")
        return self

    @property
    def max_trials(self) -> int:
        """How many trials there can be at the most."""
        limit = self.trials or MAX_TRIALS
        if self.sampler != "grid":
            return limit
        size = 1
        for one in self.ranges:
            size *= len(one.grid_values())
        return min(size, limit)

    def run_spec(self, values: dict[str, Any]) -> UnlearnSpec:
        """The run of a trial with these values of the swept knobs."""
        return UnlearnSpec(
            request=self.request, start=self.start, method=self.method, params=self.params | values, seed=self.seed
        )


class Trial(NamedTuple):
    """One point of a sweep and its run, as far as it is; `state` is None where somebody has deleted the run.

    `attributes` are what the sampler remembers of it; `stopped` says why it was ended early. Times are seconds since
    1970.
    """

    number: int
    run: int | None
    params: dict[str, Any]
    attributes: dict[str, Any]
    stopped: str | None
    state: RunState | None
    error: str | None
    headline: dict[str, Any]
    started: float | None
    finished: float | None

    @property
    def is_over(self) -> bool:
        return self.state is None or self.state.is_finished

    @property
    def status(self) -> str:
        """How it stands, in a word: waiting, running, done, stopped early, failed, cancelled or deleted."""
        if self.state is None:
            return "deleted"
        if self.state is RunState.CANCELLED and self.stopped:
            return "stopped early"
        return "waiting" if self.state is RunState.QUEUED else self.state.value


class Sweep(BaseModel):
    """One sweep as it stands. `facts` holds what its worker has found out about all trials together."""

    model_config = ConfigDict(frozen=True)

    id: int
    spec: SweepSpec
    title: str
    state: SweepState
    owner: str
    created: datetime
    finished: datetime | None
    error: str | None
    facts: dict[str, Any]


def sweep_group(sweep: int) -> str:
    """What the runs of a sweep have as their group."""
    return f"sweep-{sweep}"


def sweep_id(group: str | None) -> int | None:
    """The sweep whose runs have this group; None where it is no sweep's."""
    head, number = sweep_group(0)[:-1], group or ""
    return int(number[len(head) :]) if number.startswith(head) and number[len(head) :].isdecimal() else None


def busy_minutes(trials: Sequence[Trial], now: float) -> float:
    """Minutes in which at least one trial was at work: those made side by side take no longer than one of them."""
    spans = sorted((trial.started, trial.finished or now) for trial in trials if trial.started is not None)
    total, last = 0.0, float("-inf")
    for start, end in spans:
        total += max(0.0, end - max(start, last))
        last = max(last, end)
    return total / 60
