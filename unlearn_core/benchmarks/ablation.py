"""The report's own ladder: what each idea of stochastic re-initialisation adds to the challenge's score.

Eight settings, each one idea beyond an earlier one, as in the ablations that Ahn et al. (NeurIPS challenge, 2023)
published; here on the small ResNet-8, whose golds ship by the hundred. A step is scored by N nets against N golds, and
as many other golds are scored against the same, which is the ceiling that no method can be expected to pass.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import POPULATION, POPULATION_SIZE, standard
from unlearn_core.domain.errors import BadAsset
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import RunSpec
from unlearn_core.domain.split import cut
from unlearn_core.engine.jobs import ensemble_members
from unlearn_core.methods import method as find_method
from unlearn_core.models import classifiers, ensembles
from unlearn_core.models.ensembles import Population
from unlearn_core.probes.common import neurips_score

NETS = POPULATION_SIZE // 2
"""How many nets a step is scored by, and against how many golds."""
COLUMNS = ("key", "step", "published", "nets", "forgetting", "error", "retain", "test", "score", "device")

_TUNED = {"cycles": 1, "layers": "0", "epochs": "2", "sigma": 0.0, "loss": "ce", "share": 1.0, "augment": False}
_TUNED |= {"spare_head": False, "spare_shortcuts": False}
"""Fine-tuning: two epochs in which nothing is redrawn. A tenth of this net's ten layers, redrawn a cycle, is one."""
_REDRAWN = _TUNED | {"layers": "1"}
_NOISY = _REDRAWN | {"sigma": 0.1}
_TAUGHT = _NOISY | {"loss": "mse"}
_THRICE = _TAUGHT | {"cycles": 3, "epochs": "1,2,2"}
_SPARED = _THRICE | {"spare_head": True, "spare_shortcuts": True}


class Step(NamedTuple):
    """One setting: its name, the published score, the step that it adds an idea to, its method and knobs.

    NegGrad stands as its preset has it; all others differ from re-initialisation's preset by these knobs.
    """

    name: str
    published: float
    beyond: str | None
    method: str
    knobs: dict[str, Any]


STEPS = (
    Step("NegGrad", 0.0001, None, "neggrad", {}),
    Step("fine-tune", 0.0496, "NegGrad", "reinit", _TUNED),
    Step("+ random re-initialisation", 0.0617, "fine-tune", "reinit", _REDRAWN),
    Step("Fisher-chosen instead", 0.0486, "+ random re-initialisation", "reinit", _REDRAWN | {"choice": "fisher"}),
    Step("+ Gaussian noise", 0.0653, "+ random re-initialisation", "reinit", _NOISY),
    Step("MSE instead of CE", 0.0680, "+ Gaussian noise", "reinit", _TAUGHT),
    Step("three cycles", 0.0856, "MSE instead of CE", "reinit", _THRICE),
    Step("without head and shortcuts", 0.0969, "three cycles", "reinit", _SPARED),
)
CEILING = "golds against golds"


def request() -> ForgetRequest:
    """The request that the ladder is about."""
    card = classifiers.card(POPULATION[0])
    forget = standard(datasets.card(card.dataset))[POPULATION[1]]
    return ForgetRequest(classifier=card.id, dataset=card.dataset, forget=forget)


def spec_of(step: Step) -> RunSpec:
    """The run that a step stands for; its nets are those of the seeds 0, 1, 2 ..."""
    wish, method = request(), find_method(step.method)
    base = method.presets["bundled"].params_for(wish.forget)
    return RunSpec(request=wish, method=step.method, params=base.with_values(step.knobs).model_dump())


def key_of(step: Step) -> str:
    """What a step's figures depend on; a change of any of it makes them outdated."""
    return row_key(spec_of(step), {"epsilon": neurips_score.REVISION}, nets=NETS)


def orders(step: Step, *, scratch: Path, device: str, threads: int) -> list[ensemble_members.Order]:
    """The nets that a step needs."""
    folder = scratch / "ladder" / key_of(step)
    return [ensemble_members.Order(spec_of(step), seed, folder, scratch, device, threads) for seed in range(NETS)]


def measure(step: Step, *, scratch: Path, device: str, threads: int, jobs: int) -> Iterator[int | dict[str, Any]]:
    """Makes the nets of a step, as far as they are missing, and gives how many there are; at last the step's row."""
    wanted = orders(step, scratch=scratch, device=device, threads=threads)
    for order in ensemble_members.make_all(wanted, jobs):
        yield order.number + 1
    every = [ensemble_members.kept(order.folder, order.number) for order in wanted]
    yield _row(step, Population.of([one for one in every if one is not None]), device)


def ceiling() -> dict[str, Any]:
    """The row of the second half of the golds, scored as if a method had made them."""
    _, others = _golds()
    return _row(Step(CEILING, float("nan"), None, "", {}), others, "")


def _row(step: Step, ours: Population, device: str) -> dict[str, Any]:
    score = ensemble_members.score(ours, _golds()[0], _labels())
    figures = {
        "forgetting": score.forgetting,
        "error": neurips_score.standard_error(score.epsilons, len(ours)),
        "retain": score.retain,
        "test": score.test,
        "score": score.final,
    }
    return {
        "key": key_of(step) if step.method else "",
        "step": step.name,
        "published": step.published if step.method else "",
        "nets": len(ours),
        **{name: round(value, 5) for name, value in figures.items()},
        "device": device,
    }


def _labels() -> np.ndarray:
    """The labels of the forgotten pictures."""
    wish = request()
    card = datasets.card(wish.dataset)
    labels = datasets.load(card.id).labels
    return labels[cut(card, labels, wish.forget).forget_train]


def _golds() -> tuple[Population, Population]:
    every = ensembles.golds(request())
    if every is None or len(every) < POPULATION_SIZE:
        raise BadAsset("The golds of the ladder are not in assets. Make them with `make bundle`.")
    return every.part(0, NETS), every.part(NETS, 2 * NETS)
