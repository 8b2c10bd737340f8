"""How often each model is right, on all six sets.

Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 1927.
"""

import numpy as np

from unlearn_core.domain.measurement import Probe, ReportPart
from unlearn_core.domain.report import MODELS
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import wilson_interval


def measure(context: ProbeContext) -> ReportPart:
    """Right answers, how many pictures there are, and the share with its interval: for each model, on each set."""
    facts = {}
    for model in MODELS:
        if model in context.evaluations:
            right = context.evaluations[model].logits.argmax(1) == context.labels
            facts[model] = {name: _score(right[rows]) for name, rows in context.split._asdict().items()}
    return ReportPart(facts, {})


def _score(right: np.ndarray) -> dict[str, float | None]:
    hits, count = int(right.sum()), len(right)
    if count == 0:
        return {"right": 0, "of": 0, "accuracy": None, "low": None, "high": None}
    low, high = wilson_interval(hits, count)
    return {"right": hits, "of": count, "accuracy": hits / count, "low": low, "high": high}


PROBE = Probe(
    id="accuracy",
    title="Accuracy",
    question="How often is each model right on what it should forget, and on what it should keep?",
    caveat="The right answer is the true label among all classes, forgotten ones included. A forgotten class that is "
    "never named proves little by itself: hiding one output would do. For single pictures the aim is not zero but what "
    "gold gets, since a model that never saw them still recognises most. The intervals (95 %, Wilson) say how much "
    "chance there is in so few pictures, not how much another seed would change.",
    measure=measure,
)
