"""CF-k and EU-k: fine-tune or retrain only the last k layers without the forget set (Goel et al., 2022).

Idea. Information about single images and classes sits mostly in the last layers. Freeze all but the last k layers and
train these on the retain set, either from their current weights (CF-k, catastrophic forgetting) or from fresh weights
(EU-k, exact unlearning of these layers).

Cost. The chosen number of epochs over the retain set; frozen layers need no backward pass.

When it fails. The frozen layers were trained on the forget set and still extract the same features, so relearning is
quick. EU-k with small k trains a new head on old features; CF-k forgets as little as fine-tuning does.

Source. Goel et al. 2022, section 4; the SCRUB authors' code (last block, learning rate 0.01, 10 epochs). Frozen layers
are frozen exactly here, including their batch-norm statistics, which in train mode would follow the new data.
"""

import math

from torch import nn

from unlearn_core.domain.method import TUNED_ON, DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    early_stop,
    epochs,
    learning_rate,
    linear_decay,
    momentum,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.loops import fit
from unlearn_core.training.optim import linear_schedule, sgd
from unlearn_core.training.problem import Problem
from unlearn_core.training.reinitialize import reinitialize

HEAD_AND_BLOCK = 2
"""How many layers the preset `auto` always trains: with a new head alone, all features would be the old ones."""


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of CF-k and EU-k."""

    mode: str = hyperparameter(
        "re-initialise",
        choices=("continue", "re-initialise"),
        title="Last layers",
        explain="Train them from their current weights (CF-k) or from fresh weights (EU-k).",
    )
    layers: int = hyperparameter(
        2,
        low=1,
        high=50,
        title="Number of layers",
        unit="layers",
        symbol="k",
        explain="Layers to train, counted from the end.",
    )
    lr: float = learning_rate(0.1, explain="Step size; fresh layers need a higher one than trained layers tolerate.")
    epochs: int = epochs(2, over="the retain set")
    falls: bool = linear_decay()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Train the last layers of `problem.model`; raises DivergedError if the loss is not finite."""
    model, last = problem.model, problem.classifier.roles.layers[-params.layers :]
    steps = problem.retain.num_batches(params.batch) * params.epochs
    tracker.plan(train=steps)
    if params.mode == "re-initialise":
        reinitialize(model, problem.fresh_model(), last)
    trained = _only(model, last)
    tracker.phase("train")
    batches = problem.epochs(problem.retain, range(params.epochs), params.batch, augment=params.augment)
    schedule = linear_schedule(params.lr, steps) if params.falls else None
    fit(problem, batches, sgd(trained, params, nesterov=True), tracker, lr_schedule=schedule)
    model.requires_grad_(True)


def _only(model: nn.Module, layers: tuple[str, ...]) -> nn.ModuleList:
    """The named modules in train mode, while all others are frozen, batch-norm statistics included."""
    trained = nn.ModuleList([model.get_submodule(name) for name in layers])
    model.eval().requires_grad_(False)
    return trained.train().requires_grad_(True)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.retain * params.epochs


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    """The rate; small data has more epochs, and in models with few layers fewer of them are trained."""
    share = min(1.0, sizes.layers / TUNED_ON.layers)
    layers = min(params.layers, max(HEAD_AND_BLOCK, math.ceil(params.layers * share)))
    epochs = epochs_for(
        params.epochs, params.batch, images=sizes.retain, tuned_on=TUNED_ON.retain, classes=sizes.classes
    )
    return {"lr": params.lr * strength, "epochs": epochs, "layers": layers}


_FOR_IMAGES = Hyperparameters(layers=3, lr=0.05)


def _caution(params: Hyperparameters, sizes: ProblemSize, searches: bool) -> str | None:
    fresh = params.mode == "re-initialise" and params.layers > HEAD_AND_BLOCK
    if searches or not (fresh and sizes.is_few_images and sizes.shares_features):
        return None
    return (
        "So many fresh layers do not regain the accuracy of the original model in a few epochs: the retain set loses 5 "
        "points or more."
    )


METHOD = Method(
    id="cfk",
    title="Last layers (CF-k, EU-k)",
    group="Baselines",
    summary="train only the last layers without the forget set · needs no forget data",
    idea="Freezes the model except for its **last layers** and trains these on the retain set, from their current or "
    "from fresh weights.",
    failure_modes="The frozen layers still extract the old features. A class is forgotten only because the new head "
    "never saw it, and is quickly relearned. Single images need more fresh layers, which cost accuracy.",
    paper=Reference(
        "Goel et al., Towards Adversarial Evaluations for Inexact Machine Unlearning, 2022",
        "https://arxiv.org/abs/2201.06640",
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "EU-k: fresh weights for the last block and the head, one more block for single images.",
            Hyperparameters(),
            by_request_size={"few pictures": _FOR_IMAGES, "many pictures": _FOR_IMAGES},
        ),
        "continue": Preset(
            "continue", "CF-k: the same layers, from their current weights.", Hyperparameters(mode="continue")
        ),
        "head": Preset(
            "head only",
            "EU-1: a new head on the old features, which still contain everything.",
            Hyperparameters(layers=1),
        ),
        "paper": Preset(
            "paper",
            "EU-k as in the SCRUB authors' code: the last block and the head, ten epochs at 0.01.",
            Hyperparameters(layers=2, lr=0.01, epochs=10, falls=False),
        ),
    },
    needs=lambda params: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    caution=_caution,
    tuning=Tuning(
        finds=("lr", "epochs", "layers", "batch"),
        batch="batch",
        values=_at_strength,
        rule="The learning rate, with which fresh layers learn; small data is shown in more epochs "
        "and smaller batches, and in a model with few layers fewer of them are trained.",
        repairs=True,
    ),
    forget=forget,
)
