"""What predictions prove about an uploaded checkpoint: whether it fits at all, and in which order its classes are."""

from typing import Literal

import numpy as np

from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.results.checkpoint import AccuracyTest, ClassOrder


def compare_with_most_frequent(logits: np.ndarray, dataset: ImageDataset) -> AccuracyTest | None:
    """Test whether a model is better than always predicting the most frequent class.

    `logits` (N, C) of the whole data set. On validation images, or on test images if there are none; None without both.
    """
    split: Literal["val", "test"] = "val" if dataset.val else "test"
    rows = _rows(dataset, split)
    if not len(rows):
        return None
    labels = dataset.labels[rows]
    correct = int((logits[rows].argmax(1) == labels).sum())
    share = float(np.bincount(labels).max() / len(rows))
    return AccuracyTest(split, len(rows), correct, share, chance_probability(correct, labels))


def chance_probability(correct: int, labels: np.ndarray) -> float:
    """The probability that so many predictions or more are correct, if each is with the most frequent class's share."""
    from scipy.stats import binomtest  # Slow to import.

    share = float(np.bincount(labels).max() / len(labels))
    return float(binomtest(correct, len(labels), share, alternative="greater").pvalue)


def find_class_order(logits: np.ndarray, dataset: ImageDataset) -> ClassOrder | None:
    """Find the order of the outputs by which most validation images are classified correctly, if it is clearly better.

    The order comes from all validation images. That such an order is better is tested without that advantage: an order
    from every second validation image of each class, on the others. Returns None if the outputs are best as they are.
    """
    from scipy.stats import binomtest

    rows = _rows(dataset, "val")
    predictions, labels, classes = logits[rows].argmax(1), dataset.labels[rows], logits.shape[1]
    by_class = np.argsort(labels, kind="stable")
    half, other = by_class[::2], by_class[1::2]
    tested = best_order(predictions[half], labels[half], classes)
    before = predictions[other] == labels[other]
    after = np.argsort(tested)[predictions[other]] == labels[other]
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    if not gained:
        return None
    p_value = float(binomtest(gained, gained + lost, 0.5, alternative="greater").pvalue)
    order = best_order(predictions, labels, classes)
    found = ClassOrder([int(one) for one in order], float(before.mean()), float(after.mean()), p_value)
    return found if found.is_better else None


def best_order(predictions: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """The output for each class (C,) with which most predictions are correct; outputs stay where nothing is gained."""
    from scipy.optimize import linear_sum_assignment

    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (labels, predictions), 1)
    return linear_sum_assignment(confusion + np.eye(classes) / (2 * classes), maximize=True)[1]


def _rows(dataset: ImageDataset, split: Literal["val", "test"]) -> np.ndarray:
    start = dataset.train if split == "val" else dataset.train + dataset.val
    return np.arange(start, start + (dataset.val if split == "val" else dataset.test))
