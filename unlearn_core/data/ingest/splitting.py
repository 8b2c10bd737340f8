"""Which pictures are for training, validation and test: as the source says, and where it does not, by a fixed seed."""

from typing import NamedTuple

import numpy as np

SEED = 20_240_229
"""Of every cut: the same pictures give the same sets on every machine."""
VAL_SHARE_OF_HELD_OUT = 0.2
"""How much of the held-out pictures becomes validation where a source has one set of them only."""
VAL_SHARE, TEST_SHARE = 0.1, 0.2
"""How much of all becomes validation and test where a source has one set only."""
SPLITS = ("train", "val", "test")


class DatasetSplit(NamedTuple):
    """Positions of the pictures in the order in which they are kept, and how many are for what."""

    order: np.ndarray
    train: int
    val: int
    test: int


def split_images(labels: np.ndarray, parts: np.ndarray) -> DatasetSplit:
    """Lays out pictures whose `labels` (N,) and `parts` (N,) of text ("train", "val", "test", "") are given.

    Within each set they keep the order in which they came; each class gets its share of every set that is cut here.
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
    """The rows without a share of each class, and that share: one of a class at least, where it has two."""
    rng, taken = np.random.default_rng([SEED, number]), []
    for label in np.unique(labels[rows]):
        own = rows[labels[rows] == label]
        count = min(max(1, round(share * len(own))), len(own) - 1)
        taken.append(rng.permutation(own)[:count])
    some = np.sort(np.concatenate(taken)) if taken else rows[:0]
    return np.setdiff1d(rows, some), some
