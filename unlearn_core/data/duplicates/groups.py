"""The groups of copies in a data set, and which copies of a set of images lie outside of it."""

from typing import NamedTuple

import numpy as np

NO_GROUP = -1
"""The group of an image without copies."""


class Duplicates(NamedTuple):
    """The group of each image of a data set, (N,) int32 in its order; images of one group are copies of each other.

    `identical` groups images whose pixels are equal, `near` also those that are nearly equal or mirrored. Two images
    are in one group as well if a third is a copy of both.
    """

    identical: np.ndarray
    near: np.ndarray

    def copies_of(self, images: np.ndarray) -> np.ndarray:
        """Return the images, ascending, that are copies of some of these but are not among them."""
        own = self.near[images]
        everything = np.flatnonzero(np.isin(self.near, own[own != NO_GROUP]))
        return np.setdiff1d(everything, images)

    def groups(self) -> list[np.ndarray]:
        """Return the images of each group, ascending, in the order of their first images."""
        members = np.flatnonzero(self.near != NO_GROUP)
        by_group = members[np.argsort(self.near[members], kind="stable")]
        ends = np.flatnonzero(np.diff(self.near[by_group])) + 1
        return [group for group in np.split(by_group, ends) if len(group)]


def number_groups(keys: np.ndarray) -> np.ndarray:
    """Return the groups of images with equal keys (N,) of integers, numbered by their first images."""
    _, first, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts > 1)
    numbers = np.full(len(counts), NO_GROUP, np.int32)
    numbers[several[np.argsort(first[several])]] = np.arange(len(several))
    return numbers[inverse]
