"""Data sets of 2-D points: a point is an image of one pixel whose red is x and green is y; blue is 0.

They are drawn from a fixed seed, so nothing is stored or downloaded. Everything that works with images works with them,
and all that a model has learned can be seen as one map of its predictions.
"""

import numpy as np

from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.cards import DatasetCard

LICENSE = "MIT, the licence of Unlearn Lab."


def card(name: str, title: str, summary: str, classes: tuple[str, ...], *, per_class: int = 300) -> DatasetCard:
    """The card of a data set with `per_class` training points of each class, a third as many for validation, and two
    thirds as many for test."""
    count = len(classes)
    return DatasetCard(
        id=name,
        title=title,
        summary=summary,
        classes=classes,
        size=1,
        train=per_class * count,
        val=per_class // 3 * count,
        test=2 * per_class // 3 * count,
        licence=LICENSE,
        source="Drawn from a fixed seed whenever they are loaded.",
    )


def to_images(points: np.ndarray, labels: np.ndarray, card: DatasetCard) -> ImageDataset:
    """Points (N, 2) in [0, 1], shuffled and equally many of each class, as the images that the card describes."""
    assert len(points) == card.train + card.val + card.test
    # Points outside are moved to the border: the noise is unbounded, an image is not.
    pixels = np.round(255 * points.clip(0, 1)).astype(np.uint8)
    images = np.concatenate([pixels, np.zeros((len(points), 1), np.uint8)], axis=1)[:, None, None, :]
    return ImageDataset(images, labels.astype(np.int64), card.train, card.val, card.test)


def draw_labels(card: DatasetCard, seed: int) -> tuple[np.random.Generator, np.ndarray]:
    """A generator, and the labels (N,) of all points in shuffled order; each split has as many of each class."""
    rng = np.random.default_rng(seed)
    counts = (card.train, card.val, card.test)
    return rng, np.concatenate([rng.permutation(np.arange(count) % len(card.classes)) for count in counts])
