"""When classes are very unequal, and what balanced accuracy is."""

from math import nan

import pytest

from unlearn_core.domain.results.balance import are_unequal, balanced_accuracy


@pytest.mark.parametrize(
    ("counts", "unequal"),
    [([10, 10], False), ([30, 10], False), ([31, 10], True), ([40, 0, 12], True), ([40, 0], False), ([], False)],
)
def test_more_than_three_times_as_many(counts: list[int], unequal: bool) -> None:
    assert are_unequal(counts) is unequal


def test_every_class_counts_once() -> None:
    assert balanced_accuracy([1.0, 0.5, None, nan, 0.0]) == 0.5
    assert balanced_accuracy([None]) is None
