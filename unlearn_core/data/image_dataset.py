"""A data set in memory."""

from typing import NamedTuple

import numpy as np


class ImageDataset(NamedTuple):
    """All pictures of a data set in one order: training, then validation, then test.

    `images` (N, H, W, 3) uint8, `labels` (N,) int64; a picture's id is its position, so training pictures come first.
    """

    images: np.ndarray
    labels: np.ndarray
    train: int
    val: int
    test: int
