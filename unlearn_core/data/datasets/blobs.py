"""Points in five clusters, one of them between the others."""

from pathlib import Path

import numpy as np

from unlearn_core.data import point_dataset
from unlearn_core.data.image_dataset import ImageDataset

CARD = point_dataset.card(
    "blobs",
    "Blobs (points)",
    "Points in the plane in five clusters, one of them between the four others.",
    ("north", "east", "south", "west", "middle"),
)
CENTERS = np.array([[0.5, 0.84], [0.84, 0.5], [0.5, 0.16], [0.16, 0.5], [0.5, 0.5]])


def load(assets: Path) -> ImageDataset:
    """Draws the points from a fixed seed."""
    rng, labels = point_dataset.draw_labels(CARD, 3)
    return point_dataset.to_images(CENTERS[labels] + rng.normal(0, 0.075, (len(labels), 2)), labels, CARD)
