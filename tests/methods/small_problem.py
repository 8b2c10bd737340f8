"""Problems on the tiny classifier, for tests of methods."""

import os
from pathlib import Path
from typing import Any

from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import RunSpec
from unlearn_core.engine.model_cache import Warm
from unlearn_core.engine.setup import Layout, lay_out, problem_of
from unlearn_core.methods import method as find_method
from unlearn_core.training.problem import Problem

STRONG = {
    "batch": 16,
    "impair_lr": 0.02,
    "impair_epochs": 3,
    "repair_lr": 0.005,
    "noise_pictures": 64,
    "noise_repeats": 1,
}
"""UNSIR's knobs with which the tiny classifier really forgets; the presets are made for a larger one."""

FORGET = {"classes": ForgetClasses(classes=(1,)), "images": ForgetImages(images=tuple(range(0, 60, 4)))}


def tiny_spec(method: str, *, kind: str = "classes", seed: int = 0, **knobs: Any) -> RunSpec:
    """A spec on the tiny classifier, from the method's first preset with some knobs turned."""
    first = next(iter(find_method(method).presets.values())).params_for(FORGET[kind])
    request = ForgetRequest(classifier="tiny", dataset="shapes", forget=FORGET[kind])
    return RunSpec(request=request, method=method, params=first.with_values(knobs).model_dump(), seed=seed)


def tiny_problem(spec: RunSpec) -> tuple[Layout, Problem]:
    """The layout and a fresh Problem of a spec, on the CPU."""
    warm = Warm("cpu", Path(os.devnull))
    layout = lay_out(spec, warm)
    return layout, problem_of(layout, warm)
