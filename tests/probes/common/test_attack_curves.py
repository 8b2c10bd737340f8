"""Attack curves against scikit-learn and by hand, and the AUC's error by counting every pair."""

from math import sqrt

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from unlearn_core.probes.common.attack_curves import (
    attack_curve,
    auc_difference,
    auc_estimate,
    curve_steps,
    found_at,
    match_classes,
    placements,
)

RNG = np.random.default_rng(0)


def wins(one: float, other: float) -> float:
    return float(one > other) + 0.5 * float(one == other)


def variance(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def plain_error(members: list[np.ndarray], others: list[np.ndarray]) -> tuple[float, float]:
    """The mean difference of two AUCs and its standard error, pair by pair; each side has the scores of both models."""
    pairs = np.array(
        [
            [wins(one, theirs) - wins(other, its) for theirs, its in zip(*others, strict=True)]
            for one, other in zip(*members, strict=True)
        ]
    )
    sides = [pairs.mean(axis).tolist() for axis in (1, 0)]
    return float(pairs.mean()), sqrt(sum(variance(own) / len(own) for own in sides))


@pytest.mark.parametrize("digits", [8, 0], ids=["no ties", "ties"])
def test_the_difference_of_two_aucs_is_that_of_a_plain_implementation(digits: int) -> None:
    members = [RNG.normal(0.5, 1, 23).round(digits), RNG.normal(0.1, 1, 23).round(digits)]
    others = [RNG.normal(0, 1, 31).round(digits), RNG.normal(0, 1, 31).round(digits)]
    value, error = plain_error(members, others)
    found = auc_difference(*(placements(*pair) for pair in zip(members, others, strict=True)))
    assert found.value == pytest.approx(value, abs=1e-6)
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * error, abs=1e-6)
    zero = [np.zeros(23), np.zeros(31)]
    value, error = plain_error([members[0], zero[0]], [others[0], zero[1]])
    alone = auc_estimate(placements(members[0], others[0]))
    truth = np.repeat([1, 0], [23, 31])
    assert alone.value == pytest.approx(roc_auc_score(truth, np.concatenate([members[0], others[0]])), abs=1e-6)
    assert alone.high - alone.value == pytest.approx(1.959964 * error, abs=1e-6)


def test_equal_attacks_do_not_differ() -> None:
    placed = placements(RNG.normal(0, 1, 10), RNG.normal(0, 1, 10))
    assert auc_difference(placed, placed) == (0, 0, 0)


def test_a_curve_is_scikit_learns() -> None:
    members, others = RNG.normal(0.5, 1, 200), RNG.normal(0, 1, 150)
    truth = np.repeat([1, 0], [200, 150])
    rates, shares, _ = roc_curve(truth, np.concatenate([members, others]), drop_intermediate=False)
    for step, share in zip(curve_steps(150), attack_curve(members, others), strict=True):
        assert share == pytest.approx(shares[rates <= step / 150 + 1e-9].max(), abs=1e-6)


def test_members_found_by_hand() -> None:
    others = np.arange(100.0)
    members = np.array([200.0, 98.5, 98.0, 50.0])
    assert found_at(members, others, 1).tolist() == [True, True, False, False]
    assert found_at(members, others, 0).tolist() == [True, False, False, False]
    assert curve_steps(100)[[0, -1]].tolist() == [1, 99]


def test_as_many_of_each_class() -> None:
    labels = np.array([0, 0, 0, 1, 1, 0, 1, 1, 1, 2])
    found = match_classes(labels, np.arange(5), np.arange(5, 10), np.random.default_rng(0))
    assert np.bincount(labels[found.members]).tolist() == np.bincount(labels[found.non_members]).tolist() == [1, 2]
    assert set(found.members) <= set(range(5)) and set(found.non_members) <= set(range(5, 10))
