"""How far the answers are from gold's: Jensen-Shannon divergence in bits (methods: Lin, IEEE Trans. Inf. Theory 1991).

For two distributions p and q and their mean m: JS = (KL(p || m) + KL(q || m)) / 2, between 0 (equal) and 1 (disjoint),
here between the softmax outputs of two models for one picture, averaged over the pictures of a set.
"""

from typing import Any

import numpy as np

from unlearn_core.domain.report import Part, Probe
from unlearn_core.probes.common.context import Scene

SETS = ("forget_train", "retain_val", "retain_test", "forget_test")
_PAIRS = {"before": "before", "after": "after", "spread": "twin"}
"""Whose distance to gold is asked: the spread is that of a second gold, trained from another seed."""


def measure(scene: Scene) -> Part | str:
    """The mean divergence of before, after and a second gold to gold, on each set and as one number.

    *Distance* is the mean of two values, forgotten training pictures and kept pictures: those of the validation split
    for tuning, those of the test split for reporting. The spread is null where there is only one gold.
    """
    if "gold" not in scene.evaluations:
        return "Without gold there is nothing to be near to."
    outputs = {model: softmax(own.logits) for model, own in scene.evaluations.items()}
    sets: dict[str, Any] = {}
    for name in SETS:
        rows = getattr(scene.split, name)
        if len(rows):
            sets[name] = {
                what: float(js_bits(outputs[model][rows], outputs["gold"][rows]).mean()) if model in outputs else None
                for what, model in _PAIRS.items()
            }
    distance = {
        kind: {what: _mean(sets["forget_train"][what], sets[f"retain_{kind}"][what]) for what in _PAIRS}
        for kind in ("val", "test")
        if f"retain_{kind}" in sets
    }
    return Part({"sets": sets, "distance": distance}, {})


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


def _mean(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else (one + other) / 2


PROBE = Probe(
    id="distance",
    title="Distance to gold",
    question="How far are its answers from those of a model that never saw the forgotten pictures?",
    caveat="0 bits: the same probabilities for every picture; 1 bit: nothing in common. Two golds from different seeds "
    "are not at 0 either: below their spread there is nothing to gain. A small distance says that the answers are "
    "alike, not that no trace is left in the weights.",
    measure=measure,
)
