"""How sure each model is, picture by picture."""

import numpy as np

from unlearn_core.domain.measurement import Probe, ReportPart
from unlearn_core.domain.report import MODELS
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import logit_statistics


def measure(context: ProbeContext) -> ReportPart:
    """Four figures a picture, each (N,) float32 in the data set's order, for each model."""
    arrays = {}
    for model in MODELS:
        if model in context.evaluations:
            for name, values in logit_statistics(context.evaluations[model].logits, context.labels).items():
                arrays[f"{model}_{name}"] = values.astype(np.float32)
    return ReportPart({}, arrays)


PROBE = Probe(
    id="logits",
    title="Confidence",
    question="How sure is each model of its answers?",
    caveat="Logits have no fixed scale: two models that answer alike may differ by a constant. Compare shapes and "
    "margins with gold's. Forgotten pictures that look less familiar than unseen ones are as telling as familiar ones.",
    measure=measure,
)
