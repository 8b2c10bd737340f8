"""The score of the NeurIPS 2023 challenge: how well could one tell unlearned nets from golds by their answers?

For each forgotten picture every net gives one number, phi = log(p_y / (1 - p_y)). With N unlearned nets and N golds
the best of many simple attacks on the two sets of numbers bounds the picture's epsilon from below, as differential
privacy has it: 0 where no attack can tell them apart. Small epsilons earn points H, and the score is their mean, times
how accurate the unlearned nets are beside the golds.

H is not 1 for perfect unlearning: the best of thousands of attacks always finds something by chance, so that two
populations of golds get about 0.2. A score says something only beside that ceiling, taken at the same N.

Source: Triantafillou et al., "Are we making progress in unlearning?", 2024 (2406.09073), and the organisers' notebook
with its description of the metric, whose grids, ties and buckets are followed here.
"""

from typing import NamedTuple

import numpy as np

REVISION = 1
"""Raise it when a change gives other scores for the same logits: what was measured before is then outdated."""
TINY = 1e-45
DELTA = 1e-5
MAX_EPSILON = 50.0
"""The epsilon of two sets that are told apart without a mistake; no epsilon is larger."""
BUCKET_WIDTH = 0.5
"""The width of a bucket of epsilons: each earns half of what the one before it does."""
THRESHOLDS_PER_UNIT = 100
"""Thresholds a unit of phi."""
INTERVAL_REACH = 2.0
"""How far beyond the narrower set the ends of an interval are sought."""
MIN_RANGE_RATIO = 0.01
"""Sets whose ranges differ by more than this factor are told apart by that alone."""


class Score(NamedTuple):
    """The score and what it is made of; `error` is the standard error of the mean over pictures."""

    epsilons: np.ndarray
    """(S,) in [0, 50]; not a number where no attack was to be counted."""
    forgetting: float
    retain: float
    test: float

    @property
    def final(self) -> float:
        """Forgetting, times accuracy relative to gold on kept training pictures and on unseen ones."""
        return self.forgetting * self.retain * self.test


def phi(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The number (..., S) float64 that attacks look at, from logits (..., S, C) and labels (S,)."""
    raised = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    shares = raised / raised.sum(-1, keepdims=True)
    own = np.take_along_axis(shares, np.broadcast_to(labels[:, None], (*shares.shape[:-1], 1)), -1)[..., 0]
    shares[..., np.arange(len(labels)), labels] = 0.0
    return np.log(own + TINY) - np.log(shares.sum(-1) + TINY)


def neurips_score(
    unlearned: np.ndarray, golds: np.ndarray, *, retain: tuple[float, float], test: tuple[float, float]
) -> Score:
    """The score of phi (N, S) of unlearned nets against that of golds (N, S).

    `retain` and `test` are the mean accuracies (fractions) of the unlearned nets and of the golds.
    """
    found = epsilons(unlearned, golds)
    return Score(found, mean_bucket_points(found, len(unlearned)), retain[0] / retain[1], test[0] / test[1])


def epsilons(unlearned: np.ndarray, golds: np.ndarray) -> np.ndarray:
    """The epsilon (S,) of every picture from phi of unlearned nets (N, S) and golds (N, S)."""
    return np.array([epsilon(ours, theirs) for ours, theirs in zip(unlearned.T, golds.T, strict=True)])


def epsilon(unlearned: np.ndarray, golds: np.ndarray) -> float:
    """One picture's epsilon from N numbers of unlearned nets and N of golds; nan where no attack is to be counted."""
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
    """H (S,) of epsilons (S,): 1 in the first bucket, half of it in each next, 0 beyond what so many nets can show."""
    return np.where(values < last_bucket(num_models), 2.0 ** -np.floor(values / BUCKET_WIDTH), 0.0)


def last_bucket(num_models: int) -> float:
    """The epsilon from which on so many nets earn nothing: they could not show more."""
    return float(np.ceil(np.log(num_models - 1)))


def mean_bucket_points(values: np.ndarray, num_models: int) -> float:
    """The mean H over the pictures that have an epsilon; nan where none has."""
    known = values[~np.isnan(values)]
    return float(bucket_points(known, num_models).mean()) if len(known) else float("nan")


def standard_error(values: np.ndarray, num_models: int) -> float:
    """The standard error of the mean H over pictures; nan with fewer than two."""
    known = bucket_points(values[~np.isnan(values)], num_models)
    return float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else float("nan")


def _by_threshold(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """The epsilon of every attack that says positive from a threshold on; both sets are sorted."""
    low, high = min(positive[0], negative[0]), max(positive[-1], negative[-1])
    thresholds = np.linspace(low, high, int(np.ceil(THRESHOLDS_PER_UNIT * (high - low))))
    accused = 1 - np.searchsorted(negative, thresholds, "left") / len(negative)
    missed = np.searchsorted(positive, thresholds, "left") / len(positive)
    return _bounds(accused, missed)


def _by_interval(peaky: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The epsilon of every attack that says positive within an interval about as wide as the narrower, sorted set."""
    width = peaky[-1] - peaky[0]
    count = int(2 * INTERVAL_REACH * THRESHOLDS_PER_UNIT)
    right = np.linspace(peaky[-1] - INTERVAL_REACH, peaky[-1] + INTERVAL_REACH, count)[:, None]
    left = right - width + np.linspace(-INTERVAL_REACH, INTERVAL_REACH, count)
    return _bounds(_within(other, left, right).ravel(), 1 - _within(peaky, left, right).ravel())


def _within(values: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The share of sorted values (N,) in each interval [left (R, L), right (R, 1)]."""
    inside = np.searchsorted(values, right, "right") - np.searchsorted(values, left, "left")
    return np.maximum(inside, 0) / len(values)


def _bounds(accused: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """The epsilon of attacks with such rates of false alarms and of misses, without those that cannot be counted.

    An attack that makes only one kind of mistake was tried on too few nets; one that makes none is certain.
    """
    certain = (accused == 0) & (missed == 0)
    both = (accused > 0) & (missed > 0)
    accused, missed = accused[both], missed[both]
    with np.errstate(divide="ignore"):
        found = np.maximum(
            np.log(np.maximum(1 - DELTA - accused, 0)) - np.log(missed),
            np.log(np.maximum(1 - DELTA - missed, 0)) - np.log(accused),
        )
    return np.concatenate([np.maximum(found, 0), np.full(int(certain.any()), np.inf)])
