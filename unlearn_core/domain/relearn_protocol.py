"""Can it be brought back? The terms on which nets are taught again, and how the time that they take is counted.

Copies of after, of gold and of a fresh net are taught a few of the forgotten pictures again, in steps, with kept ones
beside them. The relearn time is the first step after which a net names forgotten pictures that it was not taught nearly
as well as the original does, and is still sane about the kept ones. The anamnesis index is after's time by gold's: 1
for a net that knows no more than one that never saw the pictures, less where something was left.

Source: relearn time (Golatkar et al. 2020) and anamnesis index (Chundawat et al. 2023, "Zero-shot machine unlearning",
section 5), with steps in place of epochs, and without what misleads in their code: every net is copied first, all see
the same batches, all answers are given in eval mode, and a net that does not come back is said to, not given the cap.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class RelearnProtocol(NamedTuple):
    """How a net is taught what it should have forgotten, and when that counts as brought back."""

    each: int = 32
    """Forgotten training pictures that are taught again, of each forgotten class; so many in all of single pictures."""
    half: int = 24
    """Pictures of either side in a batch. Kept ones stand beside the forgotten ones, at random from all kept training
    pictures: without them a net needs only call everything alike, and a fresh net would be as quick as any."""
    lr: float = 0.02
    momentum: float = 0.9
    draws: int = 3
    """How often all is repeated, each time with other pictures and another fresh net."""
    asked: int = 100
    """Forgotten pictures, at the most, that are asked after a step, none of them taught where that can be."""
    beside: int = 50
    """Kept validation pictures that are asked with them."""
    back: float = 0.95
    """The share of the original's accuracy on the forgotten pictures that counts as brought back ..."""
    sane: float = 0.5
    """... at a step at which this share of its accuracy on the kept ones is there too."""


PROTOCOL = RelearnProtocol()

EVAL_STEPS = (0, 1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 32)
"""The steps after which a net is asked: close at first, since what was not forgotten is back at once."""

LAST_STEP = EVAL_STEPS[-1]


def relearn_time(forget: np.ndarray, retain: np.ndarray, *, target: float, floor: float) -> int | None:
    """The first of STEPS at which both accuracies (one value for each, 0 to 1) are reached; None for never."""
    reached = np.flatnonzero((forget >= target - 1e-9) & (retain >= floor - 1e-9))
    return EVAL_STEPS[reached[0]] if len(reached) else None


def anamnesis_index(after: int | None, gold: int | None) -> float | str:
    """The anamnesis index, relearn time of after by that of gold, or why there is none.

    1 is what a net that never saw the pictures needs, less says that something was left, far more that the net was
    damaged.
    """
    if gold is None:
        return f"There is no index: gold itself is not back within {LAST_STEP} steps."
    if gold == 0:
        return "There is no index: gold has nothing to learn, it names them well without having seen them."
    if after is None:
        return (
            f"There is no index: after is not back within {LAST_STEP} steps, and how long it would take is not known."
        )
    return after / gold


def images_needed(models: Sequence[str], num_forget: int) -> tuple[int, int]:
    """How many pictures go through training steps at the most, and how many are asked: what the whole costs."""
    times = PROTOCOL.draws * len(models)
    return times * LAST_STEP * 2 * PROTOCOL.half, times * len(EVAL_STEPS) * (
        min(num_forget, PROTOCOL.asked) + PROTOCOL.beside
    )
