"""Pieces of work and what becomes of them."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from unlearn_core.domain.jobs import Spec


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


class Priority(IntEnum):
    """Who goes first: the smaller number."""

    INTERACTIVE = 0
    SWEEP = 1
    BACKGROUND = 2


class Phase(NamedTuple):
    """One stretch of a run: how many optimiser steps are planned and made, and the seconds that they took."""

    name: str
    steps: int
    done: int
    seconds: float


class Progress(NamedTuple):
    """How far a run is. `doing` is the phase in hand, or what happens after the last one ("measuring")."""

    phases: tuple[Phase, ...]
    stage: str
    images_per_second: float | None


class CurvePoint(NamedTuple):
    """A point of the live curve: accuracies (0 to 1) on a few fixed pictures of either side after so many steps."""

    step: int
    seconds: float
    phase: str
    forget: float
    retain: float


class Run(BaseModel):
    """One row of the history: a piece of work, where it stands, and its few headline figures."""

    model_config = ConfigDict(frozen=True)

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
    headline: dict[str, Any]
    cancelling: bool
