"""Which classes each model predicts for the forget set, and how evenly.

Evenness is the entropy of the predicted classes divided by its maximum: 0 is one class for all images, 1 is an even
spread. The difference from the retrained model is the total variation distance: the share of predictions that would
have to change for the two distributions to be equal.
"""

from collections.abc import Mapping, Sequence
from math import log, nan

import numpy as np

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.predictions import DistanceToGold, PredictedClasses, PredictionsResult
from unlearn_core.probes.common.context import ProbeContext

_SETS = ("forget_train", "forget_test")


def measure(context: ProbeContext) -> PredictionsResult:
    """Return how often each model predicts each class, and how far the predictions are from gold's.

    A set without images is left out: a request for single images has no test images to forget.
    """
    classes = len(context.dataset.classes)
    sets: dict[str, dict[str, PredictedClasses]] = {}
    variation: dict[str, DistanceToGold] = {}
    for name in _SETS:
        rows = getattr(context.split, name)
        if not len(rows):
            continue
        counts = {
            model: np.bincount(logits.argmax(1), minlength=classes) for model, logits in context.logits(rows).items()
        }
        sets[name] = {
            model: _predicted_classes(own, context.forgotten_classes)
            for model, own in counts.items()
            if model in MODELS
        }
        variation[name] = _distance_to_gold(counts)
    return PredictionsResult(sets=sets, total_variation=variation)


def _predicted_classes(counts: np.ndarray, forgotten: Sequence[int]) -> PredictedClasses:
    # A forgotten class that is still predicted says nothing about the spread over the retained classes.
    evenness = entropy(np.delete(counts, forgotten))
    return PredictedClasses(counts=counts.tolist(), entropy=evenness, top=int(counts.max()) / int(counts.sum()))


def _distance_to_gold(counts: Mapping[str, np.ndarray]) -> DistanceToGold:
    def distance(model: str) -> float:
        return total_variation(counts[model], counts["gold"]) if {model, "gold"} <= counts.keys() else nan

    return DistanceToGold(before=distance("before"), after=distance("after"), between_golds=distance("twin"))


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
    needs_all_images=False,
)
