"""The six sets that a forget request cuts a data set into: forget and retain set of each split, and their labels."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import Forget, ForgetClasses


class Split(NamedTuple):
    """Six disjoint index sets (int64, ascending) that cover the data set.

    Indices are positions in the data set's order: training, then validation, then test. A request to forget
    single images concerns training images only: its other two forget sets are empty.
    """

    forget_train: np.ndarray
    retain_train: np.ndarray
    forget_val: np.ndarray
    retain_val: np.ndarray
    forget_test: np.ndarray
    retain_test: np.ndarray


SET_LABELS: Mapping[str, tuple[str, str]] = {
    "forget_train": ("forget set", "training"),
    "forget_val": ("forget set", "validation"),
    "forget_test": ("forget set", "test"),
    "retain_train": ("retain set", "training"),
    "retain_val": ("retain set", "validation"),
    "retain_test": ("retain set", "test"),
}
"""What each set of a `Split` is called everywhere: its side and its split, in the order in which sets are shown."""


def set_label(name: str) -> str:
    """The label of one set on one line, such as "forget set, training"."""
    return ", ".join(SET_LABELS[name])


def make_split(card: DatasetCard, labels: np.ndarray, forget: Forget) -> Split:
    """Split the data set by a request; labels (N,) in the data set's order.

    Raises InvalidRequestError if a class or image does not exist, or if the retain set would be empty.
    """
    positions = np.arange(card.train + card.val + card.test)
    if isinstance(forget, ForgetClasses):
        _check_range("class", forget.classes, len(card.classes), card)
        if len(forget.classes) == len(card.classes):
            raise InvalidRequestError(
                "The request forgets all classes, so the retain set would be empty: retain at least one class."
            )
        wanted = np.isin(labels, forget.classes)
    else:
        _check_range("training image", forget.images, card.train, card)
        if len(forget.images) == card.train:
            raise InvalidRequestError(
                "The request forgets all training images, so the retain set would be empty: retain at least one image."
            )
        wanted = np.isin(positions, forget.images)
    parts: list[np.ndarray] = []
    for start, stop in (
        (0, card.train),
        (card.train, card.train + card.val),
        (card.train + card.val, len(positions)),
    ):
        inside = positions[start:stop]
        parts += [inside[wanted[start:stop]], inside[~wanted[start:stop]]]
    return Split(*parts)


def trainable_split(card: DatasetCard, labels: np.ndarray, forget: Forget) -> Split:
    """Return the same split. Raises InvalidRequestError also if the forget or the retain set has no training image."""
    split = make_split(card, labels, forget)
    if not len(split.forget_train):
        raise InvalidRequestError(
            f"There is no training {card.item_noun} to forget: {card.title} has such classes in its other splits only. "
            f"Choose a class that has training {card.item_noun}s."
        )
    if not len(split.retain_train):
        raise InvalidRequestError(
            f"No other class has a training {card.item_noun}, so the retain set would be empty: forget fewer classes."
        )
    return split


def remaining_split(split: Split, earlier: Sequence[Split]) -> Split:
    """Return the split without what earlier runs forgot: training on it again would undo them.

    Raises InvalidRequestError if the retain set would be empty.
    """
    forgotten = [ids for own in earlier for ids in (own.forget_train, own.forget_val, own.forget_test)]
    if not forgotten:
        return split
    retain = {name: ids for name, ids in split._asdict().items() if name.startswith("retain")}
    retain = {name: np.setdiff1d(ids, np.concatenate(forgotten)) for name, ids in retain.items()}
    if not len(retain["retain_train"]):
        raise InvalidRequestError(
            "The retain set would be empty: earlier runs have forgotten everything else. Forget less."
        )
    return split._replace(**retain)


def _check_range(what: str, ids: tuple[int, ...], count: int, card: DatasetCard) -> None:
    wrong = [number for number in ids if not 0 <= number < count]
    if wrong:
        raise InvalidRequestError(
            f"{card.title} has no {what} {wrong[0]}: its {what} numbers go from 0 to {count - 1:,}."
        )


def evenly_spaced(ids: np.ndarray, count: int) -> np.ndarray:
    """Evenly spaced ids, at most so many: all classes in their natural share, the same ones every time."""
    return ids[np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int)]
