"""SCRUB: distillation away from the original model on the forget set (Kurmanji et al., NeurIPS 2023, 2302.09880).

Idea. The original model is the teacher. In each of the first epochs the student makes a pass over the forget set away
from the teacher's outputs (max: -KD), then one over retained images towards them and towards the labels
(min: alpha KD + gamma CE); the last epochs are min only (algorithm 1). KD is tau^2 KL(teacher || student).
SCRUB+R (rewind = true) is for single images, where too high an error reveals as much as too low a one. It stores the
model after each epoch and returns the one whose error on the forget set is closest to the final model's error on
validation images of the same classes in the same proportions. For whole classes this undoes forgetting that went
further on the training images than on validation images of the same classes.

Cost. The chosen number of epochs over retained images, the first of them also over the forget set; with a forward pass
of the teacher for each image.

When it fails. The max step is unbounded: too many of them, or small batches at a high rate, destroy the student on both
sets. With too few, forget accuracy recovers in the last epochs. With frozen batch norm the student starts equal to its
teacher, where the divergence is flat, and the first max pass has no effect.

Source. Algorithm 1 and the official code, whose rewind takes the first of equally close models; ours takes the last,
which was repaired longest. The code has neither gradient clipping nor frozen batch norm (both off here).
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.method import TUNED_ON, UNBOUNDED_UNLEARNING, DataAccess, Method, Preset, ProblemSize
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter, parse_int_list
from unlearn_core.domain.results.method_artifacts import RewindErrors
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    early_stop,
    epochs,
    freeze_batchnorm,
    grad_clip,
    learning_rate,
    momentum,
    retain_per_class,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.evaluate import accuracy, predict
from unlearn_core.training.loops import fit
from unlearn_core.training.losses import distillation
from unlearn_core.training.optim import set_lr, sgd, train_mode
from unlearn_core.training.problem import Problem


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of SCRUB; symbols as in the paper."""

    lr: float = learning_rate(5e-3, explain="Step size of both passes, away from the teacher and towards it.")
    max_epochs: int = hyperparameter(
        2,
        low=1,
        high=20,
        title="Max-step epochs",
        unit="epochs",
        symbol="msteps",
        explain="Number of first epochs that begin with a pass over the forget set, away from the teacher.",
    )
    epochs: int = epochs(3, over="retained images, in total")
    alpha: float = hyperparameter(
        0.001,
        low=0.0,
        high=1.0,
        step=0.001,
        title="Distillation weight",
        symbol="α",
        explain="Weight of the teacher's outputs on retained images, relative to their labels.",
    )
    gamma: float = hyperparameter(
        0.99,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Cross-entropy weight",
        symbol="γ",
        explain="Weight of the labels of retained images.",
        advanced=True,
    )
    temperature: float = hyperparameter(
        4.0,
        low=0.5,
        high=10.0,
        step=0.5,
        title="Temperature",
        symbol="τ",
        explain="Softens the outputs of both, so that small probabilities count too.",
        advanced=True,
    )
    rewind: bool = hyperparameter(
        False,
        title="Rewind (SCRUB+R)",
        explain="Returns the epoch whose error on the forget set is closest to the final error on validation images.",
    )
    kept_per_class: int = retain_per_class(400)
    decays: str = hyperparameter(
        "3,5,9",
        title="Decay after epochs",
        explain="Divides the learning rate by ten after each of these epochs.",
        advanced=True,
    )
    clip: float = grad_clip()
    frozen_norm: bool = freeze_batchnorm(False)
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    forget_batch: int = batch_size(32, title="Batch size, forget set")
    retain_batch: int = batch_size(128, title="Batch size, retain set")
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Move `problem.model` away from `problem.original_model` on the forget set; raises DivergedError if the loss is
    not finite."""
    away = problem.forget.num_batches(params.forget_batch)
    back = steps_in_epoch(problem.sizes.retain_used(params.kept_per_class), params.retain_batch)
    both = min(params.max_epochs, params.epochs)
    tracker.plan(**{"max and min": (away + back) * both, "min": back * (params.epochs - both)})
    optimizer = sgd(problem.model, params)
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)

    def loss(images: Tensor, labels: Tensor, retained: bool) -> tuple[Tensor, dict[str, float]]:
        student = problem.model(images)
        with torch.no_grad():
            teacher = problem.original_model(images)
        apart = distillation(student, teacher, params.temperature)
        if not retained:
            return -apart, {"leaving": apart.item()}
        error = params.alpha * apart + params.gamma * F.cross_entropy(student, labels)
        return error, {"retain_loss": error.item()}

    checkpoints = []
    for number in range(params.epochs):
        if number in (0, both):
            tracker.phase("max and min" if number == 0 else "min")
        set_lr(optimizer, params.lr * 0.1 ** sum(number >= epoch for epoch in parse_int_list(params.decays)))
        fit(problem, _epoch(problem, params, number), optimizer, tracker, loss=loss, grad_clip=params.clip)
        if params.rewind:
            checkpoints.append((_state(problem.model), 1 - accuracy(problem.model, *problem.forget.tensors())))
            tracker.log(forget_error=checkpoints[-1][1])
    if params.rewind:
        _rewind(problem, checkpoints, tracker)


def _epoch(problem: Problem, params: Hyperparameters, number: int) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """The batches of one epoch with their labels, and whether they are retained images: first max, then min."""
    if number < params.max_epochs:
        order = problem.random_generator("max", number)
        for images, labels in problem.forget.batches(params.forget_batch, order, augment=params.augment):
            yield images, labels, False
    some = problem.retain_in_epoch(number, per_class=params.kept_per_class)
    for images, labels in some.batches(
        params.retain_batch, problem.random_generator("min", number), augment=params.augment
    ):
        yield images, labels, True


def _rewind(problem: Problem, checkpoints: list[tuple[dict[str, Tensor], float]], tracker: Tracker) -> None:
    """Restore the checkpoint whose error is closest to the reference, the last of equally close ones."""
    reference = validation_error(problem.model, problem)
    errors = [error for _, error in checkpoints]
    chosen = closest_index(errors, reference)
    problem.model.load_state_dict(checkpoints[chosen][0])
    tracker.save_artifact(RewindErrors(reference=reference, epoch=chosen + 1, errors=torch.tensor(errors).numpy()))


def closest_index(errors: list[float], reference: float) -> int:
    """The index of the error closest to the reference; the last of equally close ones."""
    return min(range(len(errors)), key=lambda at: (abs(errors[at] - reference), -at))


def validation_error(model: nn.Module, problem: Problem) -> float:
    """The model's error (0 to 1) on validation images, each class weighted by its share of the forget set."""
    wanted = problem.forget.labels[problem.forget.rows].bincount(minlength=problem.classes).double()
    images, labels = problem.validation.tensors()
    there = labels.bincount(minlength=problem.classes)
    wrong = labels[predict(model, images) != labels].bincount(minlength=problem.classes)
    wanted[there == 0] = 0
    if not wanted.sum():
        raise InvalidRequestError(
            "There are no validation images of these classes, so rewinding has no reference. Switch Rewind off."
        )
    return float((wanted * wrong / there.clamp_min(1)).sum() / wanted.sum())


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.retain_used(params.kept_per_class) * params.epochs + sizes.forget * min(
        params.max_epochs, params.epochs
    )


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    """The rate; small data has more epochs in all, but not more over the forget set, which would destroy the model."""
    images, tuned_on = (one.retain_used(params.kept_per_class) for one in (sizes, TUNED_ON))
    epochs = epochs_for(params.epochs, params.retain_batch, images=images, tuned_on=tuned_on, classes=sizes.classes)
    return {"lr": params.lr * strength, "epochs": epochs}


_REWOUND = Hyperparameters(epochs=5, max_epochs=3, rewind=True, kept_per_class=300)

METHOD = Method(
    id="scrub",
    title="SCRUB",
    group="Distillation",
    summary="move away from the original model on the forget set",
    idea="The original model is the teacher: in turns, the student moves **away** from it on the forget set and "
    "**follows** it on the retain set.",
    failure_modes="Moving away is unbounded: too many turns at too high a rate destroy both sets, too few are undone "
    "by the repair epochs. The range in between is narrow and differs between requests.",
    paper=UNBOUNDED_UNLEARNING,
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "A higher rate and fewer retained images than the paper; rewinds for single images (SCRUB+R).",
            Hyperparameters(lr=2e-3, forget_batch=128),
            by_request_size={
                "several classes": Hyperparameters(lr=2e-3, forget_batch=384),
                "few pictures": _REWOUND.updated({"forget_batch": 16}),
                "many pictures": _REWOUND,
            },
        ),
        "rewind": Preset(
            "SCRUB+R",
            "Trains longer, then rewinds to the epoch whose error on the forget set matches validation images.",
            Hyperparameters(rewind=True),
        ),
        "paper": Preset(
            "paper",
            "The published settings for CIFAR-10. Takes minutes on a CPU.",
            Hyperparameters(lr=5e-4, kept_per_class=5000),
        ),
    },
    needs=lambda params: DataAccess(forget=True, retain=True, validation=params.rewind),
    images_processed=_images_processed,
    tuning=Tuning(
        finds=("lr", "epochs", "retain_batch"),
        batch="retain_batch",
        forgets_in="max_epochs",
        values=_at_strength,
        rule="The learning rate; small data has more epochs over the retain set.",
    ),
    forget=forget,
)
