"""A forget request, as index sets over a data set."""

from typing import NamedTuple

import numpy as np

from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import Forget, ForgetClasses


class Split(NamedTuple):
    """Six disjoint index sets (int64, ascending) that cover the data set.

    Indices are positions in the data set's order: training, then validation, then test. Where single pictures are
    forgotten there is nothing of them in validation and test: those two sets are empty.
    """

    forget_train: np.ndarray
    retain_train: np.ndarray
    forget_val: np.ndarray
    retain_val: np.ndarray
    forget_test: np.ndarray
    retain_test: np.ndarray


def make_split(card: DatasetCard, labels: np.ndarray, forget: Forget) -> Split:
    """Cuts the data set along a request; labels (N,) in the data set's order.

    Raises BadRequest where a class or picture does not exist, or where nothing would be left to keep.
    """
    positions = np.arange(card.train + card.val + card.test)
    if isinstance(forget, ForgetClasses):
        _check_range("class", forget.classes, len(card.classes), card)
        if len(forget.classes) == len(card.classes):
            raise InvalidRequestError(
                "All classes are to be forgotten, so nothing would be left: keep at least one class."
            )
        wanted = np.isin(labels, forget.classes)
    else:
        _check_range("training picture", forget.images, card.train, card)
        if len(forget.images) == card.train:
            raise InvalidRequestError("All training pictures are to be forgotten, so nothing would be left: keep some.")
        wanted = np.isin(positions, forget.images)
    parts = []
    for start, stop in (
        (0, card.train),
        (card.train, card.train + card.val),
        (card.train + card.val, len(positions)),
    ):
        inside = positions[start:stop]
        parts += [inside[wanted[start:stop]], inside[~wanted[start:stop]]]
    return Split(*parts)


def _check_range(what: str, ids: tuple[int, ...], count: int, card: DatasetCard) -> None:
    wrong = [number for number in ids if not 0 <= number < count]
    if wrong:
        raise InvalidRequestError(
            f"{card.title} has no {what} {wrong[0]}: its {what} numbers go from 0 to {count - 1:,}."
        )
