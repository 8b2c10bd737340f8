"""Statistics that several measurements share: of logits, of predicted probabilities, and of shares of images."""

from math import nan, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from scipy import special  # pyright: ignore[reportMissingTypeStubs] -- SciPy has no types.

from unlearn_core.domain.results.explanations import Explanation
from unlearn_core.domain.results.predictions import Score

SETS = ("forget_train", "retain_val", "retain_test", "forget_test")
"""The sets on which outputs are compared with gold's."""

_Z = NormalDist().inv_cdf(0.975)


class Interval(NamedTuple):
    """A 95 % confidence interval of a share, within 0 to 1."""

    low: float
    high: float


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities (..., C) float64 of logits (..., C)."""
    return special.softmax(logits.astype(np.float64), axis=-1)  # pyright: ignore[reportUnknownMemberType] -- No types.


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the log probabilities (..., C) float64 of logits (..., C)."""
    return special.log_softmax(logits.astype(np.float64), axis=-1)  # pyright: ignore[reportUnknownMemberType] -- No types.


def explanation(logits: np.ndarray, target: int, heatmap: np.ndarray) -> Explanation:
    """Return the prediction of one image from its logits (C,), and the peak of its map (h, w) for the target class."""
    shares = softmax(logits)
    predicted = int(shares.argmax())
    return Explanation(
        predicted=predicted,
        probability=float(shares[predicted]),
        target_probability=float(shares[target]),
        peak=float(heatmap.max()),
    )


def js_bits(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the Jensen-Shannon divergence (N,) in bits of probabilities (N, C): 0 is equal, 1 is disjoint."""
    middle = (left + right) / 2
    return np.clip((_kl_bits(left, middle) + _kl_bits(right, middle)) / 2, 0.0, 1.0)


def _kl_bits(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return KL(left || right) in bits; a probability of 0 on the left adds nothing."""
    ratio = np.divide(left, right, out=np.ones_like(left), where=left > 0)
    return (left * np.log2(ratio)).sum(1)


def wilson_interval(correct: int, total: int) -> Interval:
    """Return the 95 % Wilson interval of a share, valid for small sets and near 0 and 1; `total` is at least 1."""
    share, spread = correct / total, _Z**2 / total
    centre = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * sqrt(share * (1 - share) / total + spread / (4 * total))
    # At 0 and 1 the interval reaches the end itself; floating point would miss it slightly.
    return Interval(0.0 if correct == 0 else centre - half, 1.0 if correct == total else centre + half)


def score(correct: int, total: int) -> Score:
    """Return the share of correct predictions, with its 95 % Wilson interval."""
    if total == 0:
        return Score(correct=0, total=0, accuracy=nan, low=nan, high=nan)
    low, high = wilson_interval(correct, total)
    return Score(correct=correct, total=total, accuracy=correct / total, low=low, high=high)
