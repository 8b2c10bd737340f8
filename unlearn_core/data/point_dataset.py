"""Points of the plane as data sets: a point is a picture of one pixel whose red is x and green is y; blue is 0.

They are drawn from a fixed seed, so nothing is stored or downloaded, and everything that works with pictures works with
them: what a net has learned can be seen as a whole, as a map of its answers.
"""

import numpy as np

from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.cards import DatasetCard

LICENSE = "MIT, as this project."


def card(name: str, title: str, summary: str, classes: tuple[str, ...], *, per_class: int = 300) -> DatasetCard:
    """The card of such a data set: of each class so many points to train with, a third of that to validate, two
    thirds to test."""
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
    """Points (N, 2) in [0, 1], as many of each class and shuffled, as the pictures that the card promises."""
    assert len(points) == card.train + card.val + card.test
    # Those outside lie on the border: the noise has no end, the picture has.
    pixels = np.round(255 * points.clip(0, 1)).astype(np.uint8)
    images = np.concatenate([pixels, np.zeros((len(points), 1), np.uint8)], axis=1)[:, None, None, :]
    return ImageDataset(images, labels.astype(np.int64), card.train, card.val, card.test)


def draw_labels(card: DatasetCard, seed: int) -> tuple[np.random.Generator, np.ndarray]:
    """A generator, and the labels (N,) of all points in shuffled order; each split has as many of each class."""
    rng = np.random.default_rng(seed)
    counts = (card.train, card.val, card.test)
    return rng, np.concatenate([rng.permutation(np.arange(count) % len(card.classes)) for count in counts])
