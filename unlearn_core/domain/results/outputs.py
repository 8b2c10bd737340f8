"""How the outputs of the models differ from gold's or from an untrained model's, and the logits that they are made of.

Models are "before", "after", "gold" and "twin" (a second retrained model); sets are the fields of `Split`.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from statistics import fmean
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from unlearn_core.domain.results.predictions import DistanceToGold
from unlearn_core.domain.results.result import Array, ArrayByKey, Record, Result, Stored


class DistanceResult(Result, part="distance"):
    """The mean Jensen-Shannon divergence of the outputs from gold's, in bits: 0 is equal, 1 is disjoint."""

    sets: Mapping[str, DistanceToGold]
    """By set: one without images is left out."""
    overall: Annotated[Mapping[str, DistanceToGold], Field(alias="distance")]
    """By split, "val" (for tuning) or "test" (for reporting): the mean over training images of the forget set and
    images of the retain set from this split."""


class Agreement(Record):
    """How often two models predict the same class: the images, their share (0 to 1) and its 95 % Wilson interval."""

    same: int
    share: float
    low: float
    high: float


class GoldComparison(Record):
    """Distances between models on one set: by pair, "before-gold", "after-gold" or "gold-twin" (two golds).

    They are None where one of the models does not exist, or where the metric is undefined.
    """

    images: Annotated[int, Field(alias="pictures")]
    """The number of images."""
    values: Mapping[str, Mapping[str, float | None]]
    """By metric and pair; 0 is equal.

    "activation" (mean L2 distance of the probabilities, 0 to sqrt 2); "disagreement" (share of images, 0 to 1); and, of
    the logit of the true class, the margin and the entropy, "ks true", "ks margin", "ks entropy" (0 to 1) and
    "wasserstein true", "wasserstein margin" (in logits), "wasserstein entropy" (in nats).
    """
    agreement: Mapping[str, Agreement | None]
    """By pair."""


class ClosenessResult(Result, part="closeness"):
    """How close the outputs are to gold's by several metrics."""

    sets: Mapping[str, GoldComparison]
    """By set: one without images is left out."""
    reasons: Mapping[str, str]
    """Why values are missing, as sentences: by pair, set, "set, model" or "set, quantity"."""


class LogitsResult(Result, part="logits"):
    """Four figures of each image by model, each (N,) float32 in the data set's order."""

    true_logit: Annotated[ArrayByKey, Stored("{}_true")]
    """The logit of the true class."""
    top_logit: Annotated[ArrayByKey, Stored("{}_top")]
    """The largest logit."""
    margin: Annotated[ArrayByKey, Stored("{}_margin")]
    """The logit of the true class minus the largest other one: negative where the prediction is wrong."""
    entropy: Annotated[ArrayByKey, Stored("{}_entropy")]
    """Of the softmax outputs, in nats."""


class ZrfValues(Record):
    """Zero Retrain Forgetting of one model: 1 is outputs like those of random weights; None where undefined."""

    proper: float | None
    """With the Jensen-Shannon divergence in bits, 0 to 1."""
    official: float | None
    """As the published code computes it: at most 1, without a lower bound."""


class ZrfResult(Result, part="zrf"):
    """How closely the outputs on the forget set resemble those of an untrained model."""

    images: Annotated[int, Field(alias="pictures")]
    """The number of images that were evaluated."""
    evenness: float | None
    """The untrained model's mean entropy as a share of the maximum, 0 to 1; None where there is a single class."""
    models: Mapping[str, ZrfValues]
    reasons: Mapping[str, str]
    """Why a value is None, as a sentence, by model."""


class FurtherGolds(Result, part="further_golds"):
    """The logits of more golds from other seeds, on validation and test images and training images of the forget set.

    They show how much golds vary by chance. Their weights are not stored.
    """

    numbers: Sequence[int]
    """Which golds they are: gold is number 0, and twin number 1."""
    rows: Annotated[Array, Stored("rows")]
    """The images (M,), as places in the data set, ascending."""
    logits: Annotated[Array, Stored("logits")]
    """One for each gold: (golds, M, classes) float16."""

    def covers(self, rows: np.ndarray) -> bool:
        """Return whether the outputs of all these images are there."""
        return bool(np.isin(rows, self.rows).all())

    def on(self, rows: np.ndarray) -> np.ndarray:
        """Return the logits (golds, rows, classes) float32 of images that are covered."""
        return self.logits[:, np.searchsorted(self.rows, rows)].astype(np.float32)

    def from_number(self, first: int, rows: np.ndarray) -> dict[int, np.ndarray]:
        """Return the logits (rows, classes) float32 of the golds from a number on: outputs of lower ones are known.

        The second gold is number 1: its outputs ship, and it may have been trained on this machine as well.
        """
        return {number: logits for number, logits in zip(self.numbers, self.on(rows), strict=True) if number >= first}


Part = Literal["forget_train", "retain_train", "retain_test", "non_members"]
"""A share that summary scores are made of: the accuracy on a set, or the forget images identified as non-members."""
ACCURACY_PARTS: Sequence[Part] = ("forget_train", "retain_train", "retain_test")


def tug_of_war(gaps: Iterable[float]) -> float:
    """Return the product of 1 - gap, from the gaps to gold (0 to 1) of three shares: 1 is like gold, and 0 unlike."""
    return prod(1 - gap for gap in gaps)


class SummaryScoresResult(Result, part="summary_scores"):
    """The shares that summary scores are made of, each 0 to 1, and the scores: how far a model is from gold."""

    shares: Mapping[str, Mapping[Part, float]]
    """By model: "before", "after", "gold", and "twin" if it was evaluated on all images."""

    def gaps(self, model: str) -> Mapping[Part, float]:
        """Return the distance of each share from that of gold, 0 to 1."""
        return {part: abs(share - self.shares["gold"][part]) for part, share in self.shares[model].items()}

    def tug_of_war(self, model: str) -> float:
        """Return the tug of war by accuracy, 0 to 1."""
        return tug_of_war(self.gaps(model)[part] for part in ACCURACY_PARTS)

    def tug_of_war_mia(self, model: str) -> float:
        """Return the tug of war with the membership attack in place of the accuracy on the forget set, 0 to 1."""
        return tug_of_war(gap for part, gap in self.gaps(model).items() if part != "forget_train")

    def average_gap(self, model: str) -> float:
        """Return the mean of all gaps, 0 to 1."""
        return fmean(self.gaps(model).values())


class KlomResult(Result, part="klom"):
    """The KL divergence of margins (KLoM) of N unlearned models, and of N other golds, from N golds."""

    num_models: int
    """N."""
    divergences: Annotated[ArrayByKey, Stored("{}_klom")]
    """By "after" and "ceiling" (the other golds): KLoM of each forget image in nats, (S,) float32, at least 0."""
    margins: Annotated[ArrayByKey, Stored("{}_margin")]
    """By "gold", "after" and "ceiling": the mean margin of each forget image over the models, (S,) float32."""
