"""The setting of the ladder: its original, its requests, its steps, and the hyperparameters of each.

The challenge's original knows its training images far better than others (98.98 and 96.43 %): that is what can be
forgotten. The bundled ResNet-8 hardly does, so the same architecture is trained here for longer and without
augmentation. Source of the steps and their published scores: Ahn et al., NeurIPS challenge 2023, report and blog.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import ENSEMBLE_REQUEST, standard_requests
from unlearn_core.domain.forget_request import ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.methods import method as find_method
from unlearn_core.models import classifiers

NUM_MODELS = 16
"""How many models a step is scored with, and against how many golds."""
REPORTED, TUNING = "reported", "tuning"
"""The requests: that of the results, and another one, on which learning rates are chosen."""
NUM_GOLDS = {TUNING: NUM_MODELS, REPORTED: 2 * NUM_MODELS}
"""How many golds each request needs: the second half of the reported one's gives the ceiling."""
RATES = (0.001, 0.003, 0.0003, 0.01)
"""The learning rates that are tried for each step with a rate of its own."""
SIGMAS = (0.005, 0.01, 0.02, 0.05, 0.1)
"""Standard deviations of input noise, of which the largest is used that the original tolerates."""
MAX_LOSS = 0.01
"""The most accuracy on validation images that the original may lose under the noise."""
PRINTED_AS_VARIANCE = 0.1
"""The noise if the report's 0.01 is a variance; measured beside the one that is tolerated."""

_TUNING_SEED = 2023
_FINE_TUNED: dict[str, Any] = {
    "cycles": 1, "layers": "0", "epochs": "2", "sigma": 0.0, "loss": "ce", "share": 1.0, "augment": False,
    "spare_head": False, "spare_shortcuts": False,
}  # fmt: skip
_REINITIALIZED = _FINE_TUNED | {"layers": "1"}
"""A tenth of the ten layers, re-initialised per cycle, is one."""


class LadderStep(NamedTuple):
    """One setting: its name, the published score, the step that it adds an idea to, its method and hyperparameters.

    `rate_of` names the step whose learning rate it uses, "" if it keeps that of its preset. With `is_noisy` its noise
    is the largest that the original tolerates.
    """

    name: str
    published: float | None
    baseline: str | None
    params: dict[str, Any]
    rate_of: str = ""
    is_noisy: bool = False
    method: str = "reinit"
    preset: str = "bundled"


@cache
def steps() -> dict[str, LadderStep]:
    """Return all steps by name: the ladder, its variants, and other methods for comparison."""
    taught = _REINITIALIZED | {"loss": "mse"}
    thrice = taught | {"cycles": 3, "epochs": "1,2,2"}
    found = [
        LadderStep("fine-tune", 0.0496, None, _FINE_TUNED, "fine-tune"),
        LadderStep(
            "+ random re-initialisation", 0.0617, "fine-tune", _REINITIALIZED, "+ random re-initialisation"
        ),
        LadderStep("+ Gaussian noise", 0.0653, "+ random re-initialisation", _REINITIALIZED, "+ Gaussian noise", True),
        LadderStep("MSE instead of CE", 0.0680, "+ Gaussian noise", taught, "MSE instead of CE", True),
        LadderStep("three cycles", 0.0856, "MSE instead of CE", thrice, "three cycles", True),
        LadderStep(
            "without the head", 0.0926, "three cycles", thrice | {"spare_head": True}, "three cycles", True
        ),
        LadderStep(
            "without head and shortcuts", 0.0969, "without the head",
            thrice | {"spare_head": True, "spare_shortcuts": True}, "three cycles", True,
        ),
        LadderStep(
            "Fisher-chosen layers", 0.0486, "+ random re-initialisation", _REINITIALIZED | {"choice": "fisher"},
            "+ random re-initialisation",
        ),
        LadderStep(
            "crops and flips", 0.00001, "+ random re-initialisation", _REINITIALIZED | {"augment": True},
            "+ random re-initialisation",
        ),
        LadderStep(
            "L1 instead of CE", 0.0326, "+ Gaussian noise", _REINITIALIZED | {"loss": "l1"}, "L1 instead of CE", True
        ),
        LadderStep(
            "single weights instead of layers", 0.0575, "three cycles", thrice | {"granularity": "weights"},
            "three cycles", True,
        ),
        LadderStep("the report's first algorithm", 0.0939, None, {}, preset="paper-1"),
        LadderStep("the report's second algorithm", 0.0929, None, {}, preset="paper-2"),
        LadderStep("NegGrad", 0.0001, None, {}, method="neggrad"),
        LadderStep("SCRUB", None, None, {}, method="scrub"),
        LadderStep("SalUn", None, None, {}, method="salun"),
        LadderStep("MSG", None, None, {}, method="msg"),
    ]  # fmt: skip
    return {step.name: step for step in found}


def tuned_steps() -> list[LadderStep]:
    """Return the steps with a learning rate of their own."""
    return [step for step in steps().values() if step.rate_of == step.name]


def recipe() -> Recipe:
    """Return how the original and its golds are trained: longer, and without augmentation."""
    own = classifiers.card(ENSEMBLE_REQUEST[0]).required_recipe
    return own.model_copy(update={"epochs": 30, "augment": "none", "weight_decay": 1e-4})


@cache
def forget_request(name: str) -> ForgetRequest:
    """Return one of the two requests, each of 200 training images; they have none in common."""
    card = classifiers.card(ENSEMBLE_REQUEST[0])
    data = datasets.card(card.dataset)
    reported = standard_requests(data)[ENSEMBLE_REQUEST[1]]
    assert isinstance(reported, ForgetImages), "the standard request names images"
    others = np.setdiff1d(np.arange(data.train), reported.images)
    drawn = np.random.default_rng(_TUNING_SEED).choice(others, len(reported.images), replace=False)
    forget = reported if name == REPORTED else ForgetImages(images=tuple(drawn.tolist()))
    return ForgetRequest(classifier=card.id, dataset=card.dataset, forget=forget)


def step_spec(step: LadderStep, request: str, *, sigma: float, rate: float | None) -> UnlearnSpec:
    """Return the run of a step with this noise and learning rate; its models are those of the seeds 0, 1, 2 ..."""
    asked, method = forget_request(request), find_method(step.method)
    changes = step.params | ({"sigma": sigma} if step.is_noisy else {}) | ({} if rate is None else {"lr": rate})
    params = method.presets[step.preset].for_request(asked.forget).updated(changes)
    return UnlearnSpec(request=asked, method=method.id, params=params.model_dump())
