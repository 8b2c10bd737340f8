"""ZRF, zero retrain forgetting: does it answer the forgotten pictures like a net that never learned anything?

ZRF = 1 - the mean over D_f of JS(softmax of the net, softmax of a net with random weights). Source: Chundawat et al.,
Can Bad Teaching Induce Forgetting?, AAAI 2023, equation 6. `proper` uses the Jensen-Shannon divergence in bits, so it
lies between 0 and 1. `official` is what the paper's published code computes: the arguments of both KL terms swapped, in
nats, averaged over pictures *and classes*; it has no lower bound, cannot be compared between numbers of classes, and
is here only to reproduce published figures.
"""

from typing import Any

import numpy as np
import torch

from unlearn_core.domain.measurement import Probe, ReportPart
from unlearn_core.domain.report import MODELS
from unlearn_core.models import classifiers
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import js_bits, softmax
from unlearn_core.training import evaluate
from unlearn_core.training.seeding import seeded

MAX_IMAGES = 96
"""Pictures that the random net is asked about: each of them costs a forward pass that nobody else needs."""


def measure(context: ProbeContext) -> ReportPart | str:
    """Both variants for every model, and how evenly the random net itself answers (0 to 1).

    A value is null where it cannot be had, and `reasons` says why.
    """
    rows = sample_rows(context.split.forget_train)
    random = evaluate.logits(_random(context), context.images[torch.from_numpy(rows).to(context.images.device)])
    if not np.isfinite(random).all():
        return "This architecture's answers with random weights are no numbers, so nothing can be compared with them."
    facts: dict[str, Any] = {"pictures": len(rows), "evenness": normalized_entropy(random), "models": {}, "reasons": {}}
    for model in (*MODELS, "twin"):
        if model in context.evaluations:
            logits = context.evaluations[model].logits[rows]
            facts["models"][model] = {"proper": js_zrf(logits, random), "official": official_zrf(logits, random)}
            facts["reasons"] |= _reasons(model, facts["models"][model])
    return ReportPart(facts, {})


def sample_rows(rows: np.ndarray) -> np.ndarray:
    """At most `MOST` of these pictures at even distances, the same ones every time."""
    return rows[np.linspace(0, len(rows) - 1, min(MAX_IMAGES, len(rows))).round().astype(int)]


def _random(context: ProbeContext) -> torch.nn.Module:
    # Always the same random net, whatever the run's seed: two runs differ by what they answer alone.
    with seeded(0, "zrf"):
        net = classifiers.build(context.classifier, context.dataset)
    return net.to(context.images.device).eval()


def js_zrf(logits: np.ndarray, random_logits: np.ndarray) -> float | None:
    """1 less the mean divergence in bits of answers (N, C) to the random net's (N, C): 0 to 1; None without numbers."""
    if not np.isfinite(logits).all():
        return None
    return 1 - float(js_bits(softmax(logits), softmax(random_logits)).mean())


def official_zrf(logits: np.ndarray, random_logits: np.ndarray) -> float | None:
    """The same by the formula of the published code, in float32 as there; None where a probability underflows."""
    if not np.isfinite(logits).all():
        return None
    raised = [values.astype(np.float32) - values.max(1, keepdims=True) for values in (logits, random_logits)]
    shares = [np.exp(values) / np.exp(values).sum(1, keepdims=True) for values in raised]
    if not all((values > 0).all() for values in shares):
        return None
    middle = (shares[0] + shares[1]) / 2
    terms = [float((middle * (np.log(middle) - np.log(own))).mean()) for own in shares]
    return 1 - sum(terms) / 2


def normalized_entropy(logits: np.ndarray) -> float | None:
    """The mean entropy of answers (N, C) as a share of the highest possible; None where there is one class."""
    if logits.shape[1] < 2:
        return None
    shares = softmax(logits)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return float(-(shares * logs).sum(1).mean() / np.log(logits.shape[1]))


def _reasons(model: str, found: dict[str, float | None]) -> dict[str, str]:
    if found["proper"] is None:
        return {model: f"The answers of {model} are no longer numbers."}
    if found["official"] is None:
        return {model: f"A probability of {model} is too small for float32, where the official formula is infinite."}
    return {}


PROBE = Probe(
    id="zrf",
    title="Likeness to an untrained net (ZRF)",
    question="Does it answer the forgotten pictures like a net that never learned anything?",
    caveat="1 means as ignorant as random weights, and that is not the aim: gold learned from everything else, so it "
    "guesses with some certainty. The aim is gold's own value. A wrecked net scores high as well. The official variant "
    "is what the published code computes; it depends on the number of classes and reproduces published figures only.",
    measure=measure,
)
