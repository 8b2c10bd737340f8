"""l1-sparse: fine-tuning that first makes weights smaller (Jia et al., NeurIPS 2023, arXiv 2304.04934).

Idea. Train on the kept pictures with an l1 penalty on all weights: CE(D_r) + gamma_e ||theta||_1. The penalty falls in
a straight line from epoch to epoch (section 4); a net with fewer weights in use forgets more easily.

Cost. The chosen epochs over kept pictures.

When it fails. As fine-tuning does, whose rate it needs: single pictures hardly fade. A strong penalty forgets by
spoiling everything, and the epochs without penalty have to mend that.

Where official code differs: nothing of note. The default weight among its arguments (0.2) is not usable. The paper also
prunes a net first and then unlearns it in other ways, which is not here.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    learning_rate,
    linear_decay,
    momentum,
    retain_per_class,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.optim import optimizer_step, set_linear_lr
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import Problem

UNUSED_BELOW = 1e-3
"""A weight below this is counted as not in use."""


class Hyperparameters(BaseHyperparameters):
    """l1-sparse fine-tuning's hyper-parameters; symbols as in the paper."""

    penalty: float = hyperparameter(
        5e-4,
        low=1e-6,
        high=0.01,
        scale="log",
        title="Penalty on weights",
        symbol="γ",
        explain="How hard all weights are pulled towards zero in the first epoch.",
    )
    lr: float = learning_rate(0.1, low=1e-4, explain="How far each step goes.")
    epochs: int = hyperparameter(
        3, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over the kept pictures, in all."
    )
    plain_epochs: int = hyperparameter(
        1,
        low=0,
        high=19,
        title="Epochs without penalty",
        unit="epochs",
        explain="The last so many epochs mend the net without a penalty.",
    )
    kept_per_class: int = retain_per_class(1000)
    falls: bool = linear_decay()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Trains `problem.net` on kept pictures and small weights; raises Diverged where the loss is no longer a number."""
    steps = steps_in_epoch(problem.sizes.retain_used(params.kept_per_class), params.batch) * params.epochs
    tracker.plan(**{"thin out": steps})
    optimiser = torch.optim.SGD(
        problem.model.parameters(), params.lr, params.momentum, weight_decay=params.weight_decay
    )
    problem.model.train()
    tracker.phase("thin out")
    batches = (
        (pictures, labels, penalty_at(number, params))
        for number in range(params.epochs)
        for pictures, labels in problem.retain.sample(
            problem.sizes.retain_used(params.kept_per_class), problem.random_generator("kept", number)
        ).batches(params.batch, problem.random_generator("epoch", number), augment=params.augment)
    )
    for step, (pictures, labels, penalty) in enumerate(tracker.iterate(batches)):
        if params.falls:
            set_linear_lr(optimiser, params.lr, step=step, steps=steps)
        with autocast(problem.device):
            error = F.cross_entropy(problem.model(pictures), labels)
        loss = error + penalty * l1_norm(problem.model) if penalty else error
        optimizer_step(optimiser, loss)
        tracker.log(loss=error.item(), penalty=penalty)
    tracker.log(unused=unused_share(problem.model))


def penalty_at(epoch: int, params: Hyperparameters) -> float:
    """The penalty's weight in an epoch (0 is the first): a straight line to 0, then 0."""
    whole = params.epochs - params.plain_epochs
    return params.penalty * (1 - epoch / whole) if epoch < whole else 0.0


def l1_norm(model: nn.Module) -> Tensor:
    """||theta||_1 over all weights, those of batch norm too."""
    return torch.stack([weight.abs().sum() for weight in model.parameters()]).sum()


def unused_share(model: nn.Module) -> float:
    """The share (0 to 1) of weights that are as good as zero."""
    return float(
        torch.cat([(weight.detach().abs() < UNUSED_BELOW).flatten() for weight in model.parameters()]).float().mean()
    )


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.retain_used(params.kept_per_class) * params.epochs


METHOD = Method(
    id="l1_sparse",
    title="l1-sparse",
    group="Edit weights",
    summary="fine-tunes towards fewer weights · sees no forgotten picture",
    idea="Goes on training with kept pictures alone while a **penalty shrinks all weights**, so that what is no longer "
    "shown loses its place; then mends without the penalty.",
    failure_modes="Single pictures hardly fade. At 0.05 and below a part of a class stays; a higher rate or "
    "penalty is felt by the kept classes too.",
    paper=Reference(
        "Jia et al., Model Sparsity Can Simplify Machine Unlearning, NeurIPS 2023", "https://arxiv.org/abs/2304.04934"
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled", "Fewer epochs at a higher rate than the paper, the last of them plain.", Hyperparameters()
        ),
        "no penalty": Preset(
            "no penalty", "The same without shrinking: shows what the penalty does.", Hyperparameters(penalty=1e-6)
        ),
        "paper": Preset(
            "paper",
            "Ten epochs at the authors' rate, the penalty as we remember the paper. Takes minutes on a CPU.",
            Hyperparameters(
                penalty=5e-4, lr=0.01, epochs=10, plain_epochs=0, kept_per_class=5000, falls=False, batch=256
            ),
        ),
    },
    needs=lambda knobs: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
