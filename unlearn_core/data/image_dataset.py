"""A data set in memory: images, labels and the sizes of its splits."""

from typing import NamedTuple

import numpy as np


class ImageDataset(NamedTuple):
    """All images of a data set in one order: training, then validation, then test.

    `images` (N, H, W, 3) uint8, `labels` (N,) int64; an image's id is its position, so training images come first.
    """

    images: np.ndarray
    labels: np.ndarray
    train: int
    val: int
    test: int
    true_labels: np.ndarray | None = None
    """The true labels (N,) int64 where some training labels are known to be wrong; None where all count as right."""

    @property
    def mislabelled(self) -> np.ndarray:
        """The images whose label is known to be wrong, ascending; none where all count as right."""
        return np.flatnonzero(self.labels != (self.labels if self.true_labels is None else self.true_labels))
