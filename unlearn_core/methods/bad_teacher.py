"""Bad Teacher: distillation from a competent and an incompetent teacher (Chundawat et al., AAAI 2023, 2205.08096).

Idea. The student learns to match the original model on retained images (competent teacher) and a model with fresh
random weights on forget images (incompetent teacher): KL(teacher || student), equation 3.

Cost. One short epoch over the forget set and a share of the retain set, with a forward pass of a teacher for each.

When it fails. A fresh model's outputs mean uncertainty, not forgetting, or one class for everything: if its random
weights favour the forgotten class, that class is not forgotten (the hyperparameter `teachers` helps). The retrained
model is confident even in its wrong predictions, so the student is distinguishable from it.

Source. Chundawat et al. 2023. The official code averages the divergence over images and classes, which makes its
gradient C times smaller; here it is the mean over images (Adam, which both use, is hardly affected). At a temperature
other than 1 our loss has the factor tau^2, so that the learning rate keeps its meaning. The official code draws the
competent share once.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from unlearn_core.domain.method import TUNED_ON, DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    early_stop,
    epochs,
    freeze_batchnorm,
    learning_rate,
    linear_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.loops import fit
from unlearn_core.training.losses import distillation
from unlearn_core.training.optim import linear_schedule, train_mode
from unlearn_core.training.problem import ImageSubset, Problem

TEACHER_TEST_IMAGES = 256
"""Forget images on which fresh models are evaluated."""


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of Bad Teacher; symbols as in the paper."""

    lr: float = learning_rate(1e-3, high=0.05, explain="Step size of Adam.")
    epochs: int = epochs(1, high=30, over="forget and retained images")
    kept_share: float = hyperparameter(
        0.3,
        low=0.01,
        high=1.0,
        step=0.01,
        title="Share of the retain set",
        explain="Share of the retain set that is used with the competent teacher in each epoch.",
    )
    teachers: int = hyperparameter(
        1,
        low=1,
        high=20,
        title="Fresh teachers",
        unit="models",
        explain="Number of fresh models to try; the one with the lowest forget accuracy becomes the teacher.",
    )
    temperature: float = hyperparameter(
        1.0,
        low=0.5,
        high=10.0,
        step=0.5,
        title="Temperature",
        symbol="τ",
        explain="Softens the outputs of teachers and student.",
        advanced=True,
    )
    falls: bool = linear_decay(False)
    frozen_norm: bool = freeze_batchnorm(False)
    augment: bool = augment()
    batch: int = batch_size(64)
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Distil two teachers into `problem.model`; raises DivergedError if the loss is not finite."""
    steps = steps_in_epoch(problem.sizes.forget + _num_retain(params, problem.sizes), params.batch) * params.epochs
    tracker.plan(**({"choose teacher": params.teachers} if params.teachers > 1 else {}), distil=steps)
    incompetent = fresh_teacher(problem, params, tracker)
    optimizer = torch.optim.Adam(problem.model.parameters(), params.lr)
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    tracker.phase("distil")

    def loss(images: Tensor, is_forgotten: Tensor) -> Tensor:
        target = teacher_logits(problem.original_model, incompetent, images, is_forgotten)
        return distillation(problem.model(images), target, params.temperature)

    schedule = linear_schedule(params.lr, steps) if params.falls else None
    fit(problem, _batches(problem, params), optimizer, tracker, loss=loss, lr_schedule=schedule)


def fresh_teacher(problem: Problem, params: Hyperparameters, tracker: Tracker) -> nn.Module:
    """Of the models with fresh weights the one with the lowest forget accuracy; of equal ones the first."""
    if params.teachers == 1:
        return problem.fresh_model().eval()
    tracker.phase("choose teacher")
    test_images = problem.forget.sample(TEACHER_TEST_IMAGES, problem.random_generator("asked")).tensors()
    rounds = tracker.iterate([test_images] * params.teachers)
    accuracies = [accuracy(problem.fresh_model(number), *tensors) for number, tensors in enumerate(rounds)]
    return problem.fresh_model(accuracies.index(min(accuracies))).eval()


@torch.no_grad()
def teacher_logits(competent: nn.Module, incompetent: nn.Module, images: Tensor, is_forgotten: Tensor) -> Tensor:
    """Logits (B, C): the incompetent teacher's where `is_forgotten` (B,), else the competent teacher's."""
    logits = competent(images)
    if is_forgotten.any():
        logits[is_forgotten] = incompetent(images[is_forgotten]).to(logits.dtype)
    return logits


def _batches(problem: Problem, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor]]:
    """Every epoch's batches of both sets, shuffled together, and which images (B,) are forget images."""
    forget_set = problem.forget
    is_forgotten = torch.zeros_like(forget_set.labels, dtype=torch.bool)
    is_forgotten[forget_set.rows] = True
    for number in range(params.epochs):
        retained = problem.retain.sample(_num_retain(params, problem.sizes), problem.random_generator("kept", number))
        mixed = ImageSubset(forget_set.images, is_forgotten, torch.cat([forget_set.rows, retained.rows]))
        yield from mixed.batches(params.batch, problem.random_generator("epoch", number), augment=params.augment)


def _num_retain(params: Hyperparameters, sizes: ProblemSize) -> int:
    return max(1, int(params.kept_share * sizes.retain))


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    drawn = min(TEACHER_TEST_IMAGES, sizes.forget) * params.teachers if params.teachers > 1 else 0
    return drawn + (sizes.forget + _num_retain(params, sizes)) * params.epochs


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    images, tuned_on = (one.forget + _num_retain(params, one) for one in (sizes, TUNED_ON))
    epochs = epochs_for(params.epochs, params.batch, images=images, tuned_on=tuned_on, classes=sizes.classes)
    return {"lr": params.lr * strength, "epochs": epochs}


METHOD = Method(
    id="bad_teacher",
    title="Bad Teacher",
    group="Distillation",
    summary="distil a fresh model on the forget set",
    idea="Distils a **fresh, untrained model** on the forget set and the original model on the retain set.",
    failure_modes="The student learns the outputs of an untrained model, not those of a model trained on the retain "
    "set: it is distinguishable from the retrained model. If the fresh model happens to favour the forgotten class, "
    "that class stays.",
    paper=Reference(
        "Chundawat et al., Can Bad Teaching Induce Forgetting?, AAAI 2023", "https://arxiv.org/abs/2205.08096"
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "One epoch, as in the paper, at ten times its rate and with smaller batches; for classes with twice its "
            "retained images, a decaying rate, and the best of five fresh models.",
            Hyperparameters(falls=True, teachers=5, kept_share=0.6),
            by_request_size={"few pictures": Hyperparameters(), "many pictures": Hyperparameters()},
        ),
        "paper": Preset("paper", "The published settings.", Hyperparameters(lr=1e-4, batch=256)),
    },
    needs=lambda params: DataAccess(forget=True, retain=True),
    images_processed=_images_processed,
    tuning=Tuning(
        finds=("lr", "epochs", "batch"),
        batch="batch",
        values=_at_strength,
        rule="The learning rate; small data is shown in more epochs and smaller batches.",
        forgets_in="epochs",
    ),
    forget=forget,
)
