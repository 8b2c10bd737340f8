"""Representation: whether the features of the last layer still distinguish what the model no longer predicts.

A model can lose a class in its last layer alone: its accuracy on that class is 0, and its features hold the class as
before. So the last layer is left out. Features, its inputs, are computed for training images of all classes, as many of
each class, and standardised. A *linear probe*, a new last layer, is trained on them with the true labels: multinomial
logistic regression with an L2 penalty (scikit-learn, C = 1; Alain & Bengio, ICLR workshop 2017). *k-NN* predicts the
class of most of the 10 nearest of these images, and among equals that of the nearest. Both are evaluated on forget
images that they were not fitted to: validation and test images of forgotten classes, or the forget images themselves.

Retraining does not bring this accuracy to 0: features learned from other classes distinguish a new class too. So what
counts is the difference from the retrained models, image by image, by the paired test of the verdicts. That accuracies
and features disagree after unlearning is reported by Kim, Cha & Kim (Are We Truly Forgetting?, 2025, arXiv 2503.06991).

For 2,600 images and three ResNet-20 it takes 6 seconds of one CPU core, 5 of them for the features.
"""

from typing import Any

import numpy as np

NEIGHBOURS = 10
"""The nearest images that vote."""
STEPS = 1_000
"""The most steps of the solver of the probe (L-BFGS)."""
TOLERANCE = 1e-8
"""It stops where no part of the mean gradient is larger."""


def standardise(fitted: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return features (m, F) and those of other images (n, F) as float64 with mean 0 and deviation 1 in the former.

    A feature that is constant there becomes 0 there.
    """
    mean, deviation = fitted.mean(0, dtype=np.float64), fitted.std(0, dtype=np.float64)
    scale = np.where(deviation > 0, deviation, 1.0)
    return (fitted - mean) / scale, (others - mean) / scale


def linear_probe(fitted: np.ndarray, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the class (n,) that a linear probe predicts for features (n, F), fitted to (m, F) with labels (m,).

    It uses one thread: its steps are so short that several threads mostly wait for each other.
    """
    from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

    with threadpool_limits(1):
        return probe_model().fit(fitted, labels).predict(others)


def probe_model() -> Any:
    """Return the linear probe before it is fitted."""
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs]

    return LogisticRegression(C=1.0, max_iter=STEPS, tol=TOLERANCE)


def nearest_neighbours(
    fitted: np.ndarray, labels: np.ndarray, others: np.ndarray, *, count: int = NEIGHBOURS
) -> np.ndarray:
    """Return the class (n,) of most of the `count` nearest images by Euclidean distance, and of equals the nearest."""
    squares = (fitted**2).sum(1) - 2 * others @ fitted.T  # The squared distances, but for a constant in each row.
    nearest = labels[np.argsort(squares, axis=1, kind="stable")[:, :count]]
    votes = (nearest[:, :, None] == nearest[:, None, :]).sum(2)
    return nearest[np.arange(len(nearest)), votes.argmax(1)]
