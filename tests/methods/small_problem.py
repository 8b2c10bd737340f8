"""Problems on the tiny classifier, for tests of methods."""

import os
from pathlib import Path
from typing import Any

from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun, build_problem, resolve_run
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
"""UNSIR's hyperparameters with which the tiny classifier really forgets; the presets are made for a larger one."""

FORGET = {"classes": ForgetClasses(classes=(1,)), "images": ForgetImages(images=tuple(range(0, 60, 4)))}


def tiny_spec(method: str, *, kind: str = "classes", seed: int = 0, **knobs: Any) -> UnlearnSpec:
    """A spec on the tiny classifier, from the method's first preset with some hyperparameters changed."""
    first = next(iter(find_method(method).presets.values())).for_request(FORGET[kind])
    request = ForgetRequest(classifier="tiny", dataset="shapes", forget=FORGET[kind])
    return UnlearnSpec(request=request, method=method, params=first.updated(knobs).model_dump(), seed=seed)


def tiny_problem(spec: UnlearnSpec) -> tuple[ResolvedRun, Problem]:
    """The layout and a fresh Problem of a spec, on the CPU."""
    warm = ModelCache("cpu", Path(os.devnull))
    layout = resolve_run(spec, warm)
    return layout, build_problem(layout, warm)
