"""The linear probe is the logistic regression of its definition, and k-NN a plain vote."""

from collections import Counter

import numpy as np
import pytest
from scipy import optimize

from unlearn_core.probes.common.representation import (
    linear_probe,
    nearest_neighbours,
    probe_model,
    standardise,
)

RNG = np.random.default_rng(0)
LABELS = np.arange(90) % 3
POINTS = RNG.normal(size=(3, 4))[LABELS] + RNG.normal(0, 0.8, (90, 4))
OTHERS = RNG.normal(size=(40, 4))


def test_two_symmetric_classes_have_the_weight_of_the_closed_form() -> None:
    """At the minimum of w² / 2 + n log(1 + e^-w), w (1 + e^w) = n, and the bias is 0."""
    points, labels = np.repeat([[-1.0], [1.0]], 20, axis=0), np.repeat([0, 1], 20)
    fitted = probe_model().fit(points, labels)
    weight = optimize.brentq(lambda w: w * (1 + np.exp(w)) - 40, 0, 10)
    assert fitted.coef_.item() == pytest.approx(weight, abs=1e-6)
    assert fitted.intercept_.item() == pytest.approx(0, abs=1e-6)


def test_three_classes_have_the_probabilities_of_a_plain_newton_method() -> None:
    fitted = probe_model().fit(POINTS, LABELS)
    assert fitted.predict_proba(OTHERS) == pytest.approx(_newton(OTHERS), abs=1e-6)
    assert linear_probe(POINTS, LABELS, OTHERS).tolist() == _newton(OTHERS).argmax(1).tolist()


def _newton(others: np.ndarray) -> np.ndarray:
    """The probabilities at the minimum of |W|² / 2 + cross entropy, where the biases are not penalised."""
    inputs, size = np.column_stack([POINTS, np.ones(90)]), 5
    penalty = np.diag(np.tile([1.0] * 4 + [0.0], 3))
    found = np.zeros(3 * size)
    for _ in range(30):
        shares = _softmax(inputs @ found.reshape(3, size).T)
        gradient = ((shares - np.eye(3)[LABELS]).T @ inputs).ravel() + penalty @ found
        hessian = penalty.copy()
        for share, point in zip(shares, inputs, strict=True):
            hessian += np.kron(np.diag(share) - np.outer(share, share), np.outer(point, point))
        found -= np.linalg.lstsq(hessian, gradient, rcond=None)[0]
    return _softmax(np.column_stack([others, np.ones(len(others))]) @ found.reshape(3, size).T)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return powers / powers.sum(1, keepdims=True)


def test_neighbours_vote_as_in_a_plain_search() -> None:
    plain = []
    for point in OTHERS:
        near = sorted(range(90), key=lambda at: (float(((POINTS[at] - point) ** 2).sum()), at))[:7]
        votes = Counter(int(LABELS[at]) for at in near)
        plain.append(next(int(LABELS[at]) for at in near if votes[int(LABELS[at])] == max(votes.values())))
    assert nearest_neighbours(POINTS, LABELS, OTHERS, count=7).tolist() == plain


def test_of_equal_votes_the_nearest_decides() -> None:
    points, labels = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([5, 7, 7, 5])
    assert nearest_neighbours(points, labels, np.array([[0.4], [1.4]]), count=4).tolist() == [5, 7]


def test_features_are_standardised_by_the_fitted_images() -> None:
    fitted = np.array([[1.0, 4.0], [3.0, 4.0]], np.float32)
    first, others = standardise(fitted, np.array([[5.0, 4.0]], np.float32))
    assert first.tolist() == [[-1.0, 0.0], [1.0, 0.0]] and others.tolist() == [[3.0, 0.0]]
