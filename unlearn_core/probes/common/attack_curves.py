"""Attack curves: how many members an attack finds at each false positive rate, and whether it finds more than another.

Interval and paired difference of the AUC: DeLong, DeLong & Clarke-Pearson, Biometrics 1988.
"""

from collections.abc import Mapping
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from unlearn_core.domain.results.privacy import AttackCurve, AttackedSide, AucDifference
from unlearn_core.probes.common.statistics import wilson_interval

FALSE_POSITIVE_RATE = 0.01
POINTS = 60
"""Points of a curve, evenly spaced on a logarithmic axis."""
PAIRS = {"after-before": ("after", "before"), "after-gold": ("after", "gold"), "gold-before": ("gold", "before")}
"""The models whose exposure is compared, image by image."""
_Z = NormalDist().inv_cdf(0.975)


class MatchedImages(NamedTuple):
    """Members (n,) and non-members (n,), equally many of each class, as ascending positions in the data set."""

    members: np.ndarray
    non_members: np.ndarray


class Estimate(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


class Placements(NamedTuple):
    """The share of non-members that each member (n,) ranks above, and of members above each non-member (m,)."""

    of_members: np.ndarray
    of_non_members: np.ndarray


def match_classes(
    labels: np.ndarray, members: np.ndarray, others: np.ndarray, rng: np.random.Generator
) -> MatchedImages:
    """Return equally many of both per class; the larger side of a class is sampled. `labels` are of the data set."""
    ours, theirs = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for label in np.unique(labels[members]):
        inside, outside = members[labels[members] == label], others[labels[others] == label]
        count = min(len(inside), len(outside))
        ours.append(rng.choice(inside, count, replace=False))
        theirs.append(rng.choice(outside, count, replace=False))
    return MatchedImages(np.sort(np.concatenate(ours)), np.sort(np.concatenate(theirs)))


def found_at(members: np.ndarray, non_members: np.ndarray, false_positives: int) -> np.ndarray:
    """Return which members (n,) bool score above all but so many of the non-members (m,), fewer than m."""
    return members > np.sort(non_members)[len(non_members) - 1 - false_positives]


def curve_steps(count: int) -> np.ndarray:
    """Return the numbers of false positives at which a curve of so many non-members is stored: 1 to `count` - 1."""
    return np.unique(np.geomspace(1, count - 1, POINTS).round().astype(int))


def attack_curve(members: np.ndarray, non_members: np.ndarray) -> np.ndarray:
    """Return the share of members (n,) found at each of `curve_steps` of the non-members (m,): float32, 0 to 1."""
    steps = curve_steps(len(non_members))
    return np.array([found_at(members, non_members, int(step)).mean() for step in steps], np.float32)


def placements(members: np.ndarray, non_members: np.ndarray) -> Placements:
    """Return the placements of scores (n,) among (m,) and the reverse; ties count half."""
    return Placements(_share_below(members, non_members), 1 - _share_below(non_members, members))


def _share_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    ordered = np.sort(others)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2 / len(others)


def auc_estimate(placed: Placements) -> Estimate:
    """Return the AUC, within 0 to 1; there are at least two of either side."""
    value, half = float(placed.of_members.mean()), _Z * _error(placed)
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def auc_difference(one: Placements, other: Placements) -> Estimate:
    """Return the AUC of one attack minus that of another on the same images."""
    both = Placements(*(ours - theirs for ours, theirs in zip(one, other, strict=True)))
    value, half = float(both.of_members.mean()), _Z * _error(both)
    return Estimate(value, value - half, value + half)


def _error(placed: Placements) -> float:
    return float(np.sqrt(sum(own.var(ddof=1) / len(own) for own in placed)))


def attacked_side(scores: Mapping[str, MatchedImages]) -> AttackedSide:
    """Return the figures of all models on one side, from the scores of the same images."""
    count = len(next(iter(scores.values())).non_members)
    limit = int(FALSE_POSITIVE_RATE * count)
    found = {model: found_at(*own, limit) for model, own in scores.items()}
    placed = {model: placements(*own) for model, own in scores.items()}
    differences: dict[str, AucDifference] = {}
    for pair, (one, other) in PAIRS.items():
        if one in scores and other in scores:
            difference = auc_difference(placed[one], placed[other])
            newly, no_longer = found[one] & ~found[other], found[other] & ~found[one]
            differences[pair] = AucDifference(
                difference=difference.value,
                low=difference.low,
                high=difference.high,
                newly_found=int(newly.sum()),
                no_longer_found=int(no_longer.sum()),
            )
    return AttackedSide(
        num_members=count,
        num_false_positives=limit,
        models={model: _curve(auc_estimate(placed[model]), own) for model, own in found.items()},
        differences=differences,
    )


def _curve(auc: tuple[float, float, float], found: np.ndarray) -> AttackCurve:
    value, low, high = auc
    share = wilson_interval(int(found.sum()), len(found))
    return AttackCurve(
        auc=value, auc_low=low, auc_high=high, found=float(found.mean()), found_low=share.low, found_high=share.high
    )
