"""Mean and standard deviation of each colour channel of a data set, by which models normalise their input."""

import numpy as np

from unlearn_core.data.image_dataset import ImageDataset

MAX_SAMPLED = 10_000
"""The statistics are taken from at most so many training images."""


def channel_statistics(dataset: ImageDataset) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and standard deviation of each colour in [0, 1] over training images; a deviation of 0 counts as 1."""
    step = max(1, -(-dataset.train // MAX_SAMPLED))
    sample = np.asarray(dataset.images[: dataset.train : step])
    levels = np.arange(256) / 255
    found = []
    for channel in range(3):
        shares = np.bincount(sample[..., channel].ravel(), minlength=256) / sample[..., channel].size
        mean = float(shares @ levels)
        found.append((round(mean, 4), round(float(np.sqrt(shares @ (levels - mean) ** 2)), 4) or 1.0))
    (red, green, blue) = found
    return (red[0], green[0], blue[0]), (red[1], green[1], blue[1])
