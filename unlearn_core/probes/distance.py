"""Distance to the retrained model: how far the predicted probabilities are from those of the retrained model.

It is the Jensen-Shannon divergence in bits. For two distributions p and q with mean m,
JS = (KL(p || m) + KL(q || m)) / 2, from 0 (equal) to 1 (disjoint). Here p and q are the softmax outputs of two models
for one image, and the divergence is averaged over the images of a set.

Source: Lin, Divergence Measures Based on the Shannon Entropy, IEEE Trans. Inf. Theory 1991.
"""

from typing import Any

from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import SETS, js_bits, softmax

_PAIRS = {"before": "before", "after": "after", "spread": "twin"}
"""The models whose distance to gold is measured: "spread" is a second gold, trained from another seed."""


def measure(context: ProbeContext) -> ReportPart | str:
    """Return the mean divergence of before, after and a second gold from gold, per set and as one number.

    *Distance* is the mean of two values: training images of the forget set, and images of the retain set from the
    validation split (for tuning) or the test split (for reporting). The spread is null where there is only one gold.
    """
    if "gold" not in context.evaluations:
        return "There is no retrained model to measure the distance to."
    outputs = {model: softmax(own.logits) for model, own in context.evaluations.items()}
    sets: dict[str, Any] = {}
    for name in SETS:
        rows = getattr(context.split, name)
        if len(rows):
            sets[name] = {
                what: float(js_bits(outputs[model][rows], outputs["gold"][rows]).mean()) if model in outputs else None
                for what, model in _PAIRS.items()
            }
    distance = {
        kind: {what: _mean(sets["forget_train"][what], sets[f"retain_{kind}"][what]) for what in _PAIRS}
        for kind in ("val", "test")
        if f"retain_{kind}" in sets
    }
    return ReportPart({"sets": sets, "distance": distance}, {})


def _mean(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else (one + other) / 2


PROBE = Probe(
    id="distance",
    title="Distance to the retrained model",
    question="How far are its outputs from those of a model that was never trained on the forget set?",
    caveat="0 bits: the same probabilities for every image; 1 bit: nothing in common. Two retrained models from "
    "different seeds are not at 0 either: below their difference there is nothing to gain. A small distance means that "
    "the outputs are similar, not that no trace is left in the weights.",
    measure=measure,
)
