"""KLoM: cases by hand, and the same by a plain implementation with scipy's entropy."""

from math import log

import numpy as np
import pytest
from scipy import stats

from unlearn_core.probes.common.klom import BINS, MIN_SHARE, margin_divergence, margin_divergences


def plain(golds: list[float], models: list[float]) -> float:
    """As the published code does it, but that the largest value is in the last bin."""
    golds, models = ([min(max(value, -100.0), 100.0) for value in own] for own in (golds, models))
    low, high = min(*golds, *models), max(*golds, *models)
    if low >= high:
        high = low + 1
    counts = []
    for own in (golds, models):
        found = [0] * BINS
        for value in own:
            found[min(int((value - low) / (high - low) * BINS), BINS - 1)] += 1
        counts.append([count / len(own) for count in found])
    p, q = counts
    return float(stats.entropy(p, [max(b, MIN_SHARE) if a > 0 else b for a, b in zip(p, q, strict=True)]))


def test_equal_margins_have_none() -> None:
    margins = np.random.default_rng(0).normal(0, 2, 30)
    assert margin_divergence(margins, margins) == 0
    assert margin_divergence(np.ones(5), np.ones(7)) == 0


def test_margins_that_never_meet_have_the_most() -> None:
    by_hand = log((1 + MIN_SHARE) / MIN_SHARE)
    assert margin_divergence(np.zeros(16), np.full(16, 3.0)) == pytest.approx(by_hand, abs=1e-6)
    assert by_hand == pytest.approx(11.5, abs=0.05)


def test_two_bins_by_hand() -> None:
    golds, models = np.array([0.0, 0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 1.0])
    by_hand = 0.75 * log(0.75 / 0.25) + 0.25 * log(0.25 / 0.75)
    assert margin_divergence(golds, models) == pytest.approx(by_hand, abs=1e-6)


def test_far_margins_are_clipped() -> None:
    assert margin_divergence(np.array([500.0, 0.0]), np.array([100.0, 0.0])) == 0


def test_a_plain_implementation_agrees() -> None:
    rng = np.random.default_rng(1)
    golds, models = rng.normal(0, 2, (16, 40)), rng.normal(rng.uniform(-3, 3, 40), 2, (16, 40))
    found = margin_divergences(golds, models)
    assert found.shape == (40,)
    for at, value in enumerate(found):
        assert value == pytest.approx(plain(golds[:, at].tolist(), models[:, at].tolist()), abs=1e-6)
