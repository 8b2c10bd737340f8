"""NegGrad: training backwards on what should be forgotten (gradient ascent; Golatkar et al., CVPR 2020, section 6).

Idea. Climb the loss on the forgotten pictures: theta <- theta + lr * grad CE(D_f). No kept picture is used.

Cost. A few short steps over the forgotten pictures; the stop rule asks the net after each of them.

When it fails. The loss has no top, and nothing holds the rest: what the forgotten pictures share with the others goes
with them. It stops at a number that was chosen beforehand, not where a net that never saw the pictures would stand.

Where official code differs: it takes a fixed number of epochs (5 at a rate of 1e-4 in Jia et al. 2023, batch norm
learning along) and has none of the four guards here: an end at an accuracy, a bound on each picture's error, short
gradients, batch norm as it was. The preset "unbounded" switches all of them off, and the net collapses.
"""

import torch

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    freeze_batchnorm,
    grad_clip,
    learning_rate,
    loss_cap,
    momentum,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.losses import capped_cross_entropy
from unlearn_core.training.optim import optimizer_step, train_mode
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import Problem

STOP_CHECK_IMAGES = 256
"""Forgotten pictures that the stop rule asks first; it asks all of them once these are done."""


class Hyperparameters(BaseHyperparameters):
    """NegGrad's hyper-parameters."""

    lr: float = learning_rate(
        1e-3, low=1e-6, high=0.1, explain="How far each step climbs; too far, and everything goes with it."
    )
    stops: bool = hyperparameter(
        True, title="Stop when done", explain="Stops as soon as enough is forgotten; without it all epochs are made."
    )
    stop_accuracy: float = hyperparameter(
        0.0,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Done at",
        explain="Share of the forgotten pictures that may still be named rightly: 0 for a class, for single pictures "
        "what the net gets right of pictures that it never saw.",
    )
    epochs: int = hyperparameter(
        30, low=1, high=100, title="Epochs at most", unit="epochs", explain="Passes over the forgotten pictures."
    )
    most: float = loss_cap(4.6)
    clip: float = grad_clip(1.0)
    frozen_norm: bool = freeze_batchnorm(True)
    momentum: float = momentum()
    weight_decay: float = weight_decay(0.0)
    augment: bool = augment(False)
    batch: int = batch_size()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Drives `problem.net` away from `problem.forget`; raises Diverged where the loss is no longer a number."""
    tracker.plan(ascend=problem.forget.num_batches(params.batch) * params.epochs)
    optimiser = torch.optim.SGD(
        problem.model.parameters(), params.lr, params.momentum, weight_decay=params.weight_decay
    )
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    tracker.phase("ascend")
    batches = (
        batch
        for number in range(params.epochs)
        for batch in problem.forget.batches(
            params.batch, problem.random_generator("epoch", number), augment=params.augment
        )
    )
    first = problem.forget.sample(STOP_CHECK_IMAGES, problem.random_generator("asked")).tensors()
    for pictures, labels in tracker.iterate(batches):
        with autocast(problem.device):
            error = capped_cross_entropy(problem.model(pictures), labels, cap=params.most)
        optimizer_step(optimiser, -error, grad_clip=params.clip)
        tracker.log(forget_loss=error.item())
        if not params.stops:
            continue
        right = accuracy(problem.model, *first)
        tracker.log(forget_accuracy=right)
        if right <= params.stop_accuracy and accuracy(problem.model, *problem.forget.tensors()) <= params.stop_accuracy:
            break


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.forget * params.epochs


METHOD = Method(
    id="neggrad",
    title="NegGrad",
    group="Ascend",
    summary="training backwards · sees no kept picture",
    idea="Climbs the loss on the forgotten pictures (gradient **ascent**) until enough of them are named wrongly.",
    failure_modes="Nothing holds the rest: kept accuracy falls with the forgotten pictures, the more so the more there is to "
    "forget. Without its guards (preset unbounded) the net collapses, and 0 % forgotten then says nothing.",
    paper=Reference(
        "Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020", "https://arxiv.org/abs/1911.04933"
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Bounded, short steps, and stopped where unseen pictures stand; papers take a fixed number of epochs.",
            Hyperparameters(stop_accuracy=0.02, frozen_norm=False),
            by_request_size={
                "several classes": Hyperparameters(lr=3e-3, stop_accuracy=0.02, frozen_norm=False, batch=256),
                "few pictures": Hyperparameters(lr=3e-4, stop_accuracy=0.82, epochs=100, batch=32),
                "many pictures": Hyperparameters(stop_accuracy=0.82, frozen_norm=False, batch=32),
            },
        ),
        "paper": Preset(
            "paper",
            "The settings of Jia et al. (2023): five epochs without any guard, at a low rate.",
            Hyperparameters(
                lr=1e-4,
                epochs=5,
                stops=False,
                most=0,
                clip=0,
                frozen_norm=False,
                weight_decay=5e-4,
                augment=True,
                batch=256,
            ),
        ),
        "unbounded": Preset(
            "unbounded",
            "No guard at all, at ten times the rate: shows how a one-sided figure hides a net that was destroyed.",
            Hyperparameters(lr=0.01, epochs=10, stops=False, most=0, clip=0, frozen_norm=False),
        ),
    },
    needs=lambda knobs: DataAccess(forget=True, retain=False),
    images_processed=_images_processed,
    forget=forget,
    may_stop_early=True,
)
