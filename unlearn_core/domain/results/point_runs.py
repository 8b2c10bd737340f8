"""Runs on points in the plane for the playground: small enough to be made while a visitor waits."""

from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from unlearn_core.domain.forget_request import Forget, fingerprint

MAX_DRAWN = 300
"""The most points that a visitor can draw."""

OWN_POINTS = ""
"""The data set of a run that has only drawn points."""

OWN_CLASSES = ("blue", "orange", "green", "purple")
"""The classes of drawn points without a data set."""

MIN_PER_CLASS = 3
"""The fewest drawn points of a class without a data set, and of two classes at least."""

REVISION = 1
"""Raise it if a change alters the frames of the same run: those made earlier then count as outdated."""


class DrawnPoint(NamedTuple):
    """A point that a visitor drew: `x` and `y` from 0 to 255, and its class by index."""

    x: int
    y: int
    label: int


class PointsSpec(BaseModel):
    """One model of the playground, all that is needed to make it again, and the frames of how it was made.

    `part` says which one: the original ("train"), the unlearned model ("unlearn"), or the retrained one ("retrain").
    `dataset` is a data set of points, or OWN_POINTS; the `drawn` points follow its training points. `forget` gives
    training points by their position. An original forgets nothing; only an unlearned model has a method.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["points"] = "points"
    part: Literal["train", "unlearn", "retrain"]
    dataset: str = Field(max_length=80)
    drawn: tuple[DrawnPoint, ...] = Field(default=(), max_length=MAX_DRAWN)
    forget: Forget | None = None
    method: str = ""
    params: dict[str, Any] = {}
    seed: int = Field(default=0, ge=0, lt=2**31)
    revision: str = ""
    """The revisions of the frames and of the method."""

    def fingerprint(self) -> str:
        """A hash that equal specifications share; results are stored under it."""
        return fingerprint(self)

    @property
    def original(self) -> "PointsSpec":
        """The model that this one starts from."""
        return PointsSpec(part="train", dataset=self.dataset, drawn=self.drawn, revision=str(REVISION))

    @property
    def retrained(self) -> "PointsSpec":
        """The model trained without the forget set."""
        return self.original.model_copy(update={"part": "retrain", "forget": self.forget})
