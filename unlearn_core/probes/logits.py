"""How sure each model is, picture by picture."""

import numpy as np

from unlearn_core.domain.measurement import Part, Probe
from unlearn_core.domain.report import MODELS
from unlearn_core.probes.common.context import Scene
from unlearn_core.probes.common.statistics import figures


def measure(scene: Scene) -> Part:
    """Four figures a picture, each (N,) float32 in the data set's order, for each model."""
    arrays = {}
    for model in MODELS:
        if model in scene.evaluations:
            for name, values in figures(scene.evaluations[model].logits, scene.labels).items():
                arrays[f"{model}_{name}"] = values.astype(np.float32)
    return Part({}, arrays)


PROBE = Probe(
    id="logits",
    title="Confidence",
    question="How sure is each model of its answers?",
    caveat="Logits have no fixed scale: two models that answer alike may differ by a constant. Compare shapes and "
    "margins with gold's. Forgotten pictures that look less familiar than unseen ones are as telling as familiar ones.",
    measure=measure,
)
