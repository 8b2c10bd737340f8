"""Confidence: how certain each model is of its prediction, image by image.

Four figures per image: the logit of the true class, the largest logit, the margin between the true class and the best
other class (negative where the prediction is wrong), and the entropy of the softmax output, in nats.
"""

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.logit_statistics import logits_result
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.probes.common.context import ProbeContext


def measure(context: ProbeContext) -> LogitsResult:
    """Return four figures per image for each model."""
    evaluations = context.evaluations
    return logits_result({model: evaluations[model].logits for model in MODELS if model in evaluations}, context.labels)


PROBE = Probe(
    id="logits",
    title="Confidence",
    question="How confident is each model in its predictions?",
    caveat="Logits have no fixed scale: two models with equal predictions may differ by a constant. Compare shapes and "
    "margins with those of the retrained model. Forgotten images that look less familiar than test images reveal as "
    "much as familiar ones.",
    measure=measure,
)
