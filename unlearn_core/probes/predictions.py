"""What each model calls the forgotten pictures."""

from math import log
from typing import Any

import numpy as np

from unlearn_core.domain.measurement import Probe, ReportPart
from unlearn_core.domain.report import MODELS
from unlearn_core.probes.common.context import ProbeContext

_SETS = ("forget_train", "forget_test")
_PAIRS = {"before": "before", "after": "after", "spread": "twin"}
"""Whose answers are compared with gold's: the spread is that of a second gold."""


def measure(context: ProbeContext) -> ReportPart:
    """How often each model names each class, and how far others' answers are from gold's.

    A set without pictures is left out: single pictures have no counterpart in the test set.
    """
    classes = len(context.dataset.classes)
    sets: dict[str, Any] = {}
    variation: dict[str, Any] = {}
    for name in _SETS:
        rows = getattr(context.split, name)
        if not len(rows):
            continue
        counts = {
            model: np.bincount(context.evaluations[model].logits[rows].argmax(1), minlength=classes)
            for model in (*MODELS, "twin")
            if model in context.evaluations
        }
        sets[name] = {
            model: _spread(own, context.forgotten_classes) for model, own in counts.items() if model in MODELS
        }
        variation[name] = {
            what: total_variation(counts[model], counts["gold"]) if "gold" in counts and model in counts else None
            for what, model in _PAIRS.items()
        }
    return ReportPart({"sets": sets, "total_variation": variation}, {})


def _spread(counts: np.ndarray, forgotten: tuple[int, ...]) -> dict[str, Any]:
    top = int(counts.max()) / int(counts.sum())
    # A forgotten class that is still named says nothing on how the answers spread over the classes that are left.
    return {"counts": counts.tolist(), "entropy": entropy(np.delete(counts, forgotten)), "top": top}


def entropy(counts: np.ndarray) -> float | None:
    """How evenly answers spread over these classes: 0 is all in one, 1 is even; None where nothing can spread."""
    total = counts.sum()
    if total == 0 or len(counts) < 2:
        return None
    shares = counts[counts > 0] / total
    return abs(float(shares @ np.log(shares))) / log(len(counts))


def total_variation(left: np.ndarray, right: np.ndarray) -> float:
    """The share of answers that would have to change for one to become the other; neither side is empty."""
    return float(np.abs(left / left.sum() - right / right.sum()).sum()) / 2


PROBE = Probe(
    id="predictions",
    title="Answers to the forgotten pictures",
    question="What does each model call the pictures that it should have forgotten?",
    caveat="An even spread is not the aim. Gold, which never saw the class, has favourites too: it calls many cats "
    "dogs. Only the distance to gold's answers counts. Evenness is measured over the kept classes where whole classes "
    "are forgotten, over all classes where single pictures are.",
    measure=measure,
)
