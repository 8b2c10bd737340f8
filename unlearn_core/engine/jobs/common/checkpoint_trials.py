"""Try out the ways in which a checkpoint may be read, on validation images: how names match, and the normalisation."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.data.pixel_statistics import channel_statistics
from unlearn_core.domain.jobs import AddCheckpointSpec
from unlearn_core.domain.results.checkpoint import SIGNIFICANCE, NormalizationTrial
from unlearn_core.engine.jobs.common.checkpoint_accuracy import best_order, chance_probability
from unlearn_core.engine.model_cache import DeviceDataset
from unlearn_core.models.matching.match import StateDictMatch
from unlearn_core.models.matching.normalizing_layer import USUAL, NormalizingLayer
from unlearn_core.models.normalize import Normalize
from unlearn_core.training import evaluate

MAX_TRIAL_IMAGES = 1_000
"""At most so many images are evaluated in each trial."""


class TrialImages(NamedTuple):
    """The images of all trials: validation images, or training images if there are none; never test images."""

    split: Literal["train", "val"]
    images: Tensor
    """(n, H, W, 3) uint8 on the device."""
    labels: np.ndarray


class Choice(NamedTuple):
    """The most accurate way to read a checkpoint, and what was tried."""

    match: StateDictMatch
    normalization: NormalizationTrial
    trials: Sequence[NormalizationTrial]
    """Every normalisation, with this match."""
    alternatives: Sequence[tuple[str, float]]
    """The other matches, and their best accuracies."""


def trial_images(data: DeviceDataset) -> TrialImages:
    """Return up to MAX_TRIAL_IMAGES images at regular distances; the same ones every time."""
    card = data.card
    split, start, count = ("val", card.train, card.val) if card.val else ("train", 0, card.train)
    ids = np.linspace(start, start + max(count, 1) - 1, min(count, MAX_TRIAL_IMAGES)).round().astype(int)
    images = data.images[torch.from_numpy(ids).to(data.images.device)]
    return TrialImages(split, images, data.image_dataset.labels[ids])


def normalizations(
    spec: AddCheckpointSpec, layer: NormalizingLayer | None, dataset: ImageDataset
) -> list[NormalizationTrial]:
    """Return the normalisations to try, the most likely one first: only the requested one if there is one."""
    if spec.mean is not None and spec.std is not None:
        return [NormalizationTrial("chosen", spec.mean, spec.std, None)]
    found = [] if layer is None else [NormalizationTrial("the file's own layer", layer.mean, layer.std, None)]
    if dataset.train:
        found.append(NormalizationTrial("the data set's statistics", *channel_statistics(dataset), None))
    return found + [NormalizationTrial(title, *constants, None) for title, constants in USUAL.items()]


def choose(
    matches: Sequence[StateDictMatch],
    ways: Sequence[NormalizationTrial],
    *,
    build: Callable[[StateDictMatch], nn.Module],
    sample: TrialImages,
    check: Callable[[], None],
) -> Choice:
    """Return the most accurate match and normalisation; the first ones where accuracies are equal.

    `build` makes the model of a match, and `check` raises if the job was cancelled. With only one way to read the file,
    or without images, nothing is evaluated.
    """
    if len(matches) * len(ways) == 1 or not len(sample.labels):
        return Choice(matches[0], ways[0], (), ())
    tried: list[list[NormalizationTrial]] = []
    predicted: list[np.ndarray] = []
    for match in matches:
        model = build(match)
        layers = [module for module in model.modules() if isinstance(module, Normalize)]
        tried.append([])
        for way in ways:
            check()
            for layer in layers:
                layer.set_constants(way.mean, way.std)
            predictions = evaluate.logits(model, sample.images).argmax(1)
            tried[-1].append(way._replace(accuracy=float((predictions == sample.labels).mean())))
            predicted.append(predictions)
    ranks = _ranks([trial for trials in tried for trial in trials], predicted, sample.labels)
    first, way = divmod(int(np.argmax(ranks)), len(ways))
    others = [
        (f"{match.target.title}, {match.how}", max(trial.accuracy or 0.0 for trial in trials))
        for number, (match, trials) in enumerate(zip(matches, tried, strict=True))
        if number != first
    ]
    return Choice(matches[first], tried[first][way], tried[first], others)


def _ranks(trials: Sequence[NormalizationTrial], predicted: Sequence[np.ndarray], labels: np.ndarray) -> list[float]:
    """The accuracies by which trials are compared.

    If none is better than chance, the classes may be in another order: then it is the accuracy in the best order.
    """
    plain = [trial.accuracy or 0.0 for trial in trials]
    if chance_probability(round(max(plain) * len(labels)), labels) < SIGNIFICANCE:
        return plain
    classes = 1 + max(int(labels.max()), *(int(predictions.max()) for predictions in predicted))
    orders = [best_order(predictions, labels, classes) for predictions in predicted]
    return [
        float((np.argsort(order)[predictions] == labels).mean())
        for order, predictions in zip(orders, predicted, strict=True)
    ]
