"""Confidence: how certain each model is of its prediction, image by image.

Four figures per image: the logit of the true class, the largest logit, the margin between the true class and the best
other class (negative where the prediction is wrong), and the entropy of the softmax output, in nats.
"""

import numpy as np

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import logit_statistics


def measure(context: ProbeContext) -> ReportPart:
    """Return four figures per image for each model, each (N,) float32 in the data set's order."""
    arrays = {}
    for model in MODELS:
        if model in context.evaluations:
            for name, values in logit_statistics(context.evaluations[model].logits, context.labels).items():
                arrays[f"{model}_{name}"] = values.astype(np.float32)
    return ReportPart({}, arrays)


PROBE = Probe(
    id="logits",
    title="Confidence",
    question="How confident is each model in its predictions?",
    caveat="Logits have no fixed scale: two models with equal predictions may differ by a constant. Compare shapes and "
    "margins with those of the retrained model. Forgotten images that look less familiar than test images reveal as "
    "much as familiar ones.",
    measure=measure,
)
