"""Accuracy: the share of images that each model classifies correctly, on all six sets.

An image is classified correctly where the class with the largest logit is its label. Each accuracy has a 95 % Wilson
interval, which stays valid for small sets and near 0 % and 100 %.

Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 1927.
"""

import numpy as np

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import wilson_interval


def measure(context: ProbeContext) -> ReportPart:
    """Return correct predictions, number of images, and accuracy with its interval, per model and set."""
    facts = {}
    for model in MODELS:
        if model in context.evaluations:
            correct = context.evaluations[model].logits.argmax(1) == context.labels
            facts[model] = {name: _score(correct[rows]) for name, rows in context.split._asdict().items()}
    return ReportPart(facts, {})


def _score(correct: np.ndarray) -> dict[str, float | None]:
    hits, count = int(correct.sum()), len(correct)
    if count == 0:
        return {"right": 0, "of": 0, "accuracy": None, "low": None, "high": None}
    low, high = wilson_interval(hits, count)
    return {"right": hits, "of": count, "accuracy": hits / count, "low": low, "high": high}


PROBE = Probe(
    id="accuracy",
    title="Accuracy",
    question="How accurate is each model on the forget set and on the retain set?",
    caveat="The correct prediction is the true label among all classes, forgotten ones included. 0 % on a forgotten "
    "class proves little by itself: hiding one output would be enough. For single images the aim is not zero but the "
    "accuracy of the retrained model: it still classifies most of them correctly. The intervals (95 %, Wilson) show "
    "the uncertainty due to few images, not the variation between seeds.",
    measure=measure,
)
