"""Five clouds, one of them between the others."""

from pathlib import Path

import numpy as np

from unlearn_core.catalog import points
from unlearn_core.catalog.pictures import Pictures

CARD = points.card(
    "blobs",
    "Blobs (points)",
    "Points of the plane in five clouds, one of them between the four others.",
    ("north", "east", "south", "west", "middle"),
)
CENTRES = np.array([[0.5, 0.84], [0.84, 0.5], [0.5, 0.16], [0.16, 0.5], [0.5, 0.5]])


def load(assets: Path) -> Pictures:
    """Draws the points; the same ones every time."""
    rng, labels = points.drawn(CARD, 3)
    return points.scatter(CENTRES[labels] + rng.normal(0, 0.075, (len(labels), 2)), labels, CARD)
