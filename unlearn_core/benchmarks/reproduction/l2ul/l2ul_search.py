"""The search for settings of L2UL on single images: on draws and images that no result is reported on.

Each trial changes the preset `bundled`. Its retain accuracy is on validation images, and it gets no test image.
"""

from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Any

from unlearn_core.benchmarks.reproduction.l2ul.l2ul_draws import SEARCH_DRAWS, DrawnRun, by_key, drawn_spec

IMAGES = 16
MAX_STEPS = 200
GOALS = ("nearest", "relabel", "misclassify")
GUARDS = ("adv-imp", "none", "imp", "adv")
RATES = (5e-4, 2e-3)
"""The learning rates of every goal with every safeguard; the preset's is twice the last one."""
_NEAREST = {"goal": "nearest", "guard": "adv-imp"}

FROZEN_TRIALS: tuple[dict[str, Any], ...] = (
    _NEAREST | {"lr": 1e-3, "hold": 2.0, "frozen_norm": True},
    {"frozen_norm": True, "most": 2.3, "lr": 1e-3},
)
"""With frozen batch norm, where the loss is bounded: by its labels, or by a cap."""
RATE_TRIALS: tuple[dict[str, Any], ...] = tuple(
    {"goal": goal, "guard": guard, "lr": lr} for guard, goal, lr in product(GUARDS, GOALS, RATES)
)
NEAREST_TRIALS: tuple[dict[str, Any], ...] = tuple(
    _NEAREST | {"lr": lr, "hold": hold} for lr, hold in ((1e-3, 2.0), (1e-3, 1.0), (5e-4, 1.0), (1e-3, 5.0))
)
"""With weaker regularisation than the preset's, under which the last images of a draw can stay for long."""
MORE_TRIALS: tuple[dict[str, Any], ...] = (
    *(
        _NEAREST | {"lr": 1e-3, "hold": 2.0} | change
        for change in (
            {"ascent": 0.9},
            {"momentum": 0.5},
            {"radius": 1.0},
            {"radius": 2.0},
            {"copies": 4},
        )
    ),
    *({"goal": goal} for goal in GOALS),
    {"most": 2.3},
    {"clip": 1.0},
)
"""Around the best goal, and the preset with other goals and other ways to bound its loss."""


def label(changes: Mapping[str, Any]) -> str:
    """Return a trial's changes in words, such as "goal=relabel, lr=0.001"."""
    return ", ".join(f"{name}={value}" for name, value in changes.items()) or "preset"


@cache
def searched() -> dict[str, DrawnRun]:
    """Return every run of the search by its key."""
    return by_key(
        DrawnRun(label(changes), drawn_spec(draw, IMAGES, {"max_steps": MAX_STEPS} | changes))
        for trials in (FROZEN_TRIALS, NEAREST_TRIALS, RATE_TRIALS, MORE_TRIALS)
        for draw in SEARCH_DRAWS
        for changes in trials
    )
