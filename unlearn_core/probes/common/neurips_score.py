"""The score of the NeurIPS 2023 challenge: how well can an attacker tell unlearned from retrained models?

For each image of the forget set, every model gives one number, phi = log(p_y / (1 - p_y)). With N unlearned and N
retrained models, the best of many simple attacks on the two sets of numbers gives a lower bound on the image's epsilon,
in the sense of differential privacy: 0 where no attack can tell the two apart. Small epsilons earn points H. The score
is their mean, times the accuracy of the unlearned models relative to the retrained models.

H is not 1 for perfect unlearning: the best of thousands of attacks always finds something by chance, so two ensembles
of retrained models get about 0.2. A score is only meaningful beside that ceiling, measured with the same N.

Source: Triantafillou et al., "Are we making progress in unlearning?", 2024 (2406.09073), and the organisers' notebook
with its description of the metric; grids, ties and buckets follow it.
"""

from typing import NamedTuple

import numpy as np

from unlearn_core.probes.common.statistics import softmax

REVISION = 1
"""Raise it when a change gives other scores for the same logits: earlier scores are then outdated."""
TINY = 1e-45
DELTA = 1e-5
MAX_EPSILON = 50.0
"""The epsilon of two sets that an attack separates without error; no epsilon is larger."""
BUCKET_WIDTH = 0.5
"""The width of a bucket of epsilons: each bucket earns half the points of the one before."""
THRESHOLDS_PER_UNIT = 100
"""Thresholds per unit of phi."""
INTERVAL_REACH = 2.0
"""How far beyond the narrower set the ends of an interval are searched."""
MIN_RANGE_RATIO = 0.01
"""Sets whose ranges differ by more than this factor are distinguishable by that alone."""


class Score(NamedTuple):
    """The score and its factors: forgetting, and accuracies relative to gold on retain set and test images."""

    epsilons: np.ndarray
    """(S,) in [0, 50]; nan where no attack can be counted."""
    forgetting: float
    retain: float
    test: float

    @property
    def final(self) -> float:
        """Forgetting, times accuracy relative to gold on training images of the retain set and on test images."""
        return self.forgetting * self.retain * self.test


def phi(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the number (..., S) float64 that attacks use, from logits (..., S, C) and labels (S,)."""
    shares = softmax(logits)
    own = np.take_along_axis(shares, np.broadcast_to(labels[:, None], (*shares.shape[:-1], 1)), -1)[..., 0]
    shares[..., np.arange(len(labels)), labels] = 0.0
    return np.log(own + TINY) - np.log(shares.sum(-1) + TINY)


def neurips_score(
    unlearned: np.ndarray, golds: np.ndarray, *, retain: tuple[float, float], test: tuple[float, float]
) -> Score:
    """Return the score of unlearned models against golds, from phi (N, S) of each.

    `retain` and `test` are the mean accuracies (fractions) of the unlearned models and of the golds.
    """
    found = epsilons(unlearned, golds)
    return Score(found, mean_bucket_points(found, len(unlearned)), retain[0] / retain[1], test[0] / test[1])


def epsilons(unlearned: np.ndarray, golds: np.ndarray) -> np.ndarray:
    """Return the epsilon (S,) of every image from phi (N, S) of unlearned models and of golds."""
    return np.array([epsilon(ours, theirs) for ours, theirs in zip(unlearned.T, golds.T, strict=True)])


def epsilon(unlearned: np.ndarray, golds: np.ndarray) -> float:
    """Return one image's epsilon from phi of N unlearned models and N golds; nan where no attack can be counted."""
    positive, negative = np.sort(unlearned), np.sort(golds)
    if np.median(negative) > np.median(positive):
        positive, negative = negative, positive
    ranges = np.ptp(positive), np.ptp(negative)
    if max(ranges) == 0:
        return 0.0 if positive[0] == negative[0] else MAX_EPSILON
    if min(ranges) / max(ranges) < MIN_RANGE_RATIO:
        return MAX_EPSILON
    peaky, other = (positive, negative) if ranges[0] < ranges[1] else (negative, positive)
    found = np.concatenate([_by_threshold(positive, negative), _by_interval(peaky, other)])
    return float(np.clip(found.max(), 0.0, MAX_EPSILON)) if len(found) else float("nan")


def bucket_points(values: np.ndarray, num_models: int) -> np.ndarray:
    """Return H (S,) of epsilons (S,): 1 in the first bucket, half in each next, 0 beyond what N models can show."""
    return np.where(values < last_bucket(num_models), 2.0 ** -np.floor(values / BUCKET_WIDTH), 0.0)


def last_bucket(num_models: int) -> float:
    """Return the epsilon from which on this many models earn nothing: they cannot show more."""
    return float(np.ceil(np.log(num_models - 1)))


def mean_bucket_points(values: np.ndarray, num_models: int) -> float:
    """Return the mean H over the images that have an epsilon; nan where none has."""
    known = values[~np.isnan(values)]
    return float(bucket_points(known, num_models).mean()) if len(known) else float("nan")


def standard_error(values: np.ndarray, num_models: int) -> float:
    """Return the standard error of the mean H over images; nan with fewer than two."""
    known = bucket_points(values[~np.isnan(values)], num_models)
    return float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else float("nan")


def _by_threshold(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Return the epsilon of every attack that predicts positive from a threshold on; both sets are sorted."""
    low: float = min(positive[0], negative[0])
    high: float = max(positive[-1], negative[-1])
    thresholds = np.linspace(low, high, int(np.ceil(THRESHOLDS_PER_UNIT * (high - low))))
    false_positive = 1 - np.searchsorted(negative, thresholds, "left") / len(negative)
    false_negative = np.searchsorted(positive, thresholds, "left") / len(positive)
    return _bounds(false_positive, false_negative)


def _by_interval(peaky: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the epsilon of every attack that predicts positive in an interval about as wide as the narrower set."""
    low: float = peaky[0]
    high: float = peaky[-1]
    count = int(2 * INTERVAL_REACH * THRESHOLDS_PER_UNIT)
    right = np.linspace(high - INTERVAL_REACH, high + INTERVAL_REACH, count)[:, None]
    left = right - (high - low) + np.linspace(-INTERVAL_REACH, INTERVAL_REACH, count)
    return _bounds(_within(other, left, right).ravel(), 1 - _within(peaky, left, right).ravel())


def _within(values: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the share of sorted values (N,) in each interval [left (R, L), right (R, 1)]."""
    inside = np.searchsorted(values, right, "right") - np.searchsorted(values, left, "left")
    return np.maximum(inside, 0) / len(values)


def _bounds(false_positive: np.ndarray, false_negative: np.ndarray) -> np.ndarray:
    """Return the epsilon of attacks from their false positive and false negative rates, without uncountable ones.

    An attack with only one kind of error was evaluated on too few models; one without any error is certain.
    """
    certain = (false_positive == 0) & (false_negative == 0)
    both = (false_positive > 0) & (false_negative > 0)
    false_positive, false_negative = false_positive[both], false_negative[both]
    with np.errstate(divide="ignore"):
        found = np.maximum(
            np.log(np.maximum(1 - DELTA - false_positive, 0)) - np.log(false_negative),
            np.log(np.maximum(1 - DELTA - false_negative, 0)) - np.log(false_positive),
        )
    return np.concatenate([np.maximum(found, 0), np.full(int(certain.any()), np.inf)])
