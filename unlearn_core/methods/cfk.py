"""CF-k and EU-k: train only the last k layers on, or anew, without the forgotten data (Goel et al., 2022).

Idea. What a net knows of single pictures and of classes sits towards its end. So freeze all but the last k layers and
train these on the kept pictures, from where they are (CF-k, catastrophic forgetting) or from fresh weights (EU-k,
exact unlearning of these layers).

Cost. The chosen number of epochs over the kept pictures; the frozen layers need no way back.

When it fails. The frozen layers were trained on what should be forgotten and still see it as they did: relearning is
quick. EU-k with small k gives a new head to old features; CF-k forgets as little as fine-tuning does.

Source: Goel et al. 2022, section 4; the SCRUB authors' code (last block, rate 0.01, 10 epochs). A frozen layer is
frozen here to the last bit, its batch-norm statistics included, which in train mode would follow the new data.
"""

import torch
from torch import nn
from torch.nn import functional as F

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import augment, batch_size, learning_rate, linear_decay, momentum, weight_decay
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.optim import optimizer_step, set_linear_lr
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import Problem
from unlearn_core.training.reinitialize import reinitialize


class Hyperparameters(BaseHyperparameters):
    """CF-k's and EU-k's hyper-parameters."""

    mode: str = hyperparameter(
        "re-initialise",
        choices=("continue", "re-initialise"),
        title="The last layers",
        explain="Are trained on from where they are (CF-k), or from fresh weights (EU-k).",
    )
    layers: int = hyperparameter(
        2, low=1, high=50, title="How many layers", unit="layers", symbol="k", explain="Counted from the end."
    )
    lr: float = learning_rate(0.1, explain="How far each step goes; fresh layers need more than old ones bear.")
    epochs: int = hyperparameter(
        2, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over the kept pictures."
    )
    falls: bool = linear_decay()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Trains the last layers of `problem.net`; raises Diverged where the loss is no longer a number."""
    net, last = problem.model, problem.classifier.roles.layers[-params.layers :]
    steps = problem.retain.num_batches(params.batch) * params.epochs
    tracker.plan(train=steps)
    if params.mode == "re-initialise":
        reinitialize(net, problem.fresh_model(), last)
    trained = _only(net, last)
    optimiser = torch.optim.SGD(
        trained.parameters(), params.lr, params.momentum, weight_decay=params.weight_decay, nesterov=params.momentum > 0
    )
    tracker.phase("train")
    batches = (
        batch
        for number in range(params.epochs)
        for batch in problem.retain.batches(
            params.batch, problem.random_generator("epoch", number), augment=params.augment
        )
    )
    for step, (pictures, labels) in enumerate(tracker.iterate(batches)):
        if params.falls:
            set_linear_lr(optimiser, params.lr, step=step, steps=steps)
        with autocast(problem.device):
            loss = F.cross_entropy(net(pictures), labels)
        optimizer_step(optimiser, loss)
        tracker.log(loss=loss.item())
    net.requires_grad_(True)


def _only(model: nn.Module, layers: tuple[str, ...]) -> nn.ModuleList:
    """The named modules, ready to be trained while all others neither learn nor keep statistics."""
    trained = nn.ModuleList([model.get_submodule(name) for name in layers])
    model.eval().requires_grad_(False)
    return trained.train().requires_grad_(True)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.retain * params.epochs


_FOR_IMAGES = Hyperparameters(layers=3, lr=0.05)

METHOD = Method(
    id="cfk",
    title="Last layers (CF-k, EU-k)",
    group="Yardsticks",
    summary="train only the end of the net without them · sees no forgotten picture",
    idea="Freezes the net except for its **last layers** and trains these on the kept pictures, on from where they "
    "are or anew from fresh weights.",
    failure_modes="The frozen layers still see what they were taught to see: a class goes because the new head was never told "
    "of it, and is quickly learnt again. Single pictures need more fresh layers, and these cost accuracy.",
    paper=Reference(
        "Goel et al., Towards Adversarial Evaluations for Inexact Machine Unlearning, 2022",
        "https://arxiv.org/abs/2201.06640",
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "EU-k: fresh weights for the last block and the head, one block more for single pictures.",
            Hyperparameters(),
            by_request_size={"few pictures": _FOR_IMAGES, "many pictures": _FOR_IMAGES},
        ),
        "continue": Preset(
            "on from there", "CF-k: the same layers, on from where they are.", Hyperparameters(mode="continue")
        ),
        "head": Preset(
            "head alone", "EU-1: a new head on the old features, which still know all.", Hyperparameters(layers=1)
        ),
        "paper": Preset(
            "paper",
            "EU-k as in the SCRUB authors' code: the last block and the head, ten epochs at 0.01.",
            Hyperparameters(layers=2, lr=0.01, epochs=10, falls=False),
        ),
    },
    needs=lambda knobs: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
