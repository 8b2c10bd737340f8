"""NegGrad+: down on what is kept, up on what is forgotten, in one step (Kurmanji et al., NeurIPS 2023, section 5).

Idea. Minimise a * CE(D_r) - (1 - a) * CE(D_f): the first term holds what NegGrad alone would lose.

Cost. The chosen epochs over kept pictures, and beside each of their batches one of forgotten pictures.

When it fails. The second term has no bottom: where a is too small it wins, and the net collapses. Each setting of a
fits one size of request; single pictures are easily driven further than a net that never saw them would be.

Where official code differs: it shows the two batches one after the other, so that batch norm sees each apart; here
they pass the net together, as one batch. It has no bound on a picture's error (0 here) and no freezing of batch norm,
and goes through the forgotten pictures in the same order again and again, which here is drawn anew each time.
"""

from collections.abc import Iterator
from itertools import count

import torch
from torch import Tensor
from torch.nn import functional as F

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    freeze_batchnorm,
    grad_clip,
    learning_rate,
    linear_decay,
    loss_cap,
    momentum,
    retain_per_class,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.losses import capped_cross_entropy
from unlearn_core.training.optim import optimizer_step, set_linear_lr, train_mode
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import Problem


class Hyperparameters(BaseHyperparameters):
    """NegGrad+'s hyper-parameters; symbols as in the paper."""

    kept_weight: float = hyperparameter(
        0.95,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Weight of what is kept",
        symbol="α",
        explain="Share of the kept pictures in the loss; the rest drives the forgotten ones up.",
    )
    lr: float = learning_rate(0.01, low=1e-4, explain="How far each step goes.")
    epochs: int = hyperparameter(1, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over kept pictures.")
    kept_per_class: int = retain_per_class(1000)
    most: float = loss_cap(4.6)
    falls: bool = linear_decay()
    clip: float = grad_clip()
    frozen_norm: bool = freeze_batchnorm(False)
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    retain_batch: int = batch_size(128, title="Batch of kept")
    forget_batch: int = batch_size(128, title="Batch of forgotten")


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Trains `problem.net` on both sides at once; raises Diverged where the loss is no longer a number."""
    steps = _steps(params, problem.sizes)
    tracker.plan(**{"push and hold": steps})
    optimiser = torch.optim.SGD(
        problem.model.parameters(), params.lr, params.momentum, weight_decay=params.weight_decay
    )
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    tracker.phase("push and hold")
    for step, (pictures, labels, kept) in enumerate(tracker.iterate(_batches(problem, params))):
        if params.falls:
            set_linear_lr(optimiser, params.lr, step=step, steps=steps)
        with autocast(problem.device):
            answers = problem.model(pictures)
            retain = F.cross_entropy(answers[:kept], labels[:kept])
            gone = capped_cross_entropy(answers[kept:], labels[kept:], cap=params.most)
            loss = _loss(retain, gone, params.kept_weight)
        optimizer_step(optimiser, loss, grad_clip=params.clip)
        tracker.log(retain_loss=retain.item(), forget_loss=gone.item())


def _loss(retain: Tensor, gone: Tensor, retain_weight: float) -> Tensor:
    """a * CE(D_r) - (1 - a) * CE(D_f)."""
    return retain_weight * retain - (1 - retain_weight) * gone


def _batches(problem: Problem, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Pictures and labels of a kept and a forgotten batch in one, and how many of them, the first ones, are kept."""
    forgotten = (
        batch
        for number in count()
        for batch in problem.forget.batches(
            params.forget_batch, problem.random_generator("forget", number), augment=params.augment
        )
    )
    for number in range(params.epochs):
        some = problem.retain.sample(
            problem.sizes.retain_used(params.kept_per_class), problem.random_generator("kept", number)
        )
        for kept, labels in some.batches(
            params.retain_batch, problem.random_generator("epoch", number), augment=params.augment
        ):
            gone, theirs = next(forgotten)
            yield torch.cat([kept, gone]), torch.cat([labels, theirs]), len(kept)


def _steps(params: Hyperparameters, sizes: ProblemSize) -> int:
    return steps_in_epoch(sizes.retain_used(params.kept_per_class), params.retain_batch) * params.epochs


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    rounds, rest = divmod(_steps(params, sizes), steps_in_epoch(sizes.forget, params.forget_batch))
    return sizes.retain_used(params.kept_per_class) * params.epochs + rounds * sizes.forget + rest * params.forget_batch


METHOD = Method(
    id="neggrad_plus",
    title="NegGrad+",
    group="Ascend",
    summary="up on the forgotten, down on the kept",
    idea="Climbs the loss on the forgotten pictures and goes **down** on kept ones in the same step, so that the rest "
    "stays where it is.",
    failure_modes="With too little weight on what is kept the climb, which has no top, wrecks the net. Single pictures are "
    "easily driven further than a net that never saw them would be, which can be noticed from outside.",
    paper=Reference(
        "Kurmanji et al., Towards Unbounded Machine Unlearning, NeurIPS 2023", "https://arxiv.org/abs/2302.09880"
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "One epoch and a bound on each picture's error; the paper takes ten and has none.",
            Hyperparameters(kept_weight=0.9),
            by_request_size={
                "several classes": Hyperparameters(kept_weight=0.5),
                "few pictures": Hyperparameters(kept_weight=0.7, most=2.0, kept_per_class=300),
                "many pictures": Hyperparameters(kept_weight=0.7, most=2.0, lr=0.02),
            },
        ),
        "paper": Preset(
            "paper",
            "The published settings for small data: ten epochs, no bound. Takes minutes on a CPU.",
            Hyperparameters(kept_weight=0.95, epochs=10, kept_per_class=5000, most=0, falls=False),
        ),
    },
    needs=lambda knobs: DataAccess(forget=True, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
