"""Two models on the same images: interval and tests agree with independent ones, and err as rarely as they say."""

from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from unlearn_core.domain.verdicts import paired_comparison
from unlearn_core.domain.verdicts.paired_comparison import MARGIN, compare, holm, images_needed

LEVEL = 0.06
"""The level of 5 %, and what 2,000 simulated pairs may add to it at the border itself."""


def pair(lost: int, gained: int, both: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Correct predictions of a model and a reference with these four counts."""
    cells = np.repeat([0, 1, 2, 3], [lost, gained, both, neither])
    return (cells == 1) | (cells == 2), (cells == 0) | (cells == 2)


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (0, 3), (7, 1), (40, 40), (115, 90)])
def test_the_difference_and_mcnemar_agree_with_scipy(lost: int, gained: int) -> None:
    found = compare(*pair(lost, gained, 300, 100))
    assert (round(found.lost), round(found.gained), found.images) == (lost, gained, lost + gained + 400)
    assert found.difference == pytest.approx((gained - lost) / found.images)
    expected = stats.binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
    assert found.p_differs == pytest.approx(expected)
    assert found.low <= found.difference <= found.high


def restricted_score(counts: tuple[int, int, int, int], loss: float) -> float:
    """The score statistic of a true loss, by a numerical maximum of the likelihood under it; half an image nearer."""
    lost, gained, images = counts[0], counts[1], sum(counts)

    def minus_log_likelihood(share: float) -> float:
        shares = np.clip([share + loss, share, 1 - 2 * share - loss], 1e-15, 1)
        return -float(np.dot([lost, gained, images - lost - gained], np.log(shares)))

    bounds, options = (max(0.0, -loss), (1 - loss) / 2), {"xatol": 1e-12}
    most_likely: Any = optimize.minimize_scalar(minus_log_likelihood, bounds=bounds, method="bounded", options=options)
    share = float(most_likely.x)
    away = lost - gained - images * loss
    return float(np.sign(away) * max(abs(away) - 0.5, 0) / np.sqrt((2 * share + loss - loss**2) * images))


@pytest.mark.parametrize("counts", [(2, 12, 30, 6), (12, 2, 30, 6), (115, 90, 1400, 195), (0, 0, 80, 20)])
def test_the_interval_is_what_an_independent_score_test_does_not_reject(counts: tuple[int, int, int, int]) -> None:
    found = compare(*pair(*counts))
    assert restricted_score(counts, -found.low) == pytest.approx(-stats.norm.ppf(0.95), abs=1e-3)
    assert restricted_score(counts, -found.high) == pytest.approx(stats.norm.ppf(0.95), abs=1e-3)


def test_without_the_continuity_correction_losses_are_declared_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = simulated(100, 0.04, 0.01, seed=100)
    pairs, often = np.unique(counts, axis=0, return_counts=True)

    def declared() -> float:
        paired_comparison._comparison.cache_clear()
        found = [compare(*pair(int(lost), int(gained), 100 - lost - gained, 0)) for lost, gained in pairs]
        return float(np.average([one.p_below < 0.05 for one in found], weights=often))

    corrected = declared()
    with monkeypatch.context() as changed:
        changed.setattr(paired_comparison, "_CONTINUITY", 0.0)
        assert declared() > 0.07
    paired_comparison._comparison.cache_clear()
    assert corrected <= LEVEL


def test_without_a_disagreement_the_interval_still_has_a_width() -> None:
    few, many = (compare(*pair(0, 0, count, 0)) for count in (40, 400))
    assert not few.is_equal and many.is_equal
    assert few.high == pytest.approx(-few.low) and few.high > 4 * many.high


def test_no_image_is_an_error_and_one_is_not() -> None:
    with pytest.raises(ValueError, match="no images"):
        compare(np.zeros(0, bool), np.zeros(0, bool))
    one = compare(np.zeros(1, bool), np.ones(1, bool))
    assert (one.low, one.p_differs) == (-1.0, 1.0) and not one.is_equal


def test_the_spread_of_several_models_widens_the_interval() -> None:
    after, gold = pair(60, 60, 1500, 180)
    alone = compare(after, gold)
    worse = gold & (np.arange(len(gold)) % 20 != 0)
    beside = compare(after, np.stack([gold, worse]))
    assert beside.high - beside.low > 1.5 * (alone.high - alone.low)
    assert beside.reference == pytest.approx((gold.mean() + worse.mean()) / 2)
    repeated = compare(after, gold, spread=[0.86, 0.88, 0.84])
    assert repeated.high - repeated.low > 1.5 * (alone.high - alone.low)
    assert repeated.difference == alone.difference


def simulated(count: int, lost: float, gained: float, seed: int) -> np.ndarray:
    """2,000 pairs of models: how many of `count` images each loses and gains, (2000, 2)."""
    rest = 1 - lost - gained
    return np.random.default_rng(seed).multinomial(count, [lost, gained, rest], size=2000)[:, :2]


@pytest.mark.parametrize("count", [30, 100, 300, 1000, 1800])
@pytest.mark.parametrize("disagreement", [0.05, 0.12, 0.3])
def test_a_loss_of_the_margin_is_seldom_called_equal_and_seldom_called_more(count: int, disagreement: float) -> None:
    counts = simulated(count, (disagreement + MARGIN) / 2, (disagreement - MARGIN) / 2, seed=count)
    pairs, often = np.unique(counts, axis=0, return_counts=True)
    found = [compare(*pair(int(lost), int(gained), count - lost - gained, 0)) for lost, gained in pairs]
    equal = sum(n for one, n in zip(found, often, strict=True) if one.is_equal)
    more = sum(n for one, n in zip(found, often, strict=True) if one.p_below < 0.05)
    assert equal <= LEVEL * 2000 and more <= LEVEL * 2000


def test_equal_models_are_found_equal_with_the_images_that_are_needed() -> None:
    count = images_needed(0.1)
    assert count == 960
    counts = simulated(count, 0.05, 0.05, seed=1)
    pairs, often = np.unique(counts, axis=0, return_counts=True)
    found = [compare(*pair(int(lost), int(gained), count - lost - gained, 0)).is_equal for lost, gained in pairs]
    assert 0.72 <= np.average(found, weights=often) <= 0.88


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9]) == [0.9] and holm([]) == []
