"""The features of models: what the head, the last layer, gets as input. They are computed once for each image.

They are stored by weights and data set. The likeness of images, the map of features and the measurement of the
representation all read this one store, so that each computes only what no other has asked for.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.tracker import Tracker
from unlearn_core.engine.model_cache import DIVERGED_ADVICE, FrozenModel, ModelCache, trainable_copy
from unlearn_core.store.files.evaluations import StoredFeatures
from unlearn_core.training.batches import to_floats
from unlearn_core.training.evaluate import eval_mode, images_per_batch


def collect_features(
    models: Mapping[str, FrozenModel], card: ClassifierCard, rows: np.ndarray, model_cache: ModelCache, track: Tracker
) -> dict[str, np.ndarray]:
    """Return the features (rows, F) float32 of each model on images of the data set, computing what is not stored.

    Raises CancelledError, and DivergedError if a feature is not finite.
    """
    store, images = model_cache.evaluations, model_cache.dataset(card.dataset).images
    size = images_per_batch(images.shape[1])
    known = {model.weights: store.features(model.weights, card.dataset) for model in models.values()}
    missing = {weights: np.unique(rows) if found is None else found.missing(rows) for weights, found in known.items()}
    batches = {
        weights: [own[start : start + size] for start in range(0, len(own), size)] for weights, own in missing.items()
    }
    if any(batches.values()):
        track.plan(features=sum(map(len, batches.values())))
        track.phase("features")
    for model in models.values():
        own = batches.pop(model.weights, [])
        if own:
            parts = (images[torch.from_numpy(batch).to(model_cache.device)] for batch in track.iterate(own))
            values = _finite(head_inputs(model.module, card.roles.head[0], parts))
            found = StoredFeatures(missing[model.weights], values)
            known[model.weights] = store.add_features(model.weights, card.dataset, found)
    return {name: found.on(rows) for name, model in models.items() if (found := known[model.weights]) is not None}


def head_inputs(model: nn.Module, head: str, batches: Iterable[Tensor]) -> Tensor:
    """Return what the head gets as input (N, F) float32 for batches of images (n, H, W, 3) uint8.

    Where it has height and width, or tokens, it is averaged over these.
    """
    hooked = trainable_copy(model)  # The shared model stays without hooks.
    found: list[Tensor] = []

    def hook(_module: nn.Module, inputs: Any) -> None:
        value = inputs[0].float()
        found.append(value.flatten(2).mean(2) if value.ndim == 4 else value.mean(1) if value.ndim == 3 else value)

    hooked.get_submodule(head).register_forward_pre_hook(hook)
    with torch.inference_mode(), eval_mode(hooked):
        for batch in batches:
            hooked(to_floats(batch))
    return torch.cat(found)


def _finite(values: Tensor) -> np.ndarray:
    """Return the features as they are stored (N, F) float16."""
    stored = values.half().cpu().numpy()
    lost = int((~np.isfinite(stored)).any(1).sum())
    if lost:
        raise DivergedError(f"The model's features are not finite for {lost:,} images. {DIVERGED_ADVICE}")
    return stored
