"""How often each model is right, on all six sets.

Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 1927.
"""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from unlearn_core.domain.report import MODELS, Part, Probe
from unlearn_core.probes.common.context import Scene

_Z = NormalDist().inv_cdf(0.975)


class Interval(NamedTuple):
    """Where a share lies with 95 % confidence, between 0 and 1."""

    low: float
    high: float


def wilson(right: int, of: int) -> Interval:
    """The 95 % interval of a share, honest for small sets and for shares near 0 and 1; `of` is at least 1."""
    share, spread = right / of, _Z**2 / of
    centre = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * sqrt(share * (1 - share) / of + spread / (4 * of))
    # At either end the interval reaches the end itself, but floating point misses it by a hair.
    return Interval(0.0 if right == 0 else centre - half, 1.0 if right == of else centre + half)


def measure(scene: Scene) -> Part:
    """Right answers, how many pictures there are, and the share with its interval: for each model, on each set."""
    facts = {}
    for model in MODELS:
        if model in scene.evaluations:
            right = scene.evaluations[model].logits.argmax(1) == scene.labels
            facts[model] = {name: _score(right[rows]) for name, rows in scene.split._asdict().items()}
    return Part(facts, {})


def _score(right: np.ndarray) -> dict[str, float | None]:
    hits, count = int(right.sum()), len(right)
    if count == 0:
        return {"right": 0, "of": 0, "accuracy": None, "low": None, "high": None}
    low, high = wilson(hits, count)
    return {"right": hits, "of": count, "accuracy": hits / count, "low": low, "high": high}


PROBE = Probe(
    id="accuracy",
    title="Accuracy",
    question="How often is each model right on what it should forget, and on what it should keep?",
    caveat="The right answer is the true label among all classes, forgotten ones included. A forgotten class that is "
    "never named proves little by itself: hiding one output would do. For single pictures the aim is not zero but what "
    "gold gets, since a model that never saw them still recognises most. The intervals (95 %, Wilson) say how much "
    "chance there is in so few pictures, not how much another seed would change.",
    measure=measure,
)
