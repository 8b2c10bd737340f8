"""How alike two nets see the same pictures, layer by layer: linear centred kernel alignment of what layers put out.

CKA = ||Y'X||_F^2 / (||X'X||_F ||Y'Y||_F) of features X and Y, centred over the pictures (Kornblith et al., Similarity
of Neural Network Representations Revisited, ICML 2019, equation 5). With few pictures and many features that value is
inflated for any two nets, so that all seem alike. `unbiased` therefore replaces each inner product by the estimator of
HSIC that is right on average for every number of pictures (Song et al., JMLR 2012, equation 5; used so by Nguyen,
Raghu & Kornblith, ICLR 2021). Both need nothing but the pictures' Gram matrices.
"""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.domain.measurement import Probe, ReportPart
from unlearn_core.domain.split import Split
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.training.batches import to_floats

PER_SIDE = 32
"""Forgotten training pictures, and validation pictures of what is kept."""
MIN_IMAGES = 8
"""With fewer pictures the estimate swings by more than any difference worth showing."""
CONSTANT_TOLERANCE = 1e-5
"""Outputs that differ by less, as a share of the largest, are the same but for float32's rounding."""
PAIRS = {
    "before-after": ("before", "after"),
    "after-gold": ("after", "gold"),
    "before-gold": ("before", "gold"),
    "gold-twin": ("gold", "twin"),
}
_MODELS = ("before", "after", "gold", "twin")

GramMatrices = dict[str, np.ndarray]


def measure(context: ProbeContext) -> ReportPart | str:
    """For each layer and pair `unbiased` and `plain` CKA; null where it cannot be had, with the reason in `reasons`."""
    rows, forgotten = sample_images(context.split)
    if len(rows) < MIN_IMAGES:
        return f"There are {len(rows)} pictures to compare layers on; with fewer than {MIN_IMAGES} that is chance."
    pictures = context.images[torch.from_numpy(rows).to(context.images.device)]
    layers = context.classifier.roles.layers
    grams = {
        model: gram_matrices(context.models[model], pictures, layers) for model in _MODELS if model in context.models
    }
    pairs = {pair: both for pair, both in PAIRS.items() if set(both) <= grams.keys()}
    reasons: dict[str, str] = {}
    found = []
    for layer in layers:
        own: dict[str, Any] = {}
        for pair, (one, other) in pairs.items():
            own[pair] = cka_pair(grams[one][layer], grams[other][layer])
            if own[pair]["unbiased"] is None:
                reasons[f"{layer}, {pair}"] = "One of the two gives every picture the same output, or no number."
        found.append({"layer": layer, "pairs": own})
    return ReportPart({"pictures": len(rows), "forgotten": forgotten, "rows": found, "reasons": reasons}, {})


def sample_images(split: Split) -> tuple[np.ndarray, int]:
    """Forgotten training pictures, then kept validation pictures, at even distances; and how many are forgotten."""
    forget = _spread(split.forget_train, PER_SIDE)
    retain = _spread(split.retain_val, 2 * PER_SIDE - len(forget))
    return np.concatenate([forget, retain]), len(forget)


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)]


@torch.inference_mode()
def gram_matrices(model: nn.Module, images: Tensor, layers: tuple[str, ...]) -> GramMatrices:
    """For each layer the inner products (N, N) float64 of its outputs for pictures (N, H, W, 3) uint8."""
    own = copy.deepcopy(model).eval()  # Hooks and their features stay off the net that others look at.
    found: GramMatrices = {}

    def keep(layer: str) -> Any:
        def seen(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            found[layer] = _gram(output)

        return seen

    for layer in layers:
        own.get_submodule(layer).register_forward_hook(keep(layer))
    with torch.autocast(images.device.type, enabled=False):
        own(to_floats(images))
    return found


def _gram(output: Tensor) -> np.ndarray:
    # Channels last is how they lie in memory; the order of features changes no inner product.
    features = output.movedim(1, -1).flatten(1).float()
    # Centring features before the product, not the products after it, keeps float32 from cancelling.
    centred = features - features.mean(0)
    if centred.abs().max() <= CONSTANT_TOLERANCE * features.abs().max():
        centred = torch.zeros_like(centred)
    return (centred @ centred.T).double().cpu().numpy()


def cka_pair(first: np.ndarray, second: np.ndarray) -> dict[str, float | None]:
    """Both estimates for Gram matrices (N, N) of centred features: 1 is the same up to rotation and scale."""
    return {"unbiased": _ratio(first, second, unbiased_hsic), "plain": _ratio(first, second, biased_hsic)}


def _ratio(one: np.ndarray, other: np.ndarray, hsic: Any) -> float | None:
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return None
    own, others = hsic(one, one), hsic(other, other)
    if own <= 0 or others <= 0:
        return None
    # The estimate of two unrelated layers scatters around 0; of a pair it never means more than 1.
    return float(np.clip(hsic(one, other) / np.sqrt(own * others), -1.0, 1.0))


def biased_hsic(first: np.ndarray, second: np.ndarray) -> float:
    """||Y'X||_F^2 of centred features, from their Gram matrices (N, N)."""
    return float((first * second).sum())


def unbiased_hsic(first: np.ndarray, second: np.ndarray) -> float:
    """What that is on average worth if every picture counts with the others alone; of Gram matrices (N, N), N > 3."""
    count = len(first)
    left, right = first - np.diag(np.diag(first)), second - np.diag(np.diag(second))
    inner = (left * right).sum()
    inner += left.sum() * right.sum() / ((count - 1) * (count - 2))
    inner -= 2 * float(left.sum(0) @ right.sum(0)) / (count - 2)
    return float(inner / (count * (count - 3)))


PROBE = Probe(
    id="cka",
    title="Features, layer by layer (CKA)",
    question="In which layers does it still see pictures as before, and in which as gold does?",
    caveat="1: the two layers arrange these pictures in the same way, up to rotation and scale; 0: in unrelated ways. "
    "Early layers are alike in any two nets of one recipe, so only the distance to the line of two golds counts. "
    "It is computed on few pictures, forgotten and kept together, by an estimator that small samples do not inflate. "
    "Being alike does not prove that something is remembered.",
    measure=measure,
)
