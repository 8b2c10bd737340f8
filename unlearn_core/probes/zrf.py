"""Zero Retrain Forgetting (ZRF): how closely the outputs on the forget set resemble those of an untrained model.

ZRF = 1 - the mean over the forget set of JS(softmax of the model, softmax of a model with random weights). It needs no
retrained model. `proper` uses the Jensen-Shannon divergence in bits, so it lies between 0 and 1.

`official` is what the paper's published code computes: the arguments of both KL terms swapped, in nats, averaged over
images *and classes*. It has no lower bound, cannot be compared between numbers of classes, and is here only to
reproduce published figures.

Source: Chundawat et al., Can Bad Teaching Induce Forgetting?, AAAI 2023, equation 6.
"""

import numpy as np
import torch
from scipy import special  # pyright: ignore[reportMissingTypeStubs] -- SciPy has no types.

from unlearn_core.domain.report import MODEL_TITLES
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.outputs import ZrfResult, ZrfValues
from unlearn_core.models import classifiers
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import js_bits, softmax
from unlearn_core.training import evaluate
from unlearn_core.training.seeding import seeded

MAX_IMAGES = 96
"""Images that the random model is evaluated on: each costs a forward pass that nothing else needs."""


def measure(context: ProbeContext) -> ZrfResult | str:
    """Return both variants for every model, and how even the random model's own outputs are."""
    rows = sample_rows(context.split.forget_train)
    random = evaluate.logits(_random(context), context.images[torch.as_tensor(rows, device=context.images.device)])
    if not np.isfinite(random).all():
        return "With random weights this architecture gives outputs that are not finite, so ZRF is undefined."
    models: dict[str, ZrfValues] = {}
    for model, logits in context.logits(rows).items():
        models[model] = ZrfValues(proper=js_zrf(logits, random), official=official_zrf(logits, random))
    reasons = {model: reason for model, values in models.items() if (reason := _reason(model, values)) is not None}
    return ZrfResult(images=len(rows), evenness=normalized_entropy(random), models=models, reasons=reasons)


def sample_rows(rows: np.ndarray) -> np.ndarray:
    """Return at most MAX_IMAGES of these images, evenly spaced, the same ones every time."""
    return rows[np.linspace(0, len(rows) - 1, min(MAX_IMAGES, len(rows))).round().astype(int)]


def _random(context: ProbeContext) -> torch.nn.Module:
    # The same random model for every seed, so that two runs differ only by their own outputs.
    with seeded(0, "zrf"):
        model = classifiers.build(context.classifier, context.dataset)
    return model.to(context.images.device).eval()


def js_zrf(logits: np.ndarray, random_logits: np.ndarray) -> float | None:
    """Return 1 minus the mean divergence in bits from the random model, from logits (N, C); None if not finite."""
    if not np.isfinite(logits).all():
        return None
    return 1 - float(js_bits(softmax(logits), softmax(random_logits)).mean())


def official_zrf(logits: np.ndarray, random_logits: np.ndarray) -> float | None:
    """Return the same by the formula of the published code, in float32; None where a probability underflows."""
    if not np.isfinite(logits).all():
        return None
    shares = [_softmax_float32(values) for values in (logits, random_logits)]
    if not all((values > 0).all() for values in shares):
        return None
    middle = (shares[0] + shares[1]) / 2
    terms = [float((middle * (np.log(middle) - np.log(own))).mean()) for own in shares]
    return 1 - sum(terms) / 2


def _softmax_float32(logits: np.ndarray) -> np.ndarray:
    return special.softmax(logits.astype(np.float32), axis=1)  # pyright: ignore[reportUnknownMemberType] -- No types.


def normalized_entropy(logits: np.ndarray) -> float | None:
    """Return the mean entropy of outputs (N, C) as a share of its maximum; None where there is one class."""
    if logits.shape[1] < 2:
        return None
    shares = softmax(logits)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return float(-(shares * logs).sum(1).mean() / np.log(logits.shape[1]))


def _reason(model: str, values: ZrfValues) -> str | None:
    if values.proper is None:
        return f"Some outputs of {MODEL_TITLES[model]} are not finite."
    if values.official is None:
        return f"A probability of {MODEL_TITLES[model]} underflows in float32, so the official formula is infinite."
    return None


PROBE = Probe(
    id="zrf",
    title="Zero Retrain Forgetting (ZRF)",
    question="Do its outputs on the forget set resemble those of an untrained model?",
    caveat="1 means outputs like those of random weights, and that is not the aim: the retrained model was trained on "
    "everything else, so it predicts with some confidence. The aim is the value of the retrained model. A broken model "
    "scores high as well. The official variant is what the published code computes; it depends on the number of "
    "classes and only reproduces published figures.",
    measure=measure,
    needs_all_images=False,
)
