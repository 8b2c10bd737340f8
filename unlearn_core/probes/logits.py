"""How sure each model is, picture by picture."""

import numpy as np

from unlearn_core.domain.report import MODELS, Part, Probe
from unlearn_core.probes.common.context import Scene


def measure(scene: Scene) -> Part:
    """Four figures a picture, each (N,) float32 in the data set's order, for each model."""
    arrays = {}
    for model in MODELS:
        if model in scene.evaluations:
            for name, values in figures(scene.evaluations[model].logits, scene.labels).items():
                arrays[f"{model}_{name}"] = values.astype(np.float32)
    return Part({}, arrays)


def figures(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """What is worth knowing of logits (N, C) under labels (N,): each (N,) float64.

    `true` is the label's logit, `top` the largest one, `margin` the label's lead over the best other class (negative
    where the answer is wrong), `entropy` that of the softmax, in nats.
    """
    logits = logits.astype(np.float64)
    rows = np.arange(len(logits))
    true, top = logits[rows, labels], logits.max(axis=1)
    others = logits.copy()
    others[rows, labels] = -np.inf
    shifted = logits - top[:, None]
    log_shares = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    entropy = -(np.exp(log_shares) * log_shares).sum(axis=1)
    return {"true": true, "top": top, "margin": true - others.max(axis=1), "entropy": entropy}


PROBE = Probe(
    id="logits",
    title="Confidence",
    question="How sure is each model of its answers?",
    caveat="Logits have no fixed scale: two models that answer alike may differ by a constant. Compare shapes and "
    "margins with gold's. Forgotten pictures that look less familiar than unseen ones are as telling as familiar ones.",
    measure=measure,
)
