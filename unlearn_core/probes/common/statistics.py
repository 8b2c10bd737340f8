"""Statistics that several measurements share."""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np


def logit_statistics(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """What is worth knowing of logits (N, C) under labels (N,): each (N,) float64.

    `true` is the label's logit, `top` the largest one, `margin` the label's lead over the best other class (negative
    where the answer is wrong), `entropy` that of the softmax, in nats.
    """
    logits = logits.astype(np.float64)
    rows = np.arange(len(logits))
    true, top = logits[rows, labels], logits.max(axis=1)
    others = logits.copy()
    others[rows, labels] = -np.inf
    shifted = logits - top[:, None]
    log_shares = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    entropy = -(np.exp(log_shares) * log_shares).sum(axis=1)
    return {"true": true, "top": top, "margin": true - others.max(axis=1), "entropy": entropy}


SETS = ("forget_train", "retain_val", "retain_test", "forget_test")


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (N, C) float64 of logits (N, C)."""
    raised = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def js_bits(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The divergence (N,) in bits of two rows of probabilities (N, C); 0 where they are equal, at most 1."""
    middle = (left + right) / 2
    return np.clip((_kl_bits(left, middle) + _kl_bits(right, middle)) / 2, 0.0, 1.0)


def _kl_bits(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """KL(left || right) in bits; what has no probability on the left adds nothing."""
    ratio = np.divide(left, right, out=np.ones_like(left), where=left > 0)
    return (left * np.log2(ratio)).sum(1)


_Z = NormalDist().inv_cdf(0.975)


class Interval(NamedTuple):
    """Where a share lies with 95 % confidence, between 0 and 1."""

    low: float
    high: float


def wilson_interval(correct: int, total: int) -> Interval:
    """The 95 % interval of a share, honest for small sets and for shares near 0 and 1; `of` is at least 1."""
    share, spread = correct / total, _Z**2 / total
    centre = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * sqrt(share * (1 - share) / total + spread / (4 * total))
    # At either end the interval reaches the end itself, but floating point misses it by a hair.
    return Interval(0.0 if correct == 0 else centre - half, 1.0 if correct == total else centre + half)
