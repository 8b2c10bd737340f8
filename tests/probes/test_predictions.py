"""Spread and distance of predictions against values computed by hand."""

from math import isnan

import numpy as np
import pytest

from tests.probes.small_context import answering
from unlearn_core.domain.results.predictions import PredictedClasses
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.predictions import entropy, measure, total_variation


def test_entropy_by_hand() -> None:
    assert entropy(np.array([4, 4, 4])) == pytest.approx(1)
    assert entropy(np.array([7, 0, 0])) == 0
    assert entropy(np.array([3, 1, 0, 0])) == pytest.approx((0.75 * np.log(4 / 3) + 0.25 * np.log(4)) / np.log(4))
    assert entropy(np.array([0, 0])) is None
    assert entropy(np.array([5])) is None


def test_total_variation_by_hand() -> None:
    assert total_variation(np.array([6, 2, 2]), np.array([2, 6, 2])) == pytest.approx(0.4)
    assert total_variation(np.array([1, 0]), np.array([0, 9])) == 1
    assert total_variation(np.array([2, 4]), np.array([1, 2])) == 0


def test_forgotten_classes_do_not_count_towards_the_spread(whole: ProbeContext) -> None:
    """Class 2 is forgotten: three of six predictions are class 2, the others are even over the retained classes."""
    scene = answering(
        whole,
        {"before": [2] * 6, "after": [2, 2, 2, 0, 1, 3], "gold": [0, 0, 0, 1, 1, 3]},
        labels=[2] * 6,
        forget_train=[0, 1, 2, 3, 4, 5],
    )
    result = measure(scene)
    models = result.sets["forget_train"]
    assert models["before"] == PredictedClasses(counts=[0, 0, 6, 0], entropy=None, top=1.0)
    assert (models["after"].counts, models["after"].entropy, models["after"].top) == (
        [1, 1, 3, 1],
        pytest.approx(1),
        0.5,
    )
    assert models["gold"].entropy == pytest.approx((np.log(2) / 2 + np.log(3) / 3 + np.log(6) / 6) / np.log(3))
    distance = result.total_variation["forget_train"]
    assert (distance.before, distance.after) == (pytest.approx(1), pytest.approx(0.5)) and isnan(distance.between_golds)
    assert "forget_test" not in result.sets
    assert "forget_test" not in result.total_variation


def test_all_classes_count_where_single_images_are_forgotten(whole: ProbeContext) -> None:
    scene = answering(whole, {"after": [2, 2, 0, 0]}, labels=[2] * 4, forget_train=[0, 1, 2, 3])
    result = measure(scene._replace(forgotten_classes=()))
    assert result.sets["forget_train"]["after"].entropy == pytest.approx(np.log(2) / np.log(4))
    assert all(isnan(value) for value in result.total_variation["forget_train"].by_model.values())
