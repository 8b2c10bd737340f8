"""The rule of findings: by difference and standard error, and over all comparisons that belong to a claim."""

import pytest
from scipy import stats  # pyright: ignore[reportMissingTypeStubs] -- SciPy has no types.

from unlearn_core.benchmarks.reproduction.findings import (
    Finding,
    at_most,
    combine,
    compare_estimates,
    compare_means,
    compare_pairs,
    shown,
)


@pytest.mark.parametrize(
    ("better", "worse", "finding"),
    [
        ([2.0, 2.1, 1.9], [1.0, 1.1, 0.9], "holds"),
        ([1.0, 1.1, 0.9], [2.0, 2.1, 1.9], "does not hold"),
        ([1.0, 1.2, 0.9], [1.1, 0.8, 1.0], "not shown"),
        ([1.0, 1.0], [0.0, 0.0], "holds"),
        ([0.0, 0.0], [1.0, 1.0], "does not hold"),
        ([1.0, 1.0], [1.0, 1.0], "not shown"),
        ([5.0], [1.0, 1.0], "not shown"),
    ],
)
def test_means_are_compared_by_their_standard_error(better: list[float], worse: list[float], finding: str) -> None:
    assert compare_means(better, worse).finding == finding


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.35, 0.5, -0.35])
def test_the_printed_interval_agrees_with_the_one_sided_test(shift: float) -> None:
    left, right = [1.0 + shift, 1.3 + shift, 0.8 + shift, 1.1 + shift], [1.0, 0.9, 1.15]
    found = compare_means(left, right)
    test = stats.ttest_ind(left, right, equal_var=False, alternative="greater")  # pyright: ignore
    p = float(test.pvalue)  # pyright: ignore
    assert found.finding == ("holds" if p < 0.05 else "does not hold" if p > 0.95 else "not shown")
    assert found.interval is not None
    assert (found.interval[0] > 0) == (found.finding == "holds")


def test_pairs_are_compared_by_their_differences() -> None:
    assert compare_pairs([1.0, 5.0, 9.1], [0.9, 4.9, 9.0]).finding == "holds"
    assert compare_means([1.0, 5.0, 9.1], [0.9, 4.9, 9.0]).finding == "not shown"
    assert compare_pairs([1.0], [0.0]).finding == "not shown"


def test_estimates_are_compared_by_a_given_error() -> None:
    assert compare_estimates(0.5, 0.4, error=0.05).finding == "holds"
    assert compare_estimates(0.5, 0.4, error=0.07).finding == "not shown"
    assert compare_estimates(0.4, 0.5, error=0.05).text(2) == "difference -0.10, 90 % interval -0.18 to -0.02"


def test_a_mean_is_held_to_a_limit() -> None:
    assert at_most([0.0, 0.1, 0.2], 1.0) == "holds"
    assert at_most([2.0, 2.1, 2.2], 1.0) == "does not hold"
    assert at_most([0.5, 1.0, 1.4], 1.0) == "not shown"
    assert (at_most([0.0, 0.0], 1.0), at_most([2.0, 2.0], 1.0), at_most([0.0], 1.0)) == (
        "holds",
        "does not hold",
        "not shown",
    )


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["holds", "holds"], "holds"),
        (["holds", "not shown"], "holds in part"),
        (["holds", "does not hold"], "holds in part"),
        (["holds", "not measured"], "holds in part"),
        (["does not hold", "not shown", "not measured"], "does not hold"),
        (["not shown", "not measured"], "not shown"),
        (["not measured"], "not measured"),
        (["holds in part", "holds"], "holds in part"),
        ([], "not measured"),
    ],
)
def test_parts_make_a_whole(parts: list[Finding], whole: Finding) -> None:
    assert combine(parts) == whole


def test_single_runs_have_no_interval_and_zero_has_no_sign() -> None:
    assert shown({"ADV": [40.0]}, 1, intervals=True) == "ADV 40.0, 1 run"
    assert shown({"left": [0.0, 0.05, 0.0]}, 1, intervals=True) == "left 0.0 ± 0.0, 3 runs, 90 % interval 0.0 to 0.1"
