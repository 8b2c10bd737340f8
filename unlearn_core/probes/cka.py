"""Feature similarity: how similar the activations of two models are on the same images, layer by layer.

Linear centred kernel alignment: CKA = ||Y'X||_F^2 / (||X'X||_F ||Y'Y||_F) for features X and Y, centred over the
images. It is 1 where the features agree up to rotation and scale (Kornblith et al., Similarity of Neural Network
Representations Revisited, ICML 2019, equation 5).

With few images and many features this value is too high for any two models. `unbiased` therefore replaces each inner
product by an unbiased estimator of HSIC (Song et al., JMLR 2012, equation 5; as in Nguyen, Raghu & Kornblith, ICLR
2021). Both need only the Gram matrices of the images.
"""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.domain.results.layer_comparison import CkaResult, FeatureGap, FeatureSimilarity, LayerSimilarity
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.split import Split
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.training.batches import to_floats

PER_SIDE = 32
"""How many training images of the forget set, and how many validation images of the retain set."""
MIN_IMAGES = 8
"""With fewer images the estimate varies more than any difference worth showing."""
CONSTANT_TOLERANCE = 1e-5
"""Outputs that differ by less than this share of the largest are equal up to float32 rounding."""
PAIRS = {
    "before-after": ("before", "after"),
    "after-gold": ("after", "gold"),
    "before-gold": ("before", "gold"),
    "gold-twin": ("gold", "twin"),
}
CONSTANT_REASON = "One of the two models has the same output for all images here, or outputs that are not finite."
_MODELS = ("before", "after", "gold", "twin")

GramMatrices = dict[str, np.ndarray]


def measure(context: ProbeContext) -> CkaResult | str:
    """Return the similarity of features per layer and pair of models."""
    rows, forgotten = sample_images(context.split)
    if len(rows) < MIN_IMAGES:
        return f"There are only {len(rows)} images to compare layers on: at least {MIN_IMAGES} are needed."
    images = context.images[torch.as_tensor(rows, device=context.images.device)]
    layers = context.classifier.roles.layers
    grams = {
        model: gram_matrices(context.models[model], images, layers) for model in _MODELS if model in context.models
    }
    pairs = {pair: both for pair, both in PAIRS.items() if set(both) <= grams.keys()}
    found = [
        LayerSimilarity(
            layer=layer,
            pairs={pair: cka_pair(grams[one][layer], grams[other][layer]) for pair, (one, other) in pairs.items()},
        )
        for layer in layers
    ]
    reasons = {
        f"{row.layer}, {pair}": CONSTANT_REASON
        for row in found
        for pair, own in row.pairs.items()
        if own.unbiased is None
    }
    gap = feature_gap(layers[-1], {model: own[layers[-1]] for model, own in grams.items()})
    result = CkaResult(images=len(rows), forget_images=forgotten, layers=found, reasons=reasons)
    return result if gap is None else result.model_copy(update={"gap": gap})


def sample_images(split: Split) -> tuple[np.ndarray, int]:
    """Return evenly spaced images, forget set (training) before retain set (validation); and how many are to forget."""
    forget = _spread(split.forget_train, PER_SIDE)
    retain = _spread(split.retain_val, 2 * PER_SIDE - len(forget))
    return np.concatenate([forget, retain]), len(forget)


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)]


@torch.inference_mode()
def gram_matrices(model: nn.Module, images: Tensor, layers: tuple[str, ...]) -> GramMatrices:
    """Return, per layer, the inner products (N, N) float64 of its outputs for images (N, H, W, 3) uint8."""
    hooked = copy.deepcopy(model).eval()  # The shared model stays without hooks.
    found: GramMatrices = {}

    def record(layer: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            found[layer] = _gram(output)

        return hook

    for layer in layers:
        hooked.get_submodule(layer).register_forward_hook(record(layer))
    with torch.autocast(images.device.type, enabled=False):
        hooked(to_floats(images))
    return found


def _gram(output: Tensor) -> np.ndarray:
    # Channels last is the memory layout; the order of features changes no inner product.
    features = output.movedim(1, -1).flatten(1).float()
    # Centring the features, not the products, avoids cancellation in float32.
    centred = features - features.mean(0)
    if centred.abs().max() <= CONSTANT_TOLERANCE * features.abs().max():
        centred = torch.zeros_like(centred)
    return (centred @ centred.T).double().cpu().numpy()


def cka_pair(first: np.ndarray, second: np.ndarray) -> FeatureSimilarity:
    """Return both estimates for Gram matrices (N, N) of centred features: 1 is equal up to rotation and scale."""
    return FeatureSimilarity(unbiased=_ratio(first, second, unbiased_hsic), plain=_ratio(first, second, biased_hsic))


def _ratio(first: np.ndarray, second: np.ndarray, hsic: Any) -> float | None:
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return None
    first_norm, second_norm = hsic(first, first), hsic(second, second)
    if first_norm <= 0 or second_norm <= 0:
        return None
    # For unrelated layers the estimate scatters around 0; values above 1 have no meaning.
    return float(np.clip(hsic(first, second) / np.sqrt(first_norm * second_norm), -1.0, 1.0))


def feature_gap(layer: str, grams: GramMatrices) -> FeatureGap | None:
    """Return how after and gold compare with two golds in one layer, from each model's Gram matrix (N, N).

    The error is that of the jackknife over the images (Efron & Stein, Annals of Statistics 1981): both similarities
    are computed without each image in turn. None if a model is missing or a similarity is undefined.
    """
    if not {"after", "gold", "twin"} <= grams.keys():
        return None

    def similarities(kept: np.ndarray) -> tuple[float | None, float | None]:
        after, gold, twin = (grams[model][np.ix_(kept, kept)] for model in ("after", "gold", "twin"))
        return _ratio(after, gold, unbiased_hsic), _ratio(gold, twin, unbiased_hsic)

    every = np.arange(len(grams["gold"]))
    after_gold, gold_twin = similarities(every)
    without = [similarities(np.delete(every, place)) for place in every]
    differences = [ours - theirs for ours, theirs in without if ours is not None and theirs is not None]
    if after_gold is None or gold_twin is None or len(differences) < len(every):
        return None
    error = float(np.sqrt((len(every) - 1) * np.var(differences)))
    return FeatureGap(layer=layer, after_gold=after_gold, gold_twin=gold_twin, error=error)


def biased_hsic(first: np.ndarray, second: np.ndarray) -> float:
    """Return ||Y'X||_F^2 of centred features from their Gram matrices (N, N)."""
    return float((first * second).sum())


def unbiased_hsic(first: np.ndarray, second: np.ndarray) -> float:
    """Return the unbiased estimate of HSIC from Gram matrices (N, N) of centred features, N > 3."""
    count = len(first)
    left, right = first - np.diag(np.diag(first)), second - np.diag(np.diag(second))
    inner = (left * right).sum()
    inner += left.sum() * right.sum() / ((count - 1) * (count - 2))
    inner -= 2 * float(left.sum(0) @ right.sum(0)) / (count - 2)
    return float(inner / (count * (count - 3)))


PROBE = Probe(
    id="cka",
    title="Feature similarity (CKA)",
    question="In which layers are its features like the original's, and in which like the retrained model's?",
    caveat="1: the two layers arrange these images in the same way, up to rotation and scale; 0: in unrelated ways. "
    "Early layers are similar in any two models of one recipe, so only the gap to the line of two retrained models "
    "counts. It is computed on few images, forget and retain set together, by an estimator that small samples do not "
    "inflate. Similarity does not prove that information remains.",
    measure=measure,
    needs_all_images=False,
)
