"""Accuracies and intervals against values computed by hand."""

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.probes.small_context import answering
from unlearn_core.probes.accuracy import measure
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import wilson_interval

Z2 = 3.841458820694124
"""The 95 % quantile of chi-squared with one degree of freedom."""


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (8, 10, 0.490162, 0.943318),
        (50, 100, 0.403832, 0.596168),
        # With none or all right the formula collapses to z² / (n + z²) and n / (n + z²).
        (0, 20, 0.0, Z2 / (20 + Z2)),
        (10, 10, 10 / (10 + Z2), 1.0),
        (1, 1, 1 / (1 + Z2), 1.0),
    ],
)
def test_wilson_by_hand(right: int, of: int, low: float, high: float) -> None:
    assert wilson_interval(right, of) == pytest.approx((low, high), abs=1e-6)


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilson_holds_the_share_and_stays_between_0_and_1(counts: tuple[int, int]) -> None:
    right, of = counts
    low, high = wilson_interval(right, of)
    assert 0 <= low <= right / of <= high <= 1
    assert low < high


def test_each_set_is_counted_by_itself(whole: ProbeContext) -> None:
    scene = answering(
        whole,
        {"before": [0, 1, 2, 3, 0], "after": [1, 1, 2, 2, 2]},
        labels=[0, 1, 2, 3, 2],
        forget_train=[0, 1],
        retain_train=[2, 3],
        retain_test=[4],
    )
    scores = measure(scene).scores
    counted = {
        model: {name: (one.correct, one.total, one.accuracy if one.total else None) for name, one in sets.items()}
        for model, sets in scores.items()
    }
    nothing = (0, 0, None)
    assert counted == {
        "before": {
            "forget_train": (2, 2, 1.0),
            "retain_train": (2, 2, 1.0),
            "forget_val": nothing,
            "retain_val": nothing,
            "forget_test": nothing,
            "retain_test": (0, 1, 0.0),
        },
        "after": {
            "forget_train": (1, 2, 0.5),
            "retain_train": (1, 2, 0.5),
            "forget_val": nothing,
            "retain_val": nothing,
            "forget_test": nothing,
            "retain_test": (1, 1, 1.0),
        },
    }
    assert isnan(scores["after"]["forget_val"].low)
    assert isnan(scores["after"]["forget_val"].high)
    assert (scores["after"]["forget_train"].low, scores["after"]["forget_train"].high) == wilson_interval(1, 2)
