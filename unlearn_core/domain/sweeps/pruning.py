"""Early stopping of trials: the median rule, between trials of one sweep at the same phase and step.

The rule is Golovin et al.'s (Google Vizier, KDD 2017, section 3.2.2), with three changes. Different phases are
never compared: a trial looks hopeless after "impair" and before "repair". A trial is stopped only if it is behind in
every objective, since the best trial in either objective is useful. And it must be behind by more than the sampling
error on a few monitored images.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from unlearn_core.domain.run import CurvePoint
from unlearn_core.domain.sweeps.sweep import ObjectiveId

MIN_FINISHED_TRIALS = 5
"""Finished trials that must have passed the same point before a median is used."""
ACCURACY_MARGIN = 0.1
"""How far behind an accuracy must be: about the 95 % interval for the 50 to 80 monitored images."""
MAX_SLOWDOWN = 1.5
"""How many times as long a trial must have taken."""


class GoldAccuracy(NamedTuple):
    """The retrained model's accuracies (0 to 1) on the forget set and the retain set."""

    forget: float
    retain: float


def pruning_reason(
    objectives: Sequence[ObjectiveId],
    own_curve: Sequence[CurvePoint],
    finished_curves: Sequence[Sequence[CurvePoint]],
    *,
    gold: GoldAccuracy | None = None,
) -> str | None:
    """Why a trial with this curve so far should stop, in a sentence; None if it should go on or this is unknown."""
    if not own_curve or (place := _place(own_curve)) == 0:
        return None
    now = own_curve[-1]
    beside = [point for curve in finished_curves if (point := _at(curve, now.phase, place)) is not None]
    if len(beside) < MIN_FINISHED_TRIALS:
        return None
    reasons: list[str] = []
    for name in objectives:
        own = _loss(name, now, gold)
        others = [found for point in beside if (found := _loss(name, point, gold)) is not None]
        if own is None or len(others) < MIN_FINISHED_TRIALS:
            return None
        middle = median(others)
        if not (own > MAX_SLOWDOWN * middle if name == "seconds" else own > middle + ACCURACY_MARGIN):
            return None
        reasons.append(_WORDS[name])
    where = f"at step {place} of {now.phase}"
    return f"Stopped early {where}: {' and '.join(reasons)} than the median of {len(beside)} finished trials."


def _place(curve: Sequence[CurvePoint]) -> int:
    """How many steps of its last phase a curve has completed."""
    return curve[-1].step - next(point.step for point in curve if point.phase == curve[-1].phase)


def _at(curve: Sequence[CurvePoint], phase: str, place: int) -> CurvePoint | None:
    """A curve's point after this many steps of the phase, interpolated where needed; None if it never got there."""
    inside = [point for point in curve if point.phase == phase]
    if not inside:
        return None
    first = inside[0].step
    for one, other in pairwise(inside):
        if one.step - first <= place <= other.step - first and other.step > one.step:
            share = (place + first - one.step) / (other.step - one.step)
            mixed = [(1 - share) * getattr(one, name) + share * getattr(other, name) for name in _MIXED]
            return CurvePoint(place + first, mixed[0], phase, mixed[1], mixed[2])
    return None


_MIXED = ("seconds", "forget", "retain")


def _loss(name: ObjectiveId, point: CurvePoint, gold: GoldAccuracy | None) -> float | None:
    """A point's loss for an objective: lower is better; None if the curve does not determine it."""
    if name == "seconds":
        return point.seconds
    if name == "forget":
        return point.forget
    if name == "retain":
        return 1 - point.retain
    if gold is None:
        return None
    return abs(point.forget - gold.forget) + abs(point.retain - gold.retain)


_WORDS: dict[ObjectiveId, str] = {
    "distance": "its accuracies were further from the retrained model's",
    "privacy": "its accuracies were further from the retrained model's",
    "retain": "its retain accuracy was lower",
    "forget": "its forget accuracy was higher",
    "seconds": "it took longer",
}
