"""Trains small models on random halves of a data set: their outputs show which images models memorise.

One model at a time, on one thread; what is stored grows by two models at a time, so it can be interrupted and resumed.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from unlearn_core.data import datasets, half_models
from unlearn_core.data.half_models import HalfModels, half_members
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.data.pixel_statistics import channel_statistics
from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.recipe import Recipe, adapt_to_size
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.models import architectures
from unlearn_core.models.normalize import Normalize
from unlearn_core.probes.common.neurips_score import phi
from unlearn_core.training import evaluate
from unlearn_core.training.loops import train
from unlearn_core.training.seeding import seeded

NUM_MODELS = 32
"""How many models are trained by default: 16 with each image, and 16 without it."""
ARCHITECTURE = "resnet8"
RECIPE = Recipe(epochs=20, batch=64, peak=0.2, weight_decay=1e-4, augment="none")
"""Without augmentation and with little weight decay, so that even a small model memorises."""
MIN_IMAGES = 16
"""The fewest training images: half of them is the smallest batch that batch norm tolerates."""
SEED_OFFSET = 3000
"""Added to a model's number to get its seed, so that it shares no random numbers with models of other kinds."""


def train_halves(dataset: str, num_models: int, path: Path, device: str) -> Iterator[int]:
    """Train the missing of so many models, an even number, into this file; yield how many there are after each pair.

    Raises NotFoundError, CorruptAssetError, DivergedError, and NotSupportedError for points in the plane
    or too few images.
    """
    card, data = datasets.card(dataset), datasets.load(dataset)
    if card.is_points:
        raise NotSupportedError(half_models.how_to_make(card))
    if card.train < MIN_IMAGES:
        raise NotSupportedError(f"{card.title} has {card.train:,} training images; models of halves need {MIN_IMAGES}.")
    labels, recipe = data.labels[: card.train], adapt_to_size(RECIPE, card.train // 2)
    made_with = json.dumps({"architecture": ARCHITECTURE, "recipe": recipe.model_dump()})
    known = half_models.read(path, labels)
    if known is None or known.made_with != made_with:
        known = HalfModels(np.zeros((0, card.train), np.float32), np.zeros((0, card.train), bool), made_with)
    members, classes = half_members(card.train, num_models), len(card.classes)
    while known.num_models < num_models:
        pair = known.num_models, known.num_models + 1
        logits = np.stack([_logits(data, classes, recipe, members[k], SEED_OFFSET + k, device) for k in pair])
        known = known._replace(
            confidence=np.concatenate([known.confidence, phi(logits, labels).astype(np.float32)]),
            correct=np.concatenate([known.correct, logits.argmax(2) == labels]),
        )
        half_models.write(path, known, labels)
        yield known.num_models


def _logits(data: ImageDataset, classes: int, recipe: Recipe, member: np.ndarray, seed: int, device: str) -> np.ndarray:
    """Train one model on the training images of its half; return its logits (N, C) float32 on all of them."""
    images = torch.from_numpy(np.asarray(data.images[: data.train])).to(device)
    labels = torch.from_numpy(data.labels[: data.train]).to(device)
    with seeded(seed, "init"):
        model = architectures.build(ARCHITECTURE, classes, images.shape[1], Normalize(*channel_statistics(data)))
    model = model.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    rows = torch.from_numpy(np.flatnonzero(member)).to(device)
    train(model, recipe, images, labels, rows, seed=seed, tracker=NullTracker())
    return evaluate.logits(model, images)
