"""DELETE: distil the original model with the forgotten class masked (Zhou et al., CVPR 2025, arXiv 2503.23751).

Idea. The loss of unlearning splits into a forgetting and a retention term. A teacher serves both: the original model,
whose logits of the forgotten class are masked, so that its softmax is spread over the other classes as before. The
model learns to match it on forget images: KL(teacher || model). No retained image is used; what the original model
knows about the other classes ("dark knowledge") stands in for it.

Cost. Some epochs over the forget set alone, with a forward pass of the teacher for each image.

When it fails. Only what forget images show of the other classes is protected: the learning rate decides how far the
rest is carried along, and with frozen batch norm it must be about ten times lower. Forget images are predicted as the
original model's second choice, which need not be what a model that never saw the class predicts.

Source. Zhou et al. 2025, section 4 and the authors' code (shaaaaron/DELETE). The code masks an image's own label; for
several classes that would teach one forgotten class on images of another, so all of them are masked here, and those
that an earlier run forgot. For one class both are the same. The code masks with -1e10, trains in train mode with SGD
at momentum 0.9 without weight decay, and has an option to freeze batch norm.
"""

import torch
from torch import Tensor

from unlearn_core.domain.method import TUNED_ON, DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    early_stop,
    epochs,
    freeze_batchnorm,
    learning_rate,
    linear_decay,
    momentum,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.loops import fit
from unlearn_core.training.losses import distillation
from unlearn_core.training.optim import linear_schedule, train_mode
from unlearn_core.training.problem import Problem

MASKED = -1e10
"""The logit of a masked class: its probability is 0, and unlike with -inf the divergence stays a number."""

FROZEN_LIMIT = 1e-3
"""With frozen batch norm, the learning rate at which the retain set loses 5 points or more (airplane, validation)."""


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of DELETE."""

    lr: float = learning_rate(
        5e-3, low=1e-6, high=0.2, explain="Step size; too large a step changes the retained classes too."
    )
    epochs: int = epochs(10, high=100, over="the forget set")
    falls: bool = linear_decay()
    frozen_norm: bool = freeze_batchnorm(False)
    momentum: float = momentum()
    augment: bool = augment()
    batch: int = batch_size()
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Distil the masked original model into `problem.model`; raises DivergedError if the loss is not finite."""
    steps = problem.forget.num_batches(params.batch) * params.epochs
    tracker.plan(distil=steps)
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    tracker.phase("distil")
    retained = problem.retained_classes

    def loss(images: Tensor, _labels: Tensor) -> Tensor:
        with torch.no_grad():
            teacher = masked(problem.original_model(images), retained)
        return distillation(problem.model(images), teacher)

    batches = problem.epochs(problem.forget, range(params.epochs), params.batch, augment=params.augment)
    optimizer = torch.optim.SGD(problem.model.parameters(), params.lr, params.momentum)
    schedule = linear_schedule(params.lr, steps) if params.falls else None
    fit(problem, batches, optimizer, tracker, loss=loss, lr_schedule=schedule)


def masked(logits: Tensor, retained: Tensor) -> Tensor:
    """The logits (B, C), with `MASKED` for every class that is not among the retained ones (k,)."""
    barred = torch.ones(logits.shape[1], dtype=torch.bool, device=logits.device)
    barred[retained] = False
    return logits.masked_fill(barred, MASKED)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.forget * params.epochs


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    epochs = epochs_for(
        params.epochs, params.batch, images=sizes.forget, tuned_on=TUNED_ON.forget, classes=sizes.classes
    )
    return {"lr": params.lr * strength, "epochs": epochs}


def _caution(params: Hyperparameters, sizes: ProblemSize, searches: bool) -> str | None:
    if searches or not (params.frozen_norm and params.lr >= FROZEN_LIMIT and sizes.shares_features):
        return None
    return (
        f"With frozen batch norm, a learning rate of {FROZEN_LIMIT:g} or more changes the features that other classes "
        "share: the retain set loses 5 points or more."
    )


METHOD = Method(
    id="delete",
    title="DELETE",
    group="Distillation",
    summary="distil the original model without the class · needs no retain data",
    idea="Distils the original model on the forget set, with the forgotten class **masked** in its output: each image "
    "gets the probabilities that the model gives to the other classes.",
    failure_modes="Nothing but the forget images protects the retain set: at too high a learning rate it loses "
    "accuracy, with frozen batch norm even at a tenth of it. Forget images are predicted as the original model's "
    "second choice, which need not be that of a model that never saw the class.",
    paper=Reference("Zhou et al., Decoupled Distillation to Erase, CVPR 2025", "https://arxiv.org/abs/2503.23751"),
    supports=frozenset({"classes"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Half of the published epochs, at a much higher rate that decays.",
            Hyperparameters(),
        ),
        "paper": Preset(
            "paper",
            "The settings of the authors' code for a ResNet-18 on CIFAR-10; here, more of a class is left, and the "
            "retain set loses more.",
            Hyperparameters(lr=1e-4, epochs=20, falls=False, frozen_norm=False),
        ),
    },
    needs=lambda params: DataAccess(forget=True, retain=False),
    images_processed=_images_processed,
    caution=_caution,
    tuning=Tuning(
        finds=("lr", "epochs", "batch"),
        batch="batch",
        values=_at_strength,
        rule="The learning rate; small data is shown in more epochs and smaller batches.",
        forgets_in="epochs",
    ),
    forget=forget,
)
