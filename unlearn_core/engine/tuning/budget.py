"""The budget of a search: how many settings a run tries, and on how many of its images each.

It is counted in images, never in seconds, so that the same spec gives the same weights on any machine.
"""

from typing import Any, NamedTuple

from unlearn_core.domain.method import Method, ProblemSize
from unlearn_core.domain.params import BaseHyperparameters

MOST_TRIES = 6
"""How many settings a search tries at most."""
ENOUGH_TRIES, LEAST_TRIES = 4, 3
"""How many make it worthwhile not to shorten them, and not to shorten them further."""
USUAL_TRIES = 3
"""How many a forecast counts on: most searches succeed before."""

SHARE_OF_RUN = 0.5
"""What a search may cost, as a share of the run itself."""

ALWAYS_ALLOWED = 1500.0
"""What it may cost in any case: the images, in training steps of the bundled ResNet-20, of about two seconds."""

STEP_COST = 1.0
"""What a step costs at least, in such images: with the smallest models, steps cost more than operations."""
USUAL_BATCH = 64
"""The images in a step of methods that have no such hyperparameter."""

EVALUATED = {"forget": 300, "retain": 600}
"""How many images of each set are evaluated after each try."""

EVALUATION_COST = 1.0
"""The cost of evaluating an image in float32, as a share of training on it in bfloat16, for the bundled ResNet-8."""

ENOUGH_SHARE, LEAST_SHARE = 1 / 8, 1 / 32
WHOLE_FORGET_SET = 64
"""A forget set up to this size is never shortened."""


class TryPlan(NamedTuple):
    """How many settings are tried, and on which share (0 to 1) of the training images."""

    tries: int
    share: float


def plan(
    method: Method[Any],
    params: BaseHyperparameters,
    sizes: ProblemSize,
    image_cost: float,
    *,
    evaluated: int | None = None,
) -> TryPlan:
    """Return the plan for a run with the hyperparameters at strength 1.

    `image_cost` is the cost of an image relative to the bundled ResNet-20. So many images are `evaluated` after each
    try; where that is not known, as many as may be.
    """
    allowed = allowance(method, params, sizes, image_cost)
    count = most_evaluated(sizes) if evaluated is None else evaluated

    def tries(share: float) -> int:
        return int(allowed / (try_cost(method, params, sizes, share) + count * EVALUATION_COST))

    if tries(1.0) >= ENOUGH_TRIES:
        return TryPlan(min(MOST_TRIES, tries(1.0)), 1.0)
    # Shorter tries say less of the run: rather a few of them than many that are too short.
    share = 0.5
    while tries(share) < (MOST_TRIES if share > ENOUGH_SHARE else LEAST_TRIES) and share > LEAST_SHARE:
        share /= 2
    return TryPlan(min(MOST_TRIES, tries(share)), share)


def allowance(method: Method[Any], params: BaseHyperparameters, sizes: ProblemSize, image_cost: float) -> float:
    """Return how many images in training steps a search may process, evaluation counted by its cost."""
    batch = min((value for name, value in params.model_dump().items() if "batch" in name), default=USUAL_BATCH)
    always = ALWAYS_ALLOWED / max(image_cost, STEP_COST / batch)
    return max(SHARE_OF_RUN * method.images_processed(params, sizes), always)


def try_cost(method: Method[Any], params: BaseHyperparameters, sizes: ProblemSize, share: float) -> int:
    """Return the images in training steps of a try on this share of the retained training images."""
    if share < 1 and method.tuning is not None:
        params, images = method.tuning.shortened(params, share)
        sizes = shortened(sizes, images)
    return method.images_processed(params, sizes)


def most_evaluated(sizes: ProblemSize) -> int:
    """Return how many images are evaluated after a try at most."""
    return sum(min(count, getattr(sizes, name)) for name, count in EVALUATED.items())


def cost(
    method: Method[Any], params: BaseHyperparameters, sizes: ProblemSize, image_cost: float, *, tries: int = MOST_TRIES
) -> float:
    """Return the images in training steps of so many tries, or of all if there are fewer, with their evaluation."""
    planned, share = plan(method, params, sizes, image_cost)
    each = try_cost(method, params, sizes, share) + most_evaluated(sizes) * EVALUATION_COST
    return min(tries, planned) * each


def shortened(sizes: ProblemSize, share: float) -> ProblemSize:
    """Return the size of the problem of a try."""
    forget = max(round(sizes.forget * share), min(sizes.forget, WHOLE_FORGET_SET))
    return sizes._replace(forget=forget, retain=max(1, round(sizes.retain * share)))
