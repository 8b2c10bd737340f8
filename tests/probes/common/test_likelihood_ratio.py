"""The likelihood-ratio attack against scipy, closed forms, and indistinguishable models."""

import numpy as np
import pytest
from scipy.stats import norm, t

from unlearn_core.probes.common.likelihood_ratio import (
    MIN_SPREAD,
    confidence_interval,
    cross_validate,
    fit_gaussians,
    member_rate,
)


def drawn(shift: float, *, nets: int, pictures: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Phi of models trained on the images and of models that were not: unit Gaussians at a distance, hard and easy."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(0, 5, pictures)
    return middle + shift + rng.normal(size=(nets, pictures)), middle + rng.normal(size=(nets, pictures))


def test_the_ratio_is_that_of_two_gaussians() -> None:
    seen, unseen = drawn(1.5, nets=7, pictures=5)
    own = fit_gaussians(seen, 2 * unseen)
    spreads = [np.sqrt(side.var(0, ddof=1).mean()) for side in (seen, 2 * unseen)]
    expected = norm.logpdf(seen, seen.mean(0), spreads[0]) - norm.logpdf(seen, 2 * unseen.mean(0), spreads[1])
    assert own.log_ratio(seen) == pytest.approx(expected)
    assert own.log_ratio(seen[0]) == pytest.approx(expected[0])


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_with_many_models_it_tells_what_the_best_attack_on_two_gaussians_tells(shift: float) -> None:
    held = cross_validate(*drawn(shift, nets=64))
    assert held.success_rate.mean() == pytest.approx(norm.cdf(shift / np.sqrt(2)), abs=0.02)
    if shift == 0:  # Which side of nought a ratio of alikes falls on is chance, and the same for both kinds.
        assert held.true_positive_rate.mean() == pytest.approx(held.false_positive_rate.mean(), abs=0.02)
        return
    assert held.true_positive_rate.mean() == pytest.approx(norm.cdf(shift / 2), abs=0.02)
    assert held.false_positive_rate.mean() == pytest.approx(1 - norm.cdf(shift / 2), abs=0.02)


def test_leaving_models_out_does_not_make_chance_look_worse_than_chance() -> None:
    told = np.concatenate([cross_validate(*drawn(0, nets=4, seed=seed)).success_rate for seed in range(50)])
    mean, low, high = confidence_interval(told)
    assert low < 0.5 < high and high - low < 0.02, mean


def test_an_easy_image_is_not_taken_for_a_member() -> None:
    """An image that is easy for every model reveals nothing: only the difference between the kinds does."""
    seen, unseen = drawn(0, nets=32)
    assert cross_validate(seen + 40, unseen + 40).success_rate == pytest.approx(
        cross_validate(seen, unseen).success_rate, abs=1e-3
    )


def test_models_that_are_all_the_same_are_chance_and_models_that_are_apart_are_certain() -> None:
    same = np.full((4, 10), 3.0)
    held = cross_validate(same, same)
    assert held.success_rate.tolist() == [0.5] * 4 and held.true_positive_rate.tolist() == [0.0] * 4
    assert fit_gaussians(same, same).in_spread == MIN_SPREAD
    apart = cross_validate(same + 30, same)
    assert (
        apart.success_rate.tolist() == [1.0] * 4
        and apart.true_positive_rate.tolist() == [1.0] * 4
        and apart.false_positive_rate.tolist() == [0.0] * 4
    )


def test_the_ratios_of_a_pair_are_those_of_a_fit_without_it() -> None:
    seen, unseen = drawn(1.0, nets=5, pictures=7)
    held = cross_validate(seen, unseen)
    for place in range(5):
        own = fit_gaussians(np.delete(seen, place, 0), np.delete(unseen, place, 0))
        assert held.in_ratio[place] == pytest.approx(own.log_ratio(seen[place]), abs=1e-6)
        assert held.out_ratio[place] == pytest.approx(own.log_ratio(unseen[place]), abs=1e-6)


def test_interval_and_share() -> None:
    assert confidence_interval(np.array([1.0, 1.0, 1.0])) == (1.0, 1.0, 1.0)
    values = np.array([0.45, 0.5, 0.55, 0.6])
    expected = t.interval(0.95, 3, values.mean(), values.std(ddof=1) / 2)
    assert confidence_interval(values) == pytest.approx((values.mean(), *expected))
    assert confidence_interval(np.array([0.1, 0.9]))[1:] == (0.0, 1.0), "a share is never beyond"
    assert member_rate(np.array([-1.0, 0.0, 2.0, 3.0])) == 0.5
