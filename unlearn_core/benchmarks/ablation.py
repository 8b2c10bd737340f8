"""An ablation of stochastic re-initialisation: what each of its ideas adds to the NeurIPS challenge's score.

Eight settings, each with one idea more than an earlier one, as in the ablations of Ahn et al. (NeurIPS challenge,
2023); here on the small ResNet-8, which has an ensemble of bundled golds. A step is scored with N models against N
golds. As many other golds are scored against the same ones: the ceiling that no method can be expected to pass.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unlearn_core.benchmarks.csv_tables import MeasuredRow
from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import ENSEMBLE_REQUEST, ENSEMBLE_SIZE, standard_requests
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.split import make_split
from unlearn_core.engine.jobs.common import ensemble_members
from unlearn_core.methods import method as find_method
from unlearn_core.models import classifiers, ensembles
from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.probes.common import neurips_score

NUM_MODELS = ENSEMBLE_SIZE // 2
"""How many models a step is scored with, and against how many golds."""
COLUMNS = ("key", "step", "published", "nets", "forgetting", "error", "retain", "test", "score", "device")

_TUNED = {"cycles": 1, "layers": "0", "epochs": "2", "sigma": 0.0, "loss": "ce", "share": 1.0, "augment": False}
_TUNED |= {"spare_head": False, "spare_shortcuts": False}
"""Fine-tuning: two epochs without re-initialisation. A tenth of the ten layers, re-initialised per cycle, is one."""
NOISE, PRINTED_NOISE = 0.1, 0.01
"""The noise of the last four steps: the report's 0.01 read as a variance, and as it is printed."""
ACCURACY_WITHOUT_NOISE, ACCURACY_WITH_NOISE = 0.627, 0.337
"""Of the small original on validation images, without that noise on them and with it."""
_REINITIALIZED = _TUNED | {"layers": "1"}


class AblationStep(NamedTuple):
    """One setting: its name, the published score, the step that it adds an idea to, its method and hyperparameters.

    NegGrad uses its preset; all others change these hyperparameters of re-initialisation's preset.
    """

    name: str
    published_score: float
    baseline: str | None
    method: str
    params: dict[str, Any]


def steps(noise: float) -> tuple[AblationStep, ...]:
    """Return the steps, the last four of them with this noise."""
    noisy = _REINITIALIZED | {"sigma": noise}
    taught = noisy | {"loss": "mse"}
    thrice = taught | {"cycles": 3, "epochs": "1,2,2"}
    spared = thrice | {"spare_head": True, "spare_shortcuts": True}
    fisher = _REINITIALIZED | {"choice": "fisher"}
    return (
        AblationStep("NegGrad", 0.0001, None, "neggrad", {}),
        AblationStep("fine-tune", 0.0496, "NegGrad", "reinit", _TUNED),
        AblationStep("+ random re-initialisation", 0.0617, "fine-tune", "reinit", _REINITIALIZED),
        AblationStep("Fisher-chosen instead", 0.0486, "+ random re-initialisation", "reinit", fisher),
        AblationStep("+ Gaussian noise", 0.0653, "+ random re-initialisation", "reinit", noisy),
        AblationStep("MSE instead of CE", 0.0680, "+ Gaussian noise", "reinit", taught),
        AblationStep("three cycles", 0.0856, "MSE instead of CE", "reinit", thrice),
        AblationStep("without head and shortcuts", 0.0969, "three cycles", "reinit", spared),
    )


STEPS = steps(NOISE)
CEILING = "golds against golds"
"""The name of the ceiling's row in ladder.csv."""


def forget_request() -> ForgetRequest:
    """Return the request of the ablation."""
    card = classifiers.card(ENSEMBLE_REQUEST[0])
    forget = standard_requests(datasets.card(card.dataset))[ENSEMBLE_REQUEST[1]]
    return ForgetRequest(classifier=card.id, dataset=card.dataset, forget=forget)


def step_spec(step: AblationStep) -> UnlearnSpec:
    """Return the run of a step; its models are those of the seeds 0, 1, 2 ..."""
    request, method = forget_request(), find_method(step.method)
    base = method.presets["bundled"].for_request(request.forget)
    return UnlearnSpec(request=request, method=step.method, params=base.updated(step.params).model_dump())


def cache_key(step: AblationStep) -> str:
    """Return the hash of everything that a step's figures depend on; a change makes them outdated."""
    return row_key(step_spec(step), {"epsilon": neurips_score.REVISION}, nets=NUM_MODELS)


def ensemble_tasks(
    step: AblationStep, *, scratch: Path, device: str, threads: int
) -> list[ensemble_members.EnsembleTask]:
    """Return the models that a step needs."""
    folder = scratch / "ladder" / cache_key(step)
    return [
        ensemble_members.EnsembleTask(step_spec(step), seed, folder, scratch, device, threads)
        for seed in range(NUM_MODELS)
    ]


def measure(step: AblationStep, *, scratch: Path, device: str, threads: int, jobs: int) -> Iterator[int | MeasuredRow]:
    """Build the missing models of a step and yield how many exist so far; at last yield the step's row."""
    tasks = ensemble_tasks(step, scratch=scratch, device=device, threads=threads)
    for task in ensemble_members.build_all(tasks, jobs):
        yield task.number + 1
    outputs = [ensemble_members.load_outputs(task.folder, task.number) for task in tasks]
    yield _row(step, EnsembleOutputs.concatenate([member for member in outputs if member is not None]), device)


def gold_ceiling() -> MeasuredRow:
    """Return the row of the second half of the golds, scored as if a method had produced them."""
    _, others = _golds()
    return _row(AblationStep(CEILING, float("nan"), None, "", {}), others, "")


def _row(step: AblationStep, ours: EnsembleOutputs, device: str) -> MeasuredRow:
    score = ensemble_members.ensemble_score(ours, _golds()[0], _labels())
    figures = {
        "forgetting": score.forgetting,
        "error": neurips_score.standard_error(score.epsilons, len(ours)),
        "retain": score.retain,
        "test": score.test,
        "score": score.final,
    }
    return {
        "key": cache_key(step) if step.method else "",
        "step": step.name,
        "published": step.published_score if step.method else "",
        "nets": len(ours),
        **{name: round(value, 5) for name, value in figures.items()},
        "device": device,
    }


def _labels() -> np.ndarray:
    """Return the labels of the forget set."""
    request = forget_request()
    card = datasets.card(request.dataset)
    labels = datasets.load(card.id).labels
    return labels[make_split(card, labels, request.forget).forget_train]


def _golds() -> tuple[EnsembleOutputs, EnsembleOutputs]:
    golds = ensembles.bundled_golds(forget_request())
    if golds is None or len(golds) < ENSEMBLE_SIZE:
        raise CorruptAssetError("The retrained models of the ablation are not in assets. Run `make bundle`.")
    return golds.members(0, NUM_MODELS), golds.members(NUM_MODELS, 2 * NUM_MODELS)
