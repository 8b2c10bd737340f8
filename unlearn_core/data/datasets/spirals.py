"""Points on three arms of a spiral."""

from pathlib import Path

import numpy as np

from unlearn_core.data import point_dataset
from unlearn_core.data.image_dataset import ImageDataset

CARD = point_dataset.card(
    "spirals",
    "Spirals (points)",
    "Points in the plane on three intertwined spiral arms.",
    ("first", "second", "third"),
)


def load(assets: Path) -> ImageDataset:
    """Draws the points from a fixed seed."""
    rng, labels = point_dataset.draw_labels(CARD, 2)
    along = np.sqrt(rng.uniform(0.02, 1, len(labels)))
    angle = 3.6 * along + 2 * np.pi / len(CARD.classes) * labels
    places = 0.46 * along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return point_dataset.to_images(0.5 + places + rng.normal(0, 0.014, places.shape), labels, CARD)
