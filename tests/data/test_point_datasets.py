"""Points in the plane are ordinary data sets, the same on every load, and a small model separates their classes."""

import numpy as np
import pytest
import torch

from unlearn_core.data import datasets
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.training.batches import crop_and_flip
from unlearn_core.training.seeding import random_generator

NAMES = ("moons", "spirals", "blobs", "rings")


@pytest.mark.parametrize("name", NAMES)
def test_the_points_are_what_the_card_says(name: str) -> None:
    card, first, again = datasets.card(name), datasets.load(name), datasets.load(name)
    count = card.train + card.val + card.test
    assert first.images.shape == (count, 1, 1, 3) and first.images.dtype == np.uint8 and card.is_points
    assert np.array_equal(first.images, again.images) and np.array_equal(first.labels, again.labels)
    assert not first.images[..., 2].any(), "blue says nothing"
    for start, size in ((0, card.train), (card.train, card.val), (card.train + card.val, card.test)):
        assert len(set(np.bincount(first.labels[start : start + size]).tolist())) == 1, "as many of each class"
    inside = (first.images[..., :2] > 0) & (first.images[..., :2] < 255)
    assert inside.mean() > 0.99, "hardly a point was cut off"


@pytest.mark.parametrize("name", NAMES)
def test_its_classifier_ships_and_is_good(name: str) -> None:
    card, data = classifiers.card(f"mlp-{name}"), datasets.load(name)
    original = bundled_models.find_bundled(card.id, None, 0)
    assert original is not None and card.roles.cam is None
    right = bundled_models.read_logits(original).argmax(1) == data.labels
    assert right[-data.test :].mean() > 0.95
    golds = [net.forget for net in bundled_models.bundled(card.id) if net.forget is not None]
    assert len(golds) == len(datasets.card(name).classes)
    assert sum(path.stat().st_size for path in original.folder.iterdir()) < 400_000


def test_a_point_stays_itself_where_pictures_are_shifted_and_mirrored() -> None:
    images = torch.arange(60, dtype=torch.uint8).view(20, 1, 1, 3)
    rows = torch.tensor([3, 19, 0])
    assert torch.equal(crop_and_flip(images, rows, random_generator(1, "crop")), images[rows])
