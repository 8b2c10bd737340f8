"""What the validation of an uploaded checkpoint found."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from unlearn_core.domain.results.metrics import SplitAccuracies
from unlearn_core.domain.results.result import Result


class ShapeMismatch(NamedTuple):
    """A tensor whose shape is not the one that the architecture needs."""

    name: str
    expected: Sequence[int]
    found: Sequence[int]


class MismatchCounts(NamedTuple):
    """How many tensors the file lacks, has beyond those of the architecture, and has in another shape."""

    missing: int
    unexpected: int
    shapes: int


class CheckpointResult(Result, part="checkpoint"):
    """Whether a checkpoint fits the architecture that it was uploaded for, and how accurate it is.

    Of the names of each kind, only the first ones are stored; `counts` counts all.
    """

    fits: bool
    """Whether it has every weight of the architecture."""
    tensors: int
    """The number of tensors in the file."""
    ignored: Sequence[str]
    """Names in the file that are not tensors."""
    missing: Sequence[str]
    unexpected: Sequence[str]
    shape_mismatches: Annotated[Sequence[ShapeMismatch], Field(alias="shapes")]
    counts: MismatchCounts
    reason: Annotated[str, Field(alias="why")]
    """Why it does not fit, as a sentence; "" if it does."""
    accuracies: SplitAccuracies | None = None
    """None if it does not fit."""
    classifier: str | None = None
    """The id of the classifier that it becomes; None if it does not fit."""
