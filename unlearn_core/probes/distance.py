"""Distance to the retrained model: how far the predicted probabilities are from those of the retrained model.

It is the Jensen-Shannon divergence in bits. For two distributions p and q with mean m,
JS = (KL(p || m) + KL(q || m)) / 2, from 0 (equal) to 1 (disjoint). Here p and q are the softmax outputs of two models
for one image, and the divergence is averaged over the images of a set.

Source: Lin, Divergence Measures Based on the Shannon Entropy, IEEE Trans. Inf. Theory 1991.
"""

from collections.abc import Mapping
from math import nan

import numpy as np

from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import DistanceToGold
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import SETS, js_bits, softmax


def measure(context: ProbeContext) -> DistanceResult | str:
    """Return the mean divergence of before, after and a second gold from gold, per set and as one number."""
    if "gold" not in context.evaluations:
        return "There is no retrained model to measure the distance to."
    rows = {name: getattr(context.split, name) for name in SETS}
    sets = {name: _distances(context.logits(own)) for name, own in rows.items() if len(own)}
    overall = {
        split: _mean(sets["forget_train"], sets[f"retain_{split}"])
        for split in ("val", "test")
        if f"retain_{split}" in sets
    }
    return DistanceResult(sets=sets, overall=overall)


def _distances(logits: Mapping[str, np.ndarray]) -> DistanceToGold:
    outputs = {model: softmax(own) for model, own in logits.items()}

    def divergence(model: str) -> float:
        return float(js_bits(outputs[model], outputs["gold"]).mean()) if model in outputs else nan

    return DistanceToGold(before=divergence("before"), after=divergence("after"), between_golds=divergence("twin"))


def _mean(one: DistanceToGold, other: DistanceToGold) -> DistanceToGold:
    return DistanceToGold(
        before=(one.before + other.before) / 2,
        after=(one.after + other.after) / 2,
        between_golds=(one.between_golds + other.between_golds) / 2,
    )


PROBE = Probe(
    id="distance",
    title="Distance to the retrained model",
    question="How far are its outputs from those of a model that was never trained on the forget set?",
    caveat="0 bits: the same probabilities for every image; 1 bit: nothing in common. Two retrained models from "
    "different seeds are not at 0 either: below their difference there is nothing to gain. A small distance means that "
    "the outputs are similar, not that no trace is left in the weights.",
    measure=measure,
    needs_all_images=False,
)
