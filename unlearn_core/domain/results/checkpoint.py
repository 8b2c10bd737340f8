"""What the validation of an uploaded checkpoint found."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from unlearn_core.domain.results.metrics import SplitAccuracies
from unlearn_core.domain.results.result import Result

SIGNIFICANCE = 0.01
"""A checkpoint fits, and another order of classes is better, if chance gives such a result less often than this."""
MIN_REORDER_GAIN = 0.1
"""Another order of the classes is offered only if it raises the accuracy by so much, 0 to 1."""

BY_ORDER = "by order and shape"
"""How names were matched where no spelling is known."""

RGB = tuple[float, float, float]


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


class NormalizationTrial(NamedTuple):
    """The accuracy (0 to 1) with one normalisation of the input; None if it was not measured."""

    title: str
    mean: RGB
    std: RGB
    accuracy: float | None


class AccuracyTest(NamedTuple):
    """The exact binomial test of whether a model is better than always predicting the most frequent class."""

    split: Literal["val", "test"]
    images: int
    correct: int
    most_frequent: float
    """The share of the most frequent class among these images, 0 to 1."""
    p_value: float
    """The probability of so many correct predictions or more, if each is correct with the probability of that share."""

    @property
    def passed(self) -> bool:
        return self.p_value < SIGNIFICANCE


class ClassOrder(NamedTuple):
    """Another order of the classes, by which the model's outputs match the labels better.

    It was found on one half of the validation images and tested on the other one; all numbers are of the other one.
    """

    order: Sequence[int]
    """For each class of the data set, the output that predicts it."""
    before: float
    """The accuracy with the outputs as they are, 0 to 1."""
    after: float
    p_value: float
    """Of McNemar's exact test, one-sided."""
    applied: bool = False

    @property
    def is_better(self) -> bool:
        return self.p_value < SIGNIFICANCE and self.after - self.before >= MIN_REORDER_GAIN


class Entry(NamedTuple):
    """An entry of the file that holds weights, such as those that were averaged during training."""

    name: str
    tensors: int


class CheckpointResult(Result, part="checkpoint"):
    """Whether a checkpoint fits an architecture, and how accurate it is.

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

    architecture: str = ""
    """The title of the architecture that fits, or else of the nearest one; "" in results of former releases."""
    architecture_found: bool = False
    """Whether it was found from the file, instead of chosen."""
    alternatives: Sequence[tuple[str, float]] = ()
    """Other ways in which the file fits, and their accuracies, 0 to 1."""
    matched: str = ""
    """How names were matched, such as "names as they are" or "by order and shape"."""
    one_channel: bool = False
    """Whether the file's first layer takes one channel, so that its weights were repeated over three."""
    normalization: NormalizationTrial | None = None
    """The normalisation that was used."""
    trials: Sequence[NormalizationTrial] = ()
    """All normalisations that were tried; empty if the user chose one."""
    trial_images: int = 0
    """How many images they were tried on."""
    trial_split: Literal["train", "val"] = "val"
    accuracy_test: AccuracyTest | None = None
    """None without validation and test images, and in results of former releases."""
    class_order: ClassOrder | None = None
    """Another order of the classes that is clearly better; None if there is none."""
    entry: str = ""
    """The entry of the file that was read; "" for the file itself."""
    entries: Sequence[Entry] = ()
    """All entries of the file that hold weights."""

    @property
    def is_proved(self) -> bool:
        """Whether it fits and is better than always predicting the most frequent class."""
        return self.fits and self.accuracy_test is not None and self.accuracy_test.passed
