"""What the models predict: accuracies, confusion matrices, and the distribution of predictions.

Models are "before", "after", "gold" and "twin" (a second retrained model); sets are the fields of `Split`.
"""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Annotated, Literal, get_args

from pydantic import Field

from unlearn_core.domain.results.result import Array, ArrayByKey, Number, Record, Result, Stored

Third = Literal["low", "middle", "high"]
"""The thirds of the training images of a data set by their memorisation."""
THIRDS: Sequence[Third] = get_args(Third)


class Score(Record):
    """Correct predictions on some images: their share (0 to 1) and its 95 % Wilson interval, nan without images."""

    correct: Annotated[int, Field(alias="right")]
    total: Annotated[int, Field(alias="of")]
    accuracy: Number
    low: Number
    high: Number
    balanced: Number = nan
    """The balanced accuracy (0 to 1) where the data set's classes are very unequal and these images are of several."""


class AccuracyResult(Result, part="accuracy", root="scores"):
    """The score of each model on each of the six sets; a set without images has the total 0.

    While a run is being measured, a set that was not evaluated yet is left out.
    """

    scores: Mapping[str, Mapping[str, Score]]
    """By model and set."""


class ConfusionResult(Result, part="confusion", root="scores"):
    """The predictions on all test images, by true class."""

    scores: Mapping[str, Sequence[Score]]
    """By model, one per class."""
    matrices: Annotated[ArrayByKey, Stored("{}")]
    """By model: counts (C, C) float32, the true class by row and the predicted class by column."""


class InterclassConfusionResult(Result, part="interclass_confusion"):
    """What wrong training labels leave: on n test images of the confused classes, and on the mislabelled images.

    Every mapping is by model. In `confused` and `memorized`, `correct` of a score counts predictions of a wrong label.
    """

    classes: Sequence[int]
    """The classes whose training images have wrong labels."""
    num_mislabelled: int
    """The training images with a wrong label."""
    num_forgotten: int
    """How many of these are in the forget set."""
    accuracy: Mapping[str, Score]
    """The test images that are classified correctly."""
    by_class: Mapping[str, Sequence[Score]]
    """The same, one for each of `classes`."""
    confused: Mapping[str, Score]
    """The test images that are predicted as the class whose label training images of their class have."""
    memorized: Mapping[str, Score]
    """The mislabelled images in the forget set whose prediction is their wrong label."""
    correct: Annotated[ArrayByKey, Stored("{}_correct")]
    """1 where a test image is classified correctly, else 0 (n,) uint8."""
    taken_for_other: Annotated[ArrayByKey, Stored("{}_confused")]
    """1 where a test image counts in `confused`, else 0 (n,) uint8."""


class PredictedClasses(Record):
    """How often one model predicts each class for some images."""

    counts: Sequence[int]
    """By class."""
    entropy: float | None
    """Evenness: the entropy of the counts as a share of the maximum, 0 (all in one class) to 1 (even).

    Without the classes that were forgotten; None where no other class is predicted, or only one is possible.
    """
    top: float
    """The share of the most frequent class, 0 to 1."""


class DistanceToGold(Record):
    """How far two models and a second gold are from gold: 0 is equal; nan where one of the two does not exist."""

    before: Number
    after: Number
    between_golds: Annotated[Number, Field(alias="spread")] = nan
    """From one gold to the other, which has another seed; the first releases did not measure it."""

    @property
    def by_model(self) -> Mapping[str, float]:
        """The same by "before", "after" and, for the second gold, "twin"."""
        return {"before": self.before, "after": self.after, "twin": self.between_golds}


class PredictionsResult(Result, part="predictions"):
    """The classes predicted for the forget set, by set: one without images is left out."""

    sets: Mapping[str, Mapping[str, PredictedClasses]]
    """By set and model."""
    total_variation: Mapping[str, DistanceToGold]
    """By set: the share of predictions that would have to change for two distributions to be equal, 0 to 1."""


class DifficultyResult(Result, part="difficulty"):
    """How hard the n training images of the forget set are to forget, and what each model makes of them."""

    num_models: int
    """How many models of random halves the memorisation is estimated from."""
    bounds: Sequence[float]
    """The memorisation between which the middle third of all training images of the data set lies."""
    thirds: Mapping[Third, Mapping[str, Score]]
    """The score of each model on the forget images of each third; a third without any has the total 0."""
    entanglement: Number
    """The entanglement score of the forget set in the features of the original model, at least 0; nan if undefined."""
    random: Sequence[Number]
    """The 5 %, 50 % and 95 % quantiles of the entanglement score of random sets of the same size."""
    images: Annotated[Array, Stored("images")]
    """The forget images, as places in the data set (n,) int32."""
    memorisation: Annotated[Array, Stored("memorisation")]
    """The memorisation of each (n,) float32, -1 to 1."""
    error: Annotated[Array, Stored("error")]
    """Its standard error (n,) float32."""
