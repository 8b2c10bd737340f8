"""Points on four half-moons, in two interlocking pairs."""

from pathlib import Path

import numpy as np

from unlearn_core.data import point_dataset
from unlearn_core.data.image_dataset import ImageDataset

CARD = point_dataset.card(
    "moons",
    "Moons (points)",
    "Points in the plane on four half-moons, in two interlocking pairs.",
    ("dawn", "noon", "dusk", "night"),
)


def load(assets: Path) -> ImageDataset:
    """Draws the points from a fixed seed."""
    rng, labels = point_dataset.draw_labels(CARD, 1)
    angle = rng.uniform(0, np.pi, len(labels))
    turned = labels % 2 == 1
    x = np.where(turned, 1 - np.cos(angle), np.cos(angle))
    y = np.where(turned, 0.45 - np.sin(angle), np.sin(angle)) + 2.1 * (labels // 2)
    places = np.stack([x, y], axis=1) + rng.normal(0, 0.11, (len(labels), 2))
    return point_dataset.to_images((places - [-1.4, -1.0]) / [3.8, 4.5], labels, CARD)
