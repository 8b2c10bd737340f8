"""Recipes for few images: enough steps, and none that change where there were enough before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.domain.recipe import MIN_BATCH, MIN_STEPS, Recipe, adapt_to_size

USUAL = Recipe(epochs=40, batch=128, peak=0.3)


@pytest.mark.parametrize("pictures", [1_600, 10_000, 50_000])
def test_a_recipe_with_steps_enough_stays_as_it_is(pictures: int) -> None:
    assert adapt_to_size(USUAL, pictures) is USUAL


def test_seventy_faces_get_small_steps_and_many() -> None:
    assert adapt_to_size(USUAL, 70) == USUAL.model_copy(update={"batch": 8, "epochs": 56, "peak": 0.075})


def test_some_more_images_get_smaller_steps_only() -> None:
    assert adapt_to_size(USUAL, 500) == USUAL.model_copy(update={"batch": 32, "peak": 0.15})


@given(st.integers(1, 5_000), st.integers(1, 200), st.sampled_from([1, 4, 8, 100, 128, 512]))
def test_it_never_takes_fewer_steps_nor_larger_ones(pictures: int, epochs: int, batch: int) -> None:
    usual = Recipe(epochs=epochs, batch=batch, peak=0.1)
    found = adapt_to_size(usual, pictures)
    steps = found.epochs * -(-pictures // found.batch)
    assert steps >= min(MIN_STEPS, usual.epochs * -(-pictures // usual.batch))
    assert found == usual or steps >= MIN_STEPS
    assert min(MIN_BATCH, batch) <= found.batch <= batch and found.peak <= usual.peak
