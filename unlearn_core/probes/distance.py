"""How far the answers are from gold's: Jensen-Shannon divergence in bits (methods: Lin, IEEE Trans. Inf. Theory 1991).

For two distributions p and q and their mean m: JS = (KL(p || m) + KL(q || m)) / 2, between 0 (equal) and 1 (disjoint),
here between the softmax outputs of two models for one picture, averaged over the pictures of a set.
"""

from typing import Any

from unlearn_core.domain.measurement import Probe, ReportPart
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import SETS, js_bits, softmax

_PAIRS = {"before": "before", "after": "after", "spread": "twin"}
"""Whose distance to gold is asked: the spread is that of a second gold, trained from another seed."""


def measure(context: ProbeContext) -> ReportPart | str:
    """The mean divergence of before, after and a second gold to gold, on each set and as one number.

    *Distance* is the mean of two values, forgotten training pictures and kept pictures: those of the validation split
    for tuning, those of the test split for reporting. The spread is null where there is only one gold.
    """
    if "gold" not in context.evaluations:
        return "Without gold there is nothing to be near to."
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
    title="Distance to gold",
    question="How far are its answers from those of a model that never saw the forgotten pictures?",
    caveat="0 bits: the same probabilities for every picture; 1 bit: nothing in common. Two golds from different seeds "
    "are not at 0 either: below their spread there is nothing to gain. A small distance says that the answers are "
    "alike, not that no trace is left in the weights.",
    measure=measure,
)
