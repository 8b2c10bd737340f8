"""The challenge's score: cases by hand, the ceiling, and the same by counting attack after attack."""

import numpy as np
import pytest

from unlearn_core.probes.common.neurips_score import (
    DELTA,
    MAX_EPSILON,
    bucket_points,
    epsilon,
    epsilons,
    mean_bucket_points,
    neurips_score,
    phi,
    standard_error,
)

NETS, PICTURES = 64, 80


def drawn(centre: float, width: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, width, (NETS, PICTURES))


def test_two_populations_of_golds_reach_the_ceiling_and_no_more() -> None:
    found = epsilons(drawn(0, 2, 1), drawn(0, 2, 2))
    assert np.nanmedian(found) == pytest.approx(1.61, abs=0.15)
    assert mean_bucket_points(found, NETS) == pytest.approx(0.187, abs=0.03)


@pytest.mark.parametrize(("centre", "width", "expected"), [(0.5, 2, 0.16), (2, 2, 0.048), (0, 1, 0.025)])
def test_a_shift_or_a_narrow_population_costs_points(centre: float, width: float, expected: float) -> None:
    found = epsilons(drawn(centre, width, 1), drawn(0, 2, 2))
    assert mean_bucket_points(found, NETS) == pytest.approx(expected, abs=0.035)


def test_equal_and_separate_sets() -> None:
    ours = np.linspace(0, 1, 10)
    assert epsilon(ours, ours + 5) == MAX_EPSILON
    assert epsilon(np.ones(5), np.ones(5)) == 0
    assert epsilon(np.ones(5), np.zeros(5)) == MAX_EPSILON
    assert epsilon(np.ones(5), ours) == MAX_EPSILON, "one is a hundred times as narrow"
    assert epsilon(ours, ours) == epsilon(ours, ours[::-1])


def test_one_mistake_of_each_kind_gives_the_bound_by_hand() -> None:
    golds, ours = np.array([0.0, 1, 2, 13]), np.array([10.0, 12, 14, 1.5])
    # At 10: one gold of four is accused, one unlearned net of four is missed.
    assert epsilon(ours, golds) == pytest.approx(np.log((1 - DELTA - 0.25) / 0.25))


def test_it_is_the_best_of_all_attacks_counted_one_by_one() -> None:
    rng = np.random.default_rng(7)
    ours, golds = rng.normal(0.4, 0.3, 12), rng.normal(0, 0.5, 12)
    best = 0.0
    low, high = min(ours.min(), golds.min()), max(ours.max(), golds.max())
    attacks = [(t, np.inf, ours, golds) for t in np.linspace(low, high, int(np.ceil(100 * (high - low))))]
    width = np.ptp(ours)
    for right in np.linspace(ours.max() - 2, ours.max() + 2, 400):
        attacks += [(left, right, ours, golds) for left in np.linspace(right - width - 2, right - width + 2, 400)]
    for left, right, positive, negative in attacks:
        accused = ((negative >= left) & (negative <= right)).mean()
        missed = 1 - ((positive >= left) & (positive <= right)).mean()
        if accused == missed == 0:
            best = MAX_EPSILON
        elif accused and missed:
            for rate, other in ((accused, missed), (missed, accused)):
                if rate < 1 - DELTA:
                    best = max(best, np.log(1 - DELTA - rate) - np.log(other))
    assert epsilon(ours, golds) == pytest.approx(best)


def test_points_halve_from_bucket_to_bucket_and_end() -> None:
    found = np.array([0, 0.49, 0.5, 1.2, 6.9, 7.0, MAX_EPSILON])
    assert bucket_points(found, 512).tolist() == [1, 1, 0.5, 0.25, 2.0**-13, 0, 0]
    assert bucket_points(found, 64)[4] == 0, "64 nets cannot show so much"


def test_what_no_attack_counts_for_is_left_out() -> None:
    found = np.array([np.nan, 0.0, 0.6])
    assert mean_bucket_points(found, 64) == 0.75
    assert standard_error(found, 64) == pytest.approx(0.25)
    assert np.isnan(mean_bucket_points(found[:1], 64)) and np.isnan(standard_error(found[1:2], 64))


def test_accuracies_multiply() -> None:
    same = drawn(0, 2, 1)
    score = neurips_score(same, drawn(0, 2, 2), retain=(0.9, 1.0), test=(0.6, 0.8))
    assert score.final == pytest.approx(score.forgetting * 0.9 * 0.75)
    assert score.epsilons.shape == (PICTURES,)


def test_phi_is_the_log_odds_of_the_label() -> None:
    logits, labels = np.random.default_rng(0).normal(0, 3, (4, 6, 10)), np.arange(6)
    before = logits.copy()
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    own = shares[:, np.arange(6), labels]
    assert phi(logits, labels) == pytest.approx(np.log(own / (1 - own)))
    assert np.array_equal(logits, before), "the logits are left as they were"
    sure = phi(np.array([[1000.0, 0, 0]]), np.array([0]))
    assert np.isfinite(sure).all() and sure[0] == pytest.approx(np.log(1) - np.log(1e-45))
