"""The terms of relearning: when something counts as brought back, and the anamnesis index in closed form."""

import numpy as np
import pytest

from unlearn_core.domain.relearn_protocol import LAST, STEPS, TERMS, index_of, pictures, time_of

FULL = np.ones(len(STEPS))


def rising(at: int) -> np.ndarray:
    """An accuracy that is 0 before this step and 1 from it on."""
    return (np.array(STEPS) >= at).astype(float)


@pytest.mark.parametrize("step", STEPS)
def test_the_time_is_the_first_step_at_which_it_is_back(step: int) -> None:
    assert time_of(rising(step), FULL, target=0.5, floor=0.5) == step
    assert time_of(FULL, rising(step), target=0.5, floor=0.5) == step, "and the kept pictures are still known"


def test_the_bound_itself_counts_and_never_is_never() -> None:
    exactly = np.full(len(STEPS), 0.95 * 0.66)
    assert time_of(exactly, FULL, target=0.95 * 0.66, floor=0) == 0
    assert time_of(exactly - 0.01, FULL, target=0.95 * 0.66, floor=0) is None
    assert time_of(FULL, 0.4 * FULL, target=0.5, floor=0.5) is None, "who calls everything a cat knows no cats"


def test_the_index_is_the_ratio_of_both_times() -> None:
    assert index_of(3, 12) == 0.25
    assert index_of(12, 12) == 1
    assert index_of(0, 12) == 0
    assert index_of(32, 8) == 4


@pytest.mark.parametrize(
    ("after", "gold", "words"),
    [
        (3, None, f"gold itself is not back within {LAST} steps"),
        (None, None, "gold itself is not back"),
        (None, 12, f"after is not back within {LAST} steps"),
        (0, 0, "gold has nothing to learn"),
        (None, 0, "gold has nothing to learn"),
    ],
)
def test_without_both_times_there_is_a_reason_and_no_cap(after: int | None, gold: int | None, words: str) -> None:
    why = index_of(after, gold)
    assert isinstance(why, str) and words in why and why.endswith(".")


def test_the_cost_counts_every_net_and_draw() -> None:
    one, three = pictures(["fresh"], 1000), pictures(["after", "gold", "fresh"], 1000)
    assert three == tuple(3 * count for count in one)
    assert one[0] == TERMS.draws * LAST * 2 * TERMS.half
    assert pictures(["fresh"], 1)[1] == TERMS.draws * len(STEPS) * (1 + TERMS.beside)
