"""Relearning: how models are fine-tuned on forget images again, and how their relearn time is computed.

Copies of the unlearned model, the retrained model and a fresh model are fine-tuned on a few forget images, mixed with
retained images. The relearn time is the first step after which a model is nearly as accurate as the original model on
forget images that were not used for fine-tuning, and still works on retained images. The anamnesis index is the
unlearned model's time divided by the retrained model's: 1 if nothing remained, less than 1 if information remained.

Source: relearn time (Golatkar et al. 2020) and anamnesis index (Chundawat et al. 2023, "Zero-shot machine unlearning",
section 5), with steps instead of epochs, and without what misleads in their code: every model is copied first, all
see the same batches, all are evaluated in eval mode, and a model that never relearns is reported as such, not given the
maximum time.
"""

from collections.abc import Sequence

import numpy as np

from unlearn_core.domain.results.result import Record


class RelearnProtocol(Record):
    """How a model is fine-tuned on forget images, and when it counts as relearned."""

    each: int
    """Forget images used for fine-tuning: per forgotten class, or in total for a request to forget single images."""
    half: int
    """Images of each side in a batch. Retained images are drawn at random from the retain set, training: without them
    a model that predicts one class for everything would succeed, and a fresh model would be as quick as any other."""
    lr: float
    momentum: float
    draws: int
    """Number of repetitions, each with other images and another fresh model."""
    asked: int
    """Maximum number of forget images for evaluation; images not used for fine-tuning where possible."""
    beside: int
    """Retained validation images for evaluation."""
    back: float
    """The share of the original model's accuracy on forget images that counts as relearned ..."""
    sane: float
    """... at a step at which this share of its accuracy on retained images is reached too."""


PROTOCOL = RelearnProtocol(each=32, half=24, lr=0.02, momentum=0.9, draws=3, asked=100, beside=50, back=0.95, sane=0.5)

EVAL_STEPS = (0, 1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 32)
"""The steps after which a model is evaluated: dense at first, since what was not forgotten returns at once."""

LAST_STEP = EVAL_STEPS[-1]


def relearn_time(forget: np.ndarray, retain: np.ndarray, *, target: float, floor: float) -> int | None:
    """The first of EVAL_STEPS at which both accuracies (one value per step, 0 to 1) are reached; None for never."""
    reached = np.flatnonzero((forget >= target - 1e-9) & (retain >= floor - 1e-9))
    return EVAL_STEPS[int(reached[0])] if len(reached) else None


def anamnesis_index(after: int | None, gold: int | None) -> float | str:
    """The anamnesis index, the unlearned model's relearn time divided by the retrained model's, or why it is undefined.

    1 means that nothing remained, less than 1 that information remained, far more than 1 that the model was damaged.
    """
    if gold is None:
        return f"The index is undefined: the retrained model does not relearn within {LAST_STEP} steps."
    if gold == 0:
        return "The index is undefined: the retrained model already classifies the forget images well without training."
    if after is None:
        return f"The index is undefined: the unlearned model does not relearn within {LAST_STEP} steps."
    return after / gold


def images_needed(models: Sequence[str], num_forget: int) -> tuple[int, int]:
    """The cost: the maximum number of images in training steps, and the number of images evaluated."""
    times = PROTOCOL.draws * len(models)
    return times * LAST_STEP * 2 * PROTOCOL.half, times * len(EVAL_STEPS) * (
        min(num_forget, PROTOCOL.asked) + PROTOCOL.beside
    )
