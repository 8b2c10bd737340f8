"""What the models predict: accuracies, confusion matrices, and the distribution of predictions.

Models are "before", "after", "gold" and "twin" (a second retrained model); sets are the fields of `Split`.
"""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Annotated

from pydantic import Field

from unlearn_core.domain.results.result import ArrayByKey, Number, Record, Result, Stored


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
