"""What the models predict: accuracies, confusion matrices, and the distribution of predictions.

Models are "before", "after", "gold" and "twin" (a second retrained model); sets are the fields of `Split`.
"""

from collections.abc import Mapping, Sequence
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


class AccuracyResult(Result, part="accuracy", root="scores"):
    """The score of each model on each of the six sets; a set without images has the total 0."""

    scores: Mapping[str, Mapping[str, Score]]
    """By model and set."""


class ConfusionResult(Result, part="confusion", root="scores"):
    """The predictions on all test images, by true class."""

    scores: Mapping[str, Sequence[Score]]
    """By model, one per class."""
    matrices: Annotated[ArrayByKey, Stored("{}")]
    """By model: counts (C, C) float32, the true class by row and the predicted class by column."""
