"""When classes are so unequal that accuracy misleads, and the accuracy that weighs them equally."""

from collections.abc import Sequence

MAX_RATIO = 3
"""Classes are very unequal if the largest has more than so many times the images of the smallest."""
BALANCED_CAVEAT = (
    "The classes are very unequal, so accuracy mostly shows the large ones. Balanced accuracy is the mean of the "
    "accuracies of all classes."
)


def are_unequal(counts: Sequence[int]) -> bool:
    """Return whether classes with so many images are very unequal; those without images do not count."""
    found = [count for count in counts if count]
    return len(found) > 1 and max(found) > MAX_RATIO * min(found)


def balanced_accuracy(accuracies: Sequence[float | None]) -> float | None:
    """Return the mean of the accuracies (0 to 1) of the classes that have one; None if none has."""
    known = [value for value in accuracies if value is not None and value == value]
    return sum(known) / len(known) if known else None
