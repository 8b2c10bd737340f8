"""Computes the features of all images of a classifier's data set, by which images that are alike are found.

The features of an image are what the head, the last layer of the classifier, gets as input. They are centred and
projected to their first principal components, and each is scaled to length 1: the cosine of two images is then their
inner product.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.jobs import FeaturesSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.tracker import Tracker
from unlearn_core.engine.job import Job, JobContext
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import ModelCache, trainable_copy
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.models import classifiers
from unlearn_core.training.batches import to_floats
from unlearn_core.training.evaluate import eval_mode, images_per_batch

MAX_COMPONENTS = 64
"""The most principal components that are stored: 128 bytes an image."""


def store_features(spec: FeaturesSpec, model_cache: ModelCache, listener: RunListener) -> RunMetrics:
    """Store the features of a classifier as it ships, unless they are known.

    Raises NotFoundError without the classifier, NotSupportedError without its weights, and CancelledError.
    """
    card = classifiers.card(spec.classifier)
    model = model_cache.original(card)
    if model is None:
        raise NotSupportedError(f"{card.title} has no weights here, so no image has features.")
    if model_cache.evaluations.features(model.weights, card.dataset) is None:
        images = model_cache.dataset(card.dataset).images
        raw = head_inputs(model.module, card.roles.head[0], images, RunTracker(listener))
        model_cache.evaluations.put_features(model.weights, card.dataset, unit_features(raw))
    return RunMetrics()


def head_inputs(model: nn.Module, head: str, images: Tensor, track: Tracker) -> Tensor:
    """Return what the head gets as input (N, F) float32 for images (N, H, W, 3) uint8.

    Where it has height and width, or tokens, it is averaged over these.
    """
    hooked = trainable_copy(model)  # The shared model stays without hooks.
    batches = images.split(images_per_batch(images.shape[1]))
    track.plan(features=len(batches))
    track.phase("features")
    found: list[Tensor] = []

    def hook(_module: nn.Module, inputs: Any) -> None:
        value = inputs[0].float()
        found.append(value.flatten(2).mean(2) if value.ndim == 4 else value.mean(1) if value.ndim == 3 else value)

    hooked.get_submodule(head).register_forward_pre_hook(hook)
    with torch.inference_mode(), eval_mode(hooked):
        for batch in track.iterate(batches):
            hooked(to_floats(batch))
    return torch.cat(found)


def unit_features(raw: Tensor) -> np.ndarray:
    """Return raw features (N, F) centred, projected to `MAX_COMPONENTS`, and of length 1, as (N, at most F) float16."""
    centred = (raw - raw.mean(0)).double().cpu()
    _, axes = torch.linalg.eigh(centred.T @ centred)  # In ascending order of variance.
    projected = centred @ axes[:, -MAX_COMPONENTS:]
    lengths = projected.norm(dim=1, keepdim=True)
    return (projected / lengths.clamp_min(1e-12)).half().numpy()


def _execute(spec: FeaturesSpec, context: JobContext) -> RunMetrics:
    return store_features(spec, context.model_cache, context.listener)


JOB = Job(spec=FeaturesSpec, execute=_execute)
