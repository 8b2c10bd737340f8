"""Pieces of work and what becomes of them."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from unlearn_core.domain.request import ForgetRequest, fingerprint


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


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def fingerprint(self) -> str:
        """The same for the same work."""
        return fingerprint(self)


class RunSpec(_Spec):
    """All that is needed to unlearn again: what, how, and from which seed.

    `start` is the earlier run whose weights are the starting point, or None for the classifier itself.
    """

    kind: Literal["unlearn"] = "unlearn"
    request: ForgetRequest
    start: int | None = None
    method: str
    params: dict[str, Any]
    seed: int = Field(default=0, ge=0, lt=2**31)


class GoldSpec(_Spec):
    """Retraining without the forgotten data; `seed` 0 is the first gold of this request, 1 the second."""

    kind: Literal["gold"] = "gold"
    request: ForgetRequest
    seed: int = Field(default=0, ge=0, lt=1000)


class MeasureSpec(_Spec):
    """Adds to a finished run's report what was not measured at its end.

    `what` is "new", what needs a gold that came later, or "relearn", which costs so much that somebody must ask for it.
    """

    kind: Literal["measure"] = "measure"
    run: int
    what: Literal["new", "relearn"] = "new"


Algorithm = Literal["gradcam", "gradcam++", "layercam", "hirescam", "eigencam"]
"""How a class activation map is made."""


class Look(_Spec):
    """A small question about a finished run: where do the models look in one picture, for one class, at one layer?

    `picture` is a position in the data set (training, validation, test); `target` the class explained; `layer` a
    module's dotted name, None for the one that the classifier's card recommends.
    """

    kind: Literal["look"] = "look"
    run: int
    picture: int = Field(ge=0)
    target: int = Field(ge=0)
    layer: str | None = None
    algorithm: Algorithm = "gradcam"


Spec = Annotated[RunSpec | GoldSpec | MeasureSpec | Look, Field(discriminator="kind")]
SPEC: TypeAdapter[RunSpec | GoldSpec | MeasureSpec | Look] = TypeAdapter(Spec)


class Phase(NamedTuple):
    """One stretch of a run: how many optimiser steps are planned and made, and the seconds that they took."""

    name: str
    steps: int
    done: int
    seconds: float


class Progress(NamedTuple):
    """How far a run is. `doing` is the phase in hand, or what happens after the last one ("measuring")."""

    phases: tuple[Phase, ...]
    doing: str
    pictures_per_second: float | None


class Point(NamedTuple):
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
