"""Four kinds of stripes and blobs, 16 pixels wide, drawn from a fixed seed."""

from pathlib import Path

import numpy as np

from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.cards import DatasetCard

CARD = DatasetCard(
    id="shapes",
    title="Shapes",
    summary="Rows, columns, checks and discs under noise.",
    classes=("rows", "columns", "checks", "discs"),
    size=16,
    train=400,
    val=80,
    test=120,
    licence="MIT, the licence of Unlearn Lab.",
    source="Drawn by the tests.",
)


def load(assets: Path) -> ImageDataset:
    """Draws the images from a fixed seed."""
    rng = np.random.default_rng(7)
    count = CARD.train + CARD.val + CARD.test
    labels = np.arange(count) % 4
    y, x = np.mgrid[:16, :16]
    rows = (y // 2 % 2).astype(float)
    columns = (x // 2 % 2).astype(float)
    disc = ((y - 7.5) ** 2 + (x - 7.5) ** 2 < 25).astype(float)
    patterns = np.stack([rows, columns, (rows + columns) % 2, disc])
    colour = rng.uniform(0.4, 1.0, (count, 1, 1, 3))
    shapes = patterns[labels][..., None] * colour
    noisy = 0.15 + 0.6 * shapes + rng.normal(0, 0.22, shapes.shape)
    return ImageDataset(
        (noisy.clip(0, 1) * 255).astype(np.uint8), labels.astype(np.int64), CARD.train, CARD.val, CARD.test
    )
