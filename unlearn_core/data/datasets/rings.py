"""Points on three concentric rings."""

from pathlib import Path

import numpy as np

from unlearn_core.data import point_dataset
from unlearn_core.data.image_dataset import ImageDataset

CARD = point_dataset.card(
    "rings",
    "Rings (points)",
    "Points in the plane on three concentric rings.",
    ("inner", "central", "outer"),
)


def load(assets: Path) -> ImageDataset:
    """Draws the points from a fixed seed."""
    rng, labels = point_dataset.draw_labels(CARD, 4)
    angle = rng.uniform(0, 2 * np.pi, len(labels))
    far = np.array([0.1, 0.26, 0.42])[labels] + rng.normal(0, 0.025, len(labels))
    return point_dataset.to_images(0.5 + far[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), labels, CARD)
