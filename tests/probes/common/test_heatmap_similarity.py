"""Similarity of heat maps against scipy and by hand, and maps that cannot be compared."""

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from unlearn_core.domain.results.explanations import Quartiles
from unlearn_core.probes.common.heatmap_similarity import ranks, similarity

RNG = np.random.default_rng(0)


def median(quartiles: Quartiles | None) -> float:
    assert quartiles is not None
    return quartiles.median


def test_equal_maps_are_wholly_alike_whatever_their_scale() -> None:
    maps = RNG.random((3, 4, 4)).astype(np.float32)
    found = similarity(maps, 7 * maps)
    assert found.cosine == pytest.approx([1, 1, 1])
    assert found.rank == pytest.approx([1, 1, 1])
    assert (found.images, found.flat) == (3, 0)


def test_rank_is_scipys_with_ties() -> None:
    first, second = (RNG.integers(0, 5, (1, 6, 6)).astype(float) for _ in range(2))
    assert np.array_equal(ranks(first.ravel()), rankdata(first))
    assert median(similarity(first, second).rank) == pytest.approx(spearmanr(first.ravel(), second.ravel())[0])


def test_top_is_the_mass_in_the_strongest_region_of_the_first() -> None:
    first, second = np.zeros((1, 5, 5)), np.ones((1, 5, 5))
    first[0, 0] = [5, 4, 3, 2, 1]
    second[0, 1, 1] = 2
    assert median(similarity(first, second).top) == pytest.approx(5 / 26)
    assert median(similarity(first, first).top) == 1.0
    assert median(similarity(second, first).top) == pytest.approx(14 / 15), (
        "the brightest cell, then the first four in order"
    )


def test_maps_that_look_elsewhere_have_nothing_in_common() -> None:
    first, second = np.zeros((2, 4, 4)), np.zeros((2, 4, 4))
    first[:, 0, 0], second[:, 3, 3] = 1, 1
    found = similarity(first, second)
    assert (median(found.cosine), median(found.top)) == (0, 0)
    assert median(found.rank) < 0


def test_flat_maps_are_counted_and_left_out() -> None:
    first, second = RNG.random((3, 4, 4)), RNG.random((3, 4, 4))
    second[1] = 0
    found = similarity(first, second)
    assert (found.images, found.flat) == (3, 1)
    assert found.cosine == similarity(first[[0, 2]], second[[0, 2]]).cosine
    nothing = similarity(first, np.zeros_like(first))
    assert nothing.flat == 3 and (nothing.cosine, nothing.rank, nothing.top) == (None, None, None)
