"""The relearn protocol: when something counts as relearned, and the anamnesis index in closed form."""

import numpy as np
import pytest

from unlearn_core.domain.results.relearn_protocol import (
    EVAL_STEPS,
    LAST_STEP,
    PROTOCOL,
    anamnesis_index,
    images_needed,
    relearn_time,
)

FULL = np.ones(len(EVAL_STEPS))


def rising(at: int) -> np.ndarray:
    """An accuracy that is 0 before this step and 1 from it on."""
    return (np.array(EVAL_STEPS) >= at).astype(float)


@pytest.mark.parametrize("step", EVAL_STEPS)
def test_the_time_is_the_first_step_at_which_it_is_back(step: int) -> None:
    assert relearn_time(rising(step), FULL, target=0.5, floor=0.5) == step
    assert relearn_time(FULL, rising(step), target=0.5, floor=0.5) == step, "retain accuracy counts too"


def test_the_bound_itself_counts_and_never_is_never() -> None:
    exactly = np.full(len(EVAL_STEPS), 0.95 * 0.66)
    assert relearn_time(exactly, FULL, target=0.95 * 0.66, floor=0) == 0
    assert relearn_time(exactly - 0.01, FULL, target=0.95 * 0.66, floor=0) is None
    assert relearn_time(FULL, 0.4 * FULL, target=0.5, floor=0.5) is None, "always predicting cat is not relearning"


def test_the_index_is_the_ratio_of_both_times() -> None:
    assert anamnesis_index(3, 12) == 0.25
    assert anamnesis_index(12, 12) == 1
    assert anamnesis_index(0, 12) == 0
    assert anamnesis_index(32, 8) == 4


@pytest.mark.parametrize(
    ("after", "gold", "words"),
    [
        (3, None, f"the retrained model does not relearn within {LAST_STEP} steps"),
        (None, None, "the retrained model does not relearn"),
        (None, 12, f"the unlearned model does not relearn within {LAST_STEP} steps"),
        (0, 0, "already classifies"),
        (None, 0, "already classifies"),
    ],
)
def test_without_both_times_there_is_a_reason_and_no_cap(after: int | None, gold: int | None, words: str) -> None:
    why = anamnesis_index(after, gold)
    assert isinstance(why, str) and words in why and why.endswith(".")


def test_the_cost_counts_every_model_and_draw() -> None:
    one, three = images_needed(["fresh"], 1000), images_needed(["after", "gold", "fresh"], 1000)
    assert three == tuple(3 * count for count in one)
    assert one[0] == PROTOCOL.draws * LAST_STEP * 2 * PROTOCOL.half
    assert images_needed(["fresh"], 1)[1] == PROTOCOL.draws * len(EVAL_STEPS) * (1 + PROTOCOL.beside)
