"""Computes the features of all images of a classifier's data set, by which images that are alike are found.

Where the outputs of the classifier do not ship, it computes these too.

The features of an image are what the head, the last layer of the classifier, gets as input. They are centred and
projected to their first principal components, and each is scaled to length 1: the cosine of two images is then their
inner product.
"""

import numpy as np

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.jobs import FeaturesSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.engine.job import Job, JobContext
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring.model_features import collect_features
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.models import classifiers

MAX_COMPONENTS = 64
"""The most principal components that are stored: 128 bytes an image."""


def store_features(spec: FeaturesSpec, model_cache: ModelCache, listener: RunListener) -> RunMetrics:
    """Store the outputs of a classifier as it ships, and its features as they are and as they are compared.

    What is known is not computed again.

    Raises NotFoundError without the classifier, NotSupportedError without its weights, and CancelledError.
    """
    card = classifiers.card(spec.classifier)
    model = model_cache.original(card)
    if model is None:
        raise NotSupportedError(f"{card.title} has no weights here, so no image has features.")
    begun = model_cache.begin_evaluation(model, card, first=np.array([0]), check=listener.check)
    model_cache.finish_evaluation(begun, model, card, check=listener.check)
    every = np.arange(len(model_cache.dataset(card.dataset).images))
    (raw,) = collect_features({"original": model}, card, every, model_cache, RunTracker(listener)).values()
    if model_cache.evaluations.unit_features(model.weights, card.dataset) is None:
        model_cache.evaluations.put_unit_features(model.weights, card.dataset, unit_features(raw))
    return RunMetrics()


def unit_features(raw: np.ndarray) -> np.ndarray:
    """Return raw features (N, F) centred, projected to `MAX_COMPONENTS`, and of length 1, as (N, at most F) float16."""
    centred = (raw - raw.mean(0)).astype(np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)  # In ascending order of variance.
    projected = centred @ axes[:, -MAX_COMPONENTS:]
    lengths = np.linalg.norm(projected, axis=1, keepdims=True)
    return (projected / np.maximum(lengths, 1e-12)).astype(np.float16)


def _execute(spec: FeaturesSpec, context: JobContext) -> RunMetrics:
    return store_features(spec, context.model_cache, context.listener)


JOB = Job(spec=FeaturesSpec, execute=_execute)
