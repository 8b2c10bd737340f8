"""Split images into training, validation and test: as the source does, or else at random from a fixed seed."""

from typing import NamedTuple

import numpy as np

SEED = 20_240_229
"""Seed of every split: the same images give the same splits on every machine."""
VAL_SHARE_OF_HELD_OUT = 0.2
"""Share of the held-out images that becomes validation if a source has only one held-out set."""
VAL_SHARE, TEST_SHARE = 0.1, 0.2
"""Shares of all images that become validation and test if a source has only one set."""
SPLITS = ("train", "val", "test")


class DatasetSplit(NamedTuple):
    """Positions of the images in their final order, and the size of each split."""

    order: np.ndarray
    train: int
    val: int
    test: int


def split_images(labels: np.ndarray, parts: np.ndarray) -> DatasetSplit:
    """Splits images given their `labels` (N,) and `parts` (N,) of text ("train", "val", "test", "").

    Within each split they keep their order; random splits are stratified by class.
    """
    parts = np.where(parts == "", "train", parts)
    held = [name for name in ("val", "test") if (parts == name).any()]
    given = {name: np.flatnonzero(parts == name) for name in SPLITS}
    if not held:
        rest, given["test"] = _split(given["train"], labels, TEST_SHARE, 0)
        given["train"], given["val"] = _split(rest, labels, VAL_SHARE / (1 - TEST_SHARE), 1)
    elif len(held) == 1:
        given["test"], given["val"] = _split(given[held[0]], labels, VAL_SHARE_OF_HELD_OUT, 2)
    order = np.concatenate([given[name] for name in SPLITS])
    return DatasetSplit(order, *(len(given[name]) for name in SPLITS))


def _split(rows: np.ndarray, labels: np.ndarray, share: float, number: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows without a share of each class, and that share: at least one of each class that has two."""
    rng, taken = np.random.default_rng([SEED, number]), []
    for label in np.unique(labels[rows]):
        own = rows[labels[rows] == label]
        count = min(max(1, round(share * len(own))), len(own) - 1)
        taken.append(rng.permutation(own)[:count])
    some = np.sort(np.concatenate(taken)) if taken else rows[:0]
    return np.setdiff1d(rows, some), some
