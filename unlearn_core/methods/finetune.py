"""Fine-tune: go on training without the forgotten data (the baseline of every paper; Golatkar et al., CVPR 2020).

Idea. Train on the kept pictures only and trust that what is no longer shown fades.

Cost. The chosen number of epochs over the kept pictures.

When it fails. Nearly always, gently: at a low rate the net still knows the forgotten pictures; at a high one it
forgets by being shaken up, and pays with kept accuracy. Single pictures hardly fade at all.
"""

from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional as F

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import augment, batch_size, learning_rate, linear_decay, momentum, weight_decay
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.optim import optimizer_step, set_linear_lr
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import Problem
from unlearn_core.training.stacked import Batch, StackedTrial, batches_by_seed, train_stacked


class Hyperparameters(BaseHyperparameters):
    """Fine-tuning's hyper-parameters."""

    lr: float = learning_rate(
        0.2, low=1e-4, explain="How far each step goes; at 0.01 and below hardly anything is forgotten."
    )
    epochs: int = hyperparameter(
        1, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over the kept pictures."
    )
    falls: bool = linear_decay()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Trains `problem.net` on the kept pictures; raises Diverged where the loss is no longer a number."""
    steps = problem.retain.num_batches(params.batch) * params.epochs
    tracker.plan(**{"fine-tune": steps})
    optimiser = torch.optim.SGD(
        problem.model.parameters(),
        params.lr,
        params.momentum,
        weight_decay=params.weight_decay,
        nesterov=params.momentum > 0,
    )
    problem.model.train()
    tracker.phase("fine-tune")
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
            loss = F.cross_entropy(problem.model(pictures), labels)
        optimizer_step(optimiser, loss)
        tracker.log(loss=loss.item())


def forget_stacked(problems: Sequence[Problem], params: Sequence[Hyperparameters], trackers: Sequence[Tracker]) -> list:
    """The same for several trials side by side; gives for each what stopped it, or None."""
    first, count = params[0], problems[0].retain.num_batches(params[0].batch) * params[0].epochs
    for track in trackers:
        track.plan(**{"fine-tune": count})
        track.phase("fine-tune")

    def batches(problem: Problem) -> Iterator[Batch]:
        for number in range(first.epochs):
            yield from problem.retain.batches(
                first.batch, problem.random_generator("epoch", number), augment=first.augment
            )

    lanes = [
        StackedTrial(problem.model, track, own, one.lr, one.momentum, one.weight_decay)
        for problem, one, track, own in zip(problems, params, trackers, batches_by_seed(problems, batches), strict=True)
    ]
    return train_stacked(lanes, steps=count, linear_decay=first.falls)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.retain * params.epochs


METHOD = Method(
    id="finetune",
    title="Fine-tune",
    group="Yardsticks",
    summary="just go on without them · sees no forgotten picture",
    idea="Trains on with the kept pictures alone and trusts that what is no longer shown **fades**.",
    failure_modes="Usually, and gently: at a low rate the net still knows what it should forget; at a high one the kept "
    "classes pay. Single pictures hardly fade at all.",
    paper=Reference(
        "Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020", "https://arxiv.org/abs/1911.04933"
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset("bundled", "One epoch at a rate that shakes the net without wrecking it.", Hyperparameters()),
        "gentle": Preset("gentle", "The rate of most papers: shows how little fades.", Hyperparameters(lr=0.01)),
    },
    needs=lambda knobs: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    forget=forget,
    forget_stacked=forget_stacked,
    stackable_params=frozenset({"lr", "momentum", "weight_decay"}),
)
