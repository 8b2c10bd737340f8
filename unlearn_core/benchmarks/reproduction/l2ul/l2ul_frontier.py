"""L2UL's goals and safeguards on five draws of 1 to 256 images, each with the best learning rate of its search."""

from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Any

from unlearn_core.benchmarks.reproduction.l2ul.l2ul_draws import (
    FRESH_DRAWS,
    REPORTED_DRAWS,
    DrawnRun,
    by_key,
    drawn_spec,
)
from unlearn_core.charts.measured.l2ul_courses import GOALS, GUARDS, setting_name
from unlearn_core.methods import method

MAIN_SIZE = 16
SMALL_SIZES, LARGE_SIZES = (4, 1, 64), (128, 256)
"""Further numbers of images, which are measured after the main one, and last."""
MAX_STEPS = 400
RATES: Mapping[str, float] = {"adv-imp": 2e-3, "imp": 5e-4, "adv": 5e-4, "none": 5e-4}
"""The learning rate for each safeguard, at which it retained most in the search among those that left no image."""


NEAREST = {"lr": 1e-3, "hold": 2.0}
"""What the goal nearest changes with both safeguards: under the regularisation of the others, images can stay."""
PRESETS = ("nearest", "relabel", "bundled")
"""The presets that are run on draws of their own."""


def settings() -> dict[str, dict[str, Any]]:
    """Return what each setting changes in the preset `bundled`, by name."""
    found = {
        setting_name(goal, guard): {"goal": goal, "guard": guard, "lr": RATES[guard]}
        for guard, goal in product(GUARDS, GOALS)
    }
    found[setting_name("nearest", "adv-imp")] |= NEAREST
    with_retained = {
        setting_name(goal, None): {"goal": goal, "guard": "none", "lr": RATES["none"], "retain_access": True}
        for goal in GOALS
    }
    return found | with_retained


def preset_name(preset: str) -> str:
    """Return the name that the runs of a preset have in the table."""
    return f"preset {preset}"


def _preset_runs() -> list[DrawnRun]:
    """Return the runs of the presets, on draws that nothing else was run on."""
    own = method("l2ul").presets
    found: list[DrawnRun] = []
    for preset, draw in product(PRESETS, FRESH_DRAWS):
        forget = drawn_spec(draw, MAIN_SIZE, {}).request.forget
        changes = own[preset].for_request(forget).model_dump()
        found.append(DrawnRun(preset_name(preset), drawn_spec(draw, MAIN_SIZE, changes)))
    return found


def _in_order() -> tuple[list[str], list[str]]:
    """Return the settings that the main questions are about, and the others: see `reported`."""
    first = [setting_name(goal, guard) for guard in ("adv-imp", "none") for goal in GOALS]
    first += [setting_name("misclassify", guard) for guard in ("imp", "adv")]
    return first, [name for name in settings() if name not in first]


@cache
def reported() -> dict[str, DrawnRun]:
    """Return every run by its key, in an order in which an unfinished measurement is balanced over draws."""
    first, rest = _in_order()
    changes, order = settings(), list[tuple[int, int, str]]()
    for sizes, names in (
        ((MAIN_SIZE,), first),
        ((MAIN_SIZE,), rest),
        (SMALL_SIZES, first),
        (SMALL_SIZES, rest),
        (LARGE_SIZES, first),
    ):
        order += [(images, draw, name) for draw in REPORTED_DRAWS for images in sizes for name in names]
    runs = [
        DrawnRun(name, drawn_spec(draw, images, {"max_steps": MAX_STEPS} | changes[name]))
        for images, draw, name in order
    ]
    presets, count = _preset_runs(), len(REPORTED_DRAWS) * len(first)
    best = presets[: len(FRESH_DRAWS)]
    return by_key([*best, *runs[:count], *presets[len(best) :], *runs[count:]])
