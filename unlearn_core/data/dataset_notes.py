"""What about a data set may mislead: classes with few images, very unequal classes, and copies."""

from collections.abc import Sequence

import numpy as np

from unlearn_core.data.duplicates import NO_GROUP, Duplicates
from unlearn_core.data.ingest.sanitize import quote
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.results.balance import are_unequal

FEW = 3
"""What a model learns about a class with so few training images is chance."""
_NAMED = 5


def dataset_notes(
    card: DatasetCard, labels: np.ndarray, duplicates: Duplicates | None, *, num_mislabelled: int = 0
) -> list[str]:
    """Return what may mislead, as sentences; labels (N,) in the data set's order, copies if they are known."""
    splits = np.split(np.asarray(labels), [card.train, card.train + card.val])
    train, val, test = (np.bincount(own, minlength=len(card.classes)) for own in splits)
    few = np.flatnonzero((train > 0) & (train <= FEW))
    notes = [
        _about(card, np.flatnonzero(train == 0), "has no training image: it cannot be learned, nor forgotten"),
        f"{num_mislabelled:,} training {card.item_noun}s have a label that is known to be wrong."
        if num_mislabelled
        else "",
        _about(card, few, f"has {FEW} training images or fewer: what is measured on it is chance"),
        "There are no validation images: hyperparameters cannot be tuned." if not val.any() else "",
        "There are no test images: no accuracy can be measured on unseen images." if not test.any() else "",
        _about(card, np.flatnonzero(test == 0), "has no test image: its accuracy is unknown") if test.any() else "",
    ]
    if are_unequal(test.tolist()):
        notes.append(
            f"The classes are very unequal: the largest has {test.max():,} test images, the smallest "
            f"{test[test > 0].min():,}. Balanced accuracy is shown beside accuracy."
        )
    return [note for note in [*notes, *([] if duplicates is None else _copies(card, duplicates))] if note]


def _about(card: DatasetCard, classes: np.ndarray, what: str) -> str:
    """Return a sentence about each of these classes; "" without any."""
    if not len(classes):
        return ""
    if len(classes) == 1:
        return f"The class {quote(card.classes[classes[0]])} {what}."
    named = ", ".join(quote(card.classes[number]) for number in classes[:_NAMED])
    more = f" and {len(classes) - _NAMED:,} more" if len(classes) > _NAMED else ""
    return f"Each of {len(classes):,} classes {what} ({named}{more})."


def _copies(card: DatasetCard, duplicates: Duplicates) -> Sequence[str]:
    train, held_out = duplicates.near[: card.train], duplicates.near[card.train :]
    within = int((train != NO_GROUP).sum()) - len(np.setdiff1d(train, [NO_GROUP]))
    across = int(np.isin(held_out, train[train != NO_GROUP]).sum())
    notes: list[str] = []
    if within:
        what = "1 training image is an exact or near copy" if within == 1 else f"{within:,} training images are copies"
        notes.append(f"{what} of another one: forgetting only one of them leaves what the other teaches.")
    if across:
        what = "1 validation or test image is a copy" if across == 1 else f"{across:,} validation or test images are"
        notes.append(f"{what}{'' if across == 1 else ' copies'} of training images: accuracy on them is partly memory.")
    return notes
