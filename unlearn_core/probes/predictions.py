"""Which classes each model predicts for the forget set, and how evenly.

Evenness is the entropy of the predicted classes divided by its maximum: 0 is one class for all images, 1 is an even
spread. The difference from the retrained model is the total variation distance: the share of predictions that would
have to change for the two distributions to be equal.
"""

from math import log
from typing import Any

import numpy as np

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.probes.common.context import ProbeContext

_SETS = ("forget_train", "forget_test")
_PAIRS = {"before": "before", "after": "after", "spread": "twin"}
"""The models whose predictions are compared with gold's: "spread" is a second gold."""


def measure(context: ProbeContext) -> ReportPart:
    """Return how often each model predicts each class, and how far the predictions are from gold's.

    A set without images is left out: a request for single images has no test images to forget.
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
    # A forgotten class that is still predicted says nothing about the spread over the retained classes.
    return {"counts": counts.tolist(), "entropy": entropy(np.delete(counts, forgotten)), "top": top}


def entropy(counts: np.ndarray) -> float | None:
    """Return how evenly predictions spread: 0 is all in one class, 1 is even; None where nothing can spread."""
    total = counts.sum()
    if total == 0 or len(counts) < 2:
        return None
    shares = counts[counts > 0] / total
    return abs(float(shares @ np.log(shares))) / log(len(counts))


def total_variation(left: np.ndarray, right: np.ndarray) -> float:
    """Return the share of predictions that would have to change for one to equal the other; neither is empty."""
    return float(np.abs(left / left.sum() - right / right.sum()).sum()) / 2


PROBE = Probe(
    id="predictions",
    title="Predictions on the forget set",
    question="Which classes does each model predict for the forget set?",
    caveat="An even spread is not the aim. The retrained model, which was never trained on the class, has preferred "
    "classes too: it predicts dog for many cats. Only the distance to its predictions counts. Evenness is measured "
    "over the retained classes where whole classes are forgotten, and over all classes where single images are.",
    measure=measure,
)
