"""SCRUB: a student that leaves its teacher on what should be forgotten (Kurmanji et al., NeurIPS 2023, 2302.09880).

Idea. The net before is the teacher. For the first epochs the student takes a pass over the forgotten pictures away
from the teacher's answers (max: -KD), then one over kept pictures towards them and towards the labels
(min: alpha KD + gamma CE); the last epochs are min alone (algorithm 1). KD is tau^2 KL(teacher || student).

Cost. The chosen epochs over kept pictures, and the first of them over forgotten ones; the teacher answers beside it.

When it fails. The max step has no bound: too many of them, or small batches at a high rate, and the student is lost to
both sides. With too few the forgotten pictures come back in the last epochs. With frozen batch norm the student begins
as its teacher's equal, where the divergence is flat, and the first max pass does nothing.

SCRUB+R (rewind = true) is for single pictures, where too wrong tells as much as too right. After each epoch it keeps
the net, and in the end returns the one whose error on the forgotten pictures is closest to the last net's error on
validation pictures of the same classes in the same proportions. For whole classes that is the error on unseen pictures
of these very classes: it undoes forgetting that went further on the pictures trained on than on unseen ones.

Where official code differs: its rewind takes the first of equally close nets, ours the last, which was mended longest.
It has neither clipping nor frozen batch norm (both off here).
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter, parse_int_list
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    freeze_batchnorm,
    grad_clip,
    learning_rate,
    momentum,
    retain_per_class,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.evaluate import accuracy, predict
from unlearn_core.training.losses import distillation
from unlearn_core.training.optim import optimizer_step, train_mode
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import Problem


class Hyperparameters(BaseHyperparameters):
    """SCRUB's hyper-parameters; symbols as in the paper."""

    lr: float = learning_rate(5e-3, explain="How far each step goes, away from the teacher and back.")
    max_epochs: int = hyperparameter(
        2,
        low=1,
        high=20,
        title="Epochs of leaving",
        unit="epochs",
        symbol="msteps",
        explain="The first so many epochs begin with a pass over the forgotten pictures, away from the teacher.",
    )
    epochs: int = hyperparameter(
        3, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over kept pictures, in all."
    )
    alpha: float = hyperparameter(
        0.001,
        low=0.0,
        high=1.0,
        step=0.001,
        title="Weight of the teacher",
        symbol="α",
        explain="How much the teacher's answers to kept pictures count beside their labels.",
    )
    gamma: float = hyperparameter(
        0.99,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Weight of the labels",
        symbol="γ",
        explain="How much the labels of kept pictures count.",
        advanced=True,
    )
    temperature: float = hyperparameter(
        4.0,
        low=0.5,
        high=10.0,
        step=0.5,
        title="Temperature",
        symbol="τ",
        explain="Softens the answers of both, so that small probabilities count too.",
        advanced=True,
    )
    rewind: bool = hyperparameter(
        False,
        title="Rewind (SCRUB+R)",
        explain="Returns the epoch after which forgotten pictures were as wrong as unseen ones are in the end.",
    )
    kept_per_class: int = retain_per_class(400)
    decays: str = hyperparameter(
        "3,5,9",
        title="Rate falls after epochs",
        explain="After each of these epochs the rate is a tenth of what it was.",
        advanced=True,
    )
    clip: float = grad_clip()
    frozen_norm: bool = freeze_batchnorm(False)
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    forget_batch: int = batch_size(32, title="Batch of forgotten")
    retain_batch: int = batch_size(128, title="Batch of kept")


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Makes `problem.net` leave `problem.original` on the forgotten pictures; raises Diverged on a lost loss."""
    away = problem.forget.num_batches(params.forget_batch)
    back = steps_in_epoch(problem.sizes.retain_used(params.kept_per_class), params.retain_batch)
    both = min(params.max_epochs, params.epochs)
    tracker.plan(**{"leave and keep": (away + back) * both, "keep": back * (params.epochs - both)})
    optimiser = torch.optim.SGD(
        problem.model.parameters(), params.lr, params.momentum, weight_decay=params.weight_decay
    )
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    checkpoints = []
    for number in range(params.epochs):
        if number in (0, both):
            tracker.phase("leave and keep" if number == 0 else "keep")
        for group in optimiser.param_groups:
            group["lr"] = params.lr * 0.1 ** sum(number >= epoch for epoch in parse_int_list(params.decays))
        for pictures, labels, kept in tracker.iterate(_epoch(problem, params, number)):
            with autocast(problem.device):
                student = problem.model(pictures)
                with torch.no_grad():
                    teacher = problem.original_model(pictures)
                apart = distillation(student, teacher, params.temperature)
                loss = params.alpha * apart + params.gamma * F.cross_entropy(student, labels) if kept else -apart
            optimizer_step(optimiser, loss, grad_clip=params.clip)
            tracker.log(**({"retain_loss": loss.item()} if kept else {"leaving": apart.item()}))
        if params.rewind:
            checkpoints.append((_state(problem.model), 1 - accuracy(problem.model, *problem.forget.tensors())))
            tracker.log(forget_error=checkpoints[-1][1])
    if params.rewind:
        _rewind(problem, checkpoints, tracker)


def _epoch(problem: Problem, params: Hyperparameters, number: int) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """The batches of one epoch with their labels, and whether they are kept ones: first max, then min."""
    if number < params.max_epochs:
        order = problem.random_generator("max", number)
        for pictures, labels in problem.forget.batches(params.forget_batch, order, augment=params.augment):
            yield pictures, labels, False
    some = problem.retain.sample(
        problem.sizes.retain_used(params.kept_per_class), problem.random_generator("kept", number)
    )
    for pictures, labels in some.batches(
        params.retain_batch, problem.random_generator("min", number), augment=params.augment
    ):
        yield pictures, labels, True


def _rewind(problem: Problem, checkpoints: list[tuple[dict[str, Tensor], float]], tracker: Tracker) -> None:
    """Puts the net back to the checkpoint whose error is closest to the reference, the last of equally close ones."""
    reference = validation_error(problem.model, problem)
    errors = [error for _, error in checkpoints]
    chosen = closest_index(errors, reference)
    problem.model.load_state_dict(checkpoints[chosen][0])
    tracker.save_artifact("rewind", torch.tensor(errors), reference=reference, epoch=chosen + 1)


def closest_index(errors: list[float], reference: float) -> int:
    """Which of the errors is closest to the reference; of equally close ones the last."""
    return min(range(len(errors)), key=lambda at: (abs(errors[at] - reference), -at))


def validation_error(model: nn.Module, problem: Problem) -> float:
    """The net's error (0 to 1) on validation pictures, each class weighted by its share of the forgotten pictures."""
    wanted = problem.forget.labels[problem.forget.rows].bincount(minlength=problem.classes).double()
    pictures, labels = problem.validation.tensors()
    there = labels.bincount(minlength=problem.classes)
    wrong = labels[predict(model, pictures) != labels].bincount(minlength=problem.classes)
    wanted[there == 0] = 0
    if not wanted.sum():
        raise InvalidRequestError(
            "No validation picture shows these classes, so there is nothing to rewind by. Switch it off."
        )
    return float((wanted * wrong / there.clamp_min(1)).sum() / wanted.sum())


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.retain_used(params.kept_per_class) * params.epochs + sizes.forget * min(
        params.max_epochs, params.epochs
    )


_REWOUND = Hyperparameters(epochs=5, max_epochs=3, rewind=True, kept_per_class=300)

METHOD = Method(
    id="scrub",
    title="SCRUB",
    group="Teach",
    summary="a student that leaves its teacher on the forgotten",
    idea="The net before teaches the net after: on kept pictures the student **follows**, on forgotten ones it moves "
    "**away** as far as it can, in turns.",
    failure_modes="Moving away has no end: too many turns at too high a rate lose both sides, too few are undone by the "
    "epochs that mend. Between the two is a narrow path that differs from request to request.",
    paper=Reference(
        "Kurmanji et al., Towards Unbounded Machine Unlearning, NeurIPS 2023", "https://arxiv.org/abs/2302.09880"
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "A higher rate and fewer kept pictures than the paper; for single pictures it goes back (SCRUB+R).",
            Hyperparameters(lr=2e-3, forget_batch=128),
            by_request_size={
                "several classes": Hyperparameters(lr=2e-3, forget_batch=384),
                "few pictures": _REWOUND.updated({"forget_batch": 16}),
                "many pictures": _REWOUND,
            },
        ),
        "rewind": Preset(
            "SCRUB+R",
            "Goes on longer, then back to where forgotten pictures were as wrong as unseen ones.",
            Hyperparameters(rewind=True),
        ),
        "paper": Preset(
            "paper",
            "The published settings for CIFAR-10. Takes minutes on a CPU.",
            Hyperparameters(lr=5e-4, kept_per_class=5000),
        ),
    },
    needs=lambda knobs: DataAccess(forget=True, retain=True, validation=knobs.rewind),
    images_processed=_images_processed,
    forget=forget,
)
