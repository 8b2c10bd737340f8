"""Random labels: teach wrong names for what should be forgotten (Graves et al., AAAI 2021; baseline of most papers).

Idea. Every forgotten picture gets another label, drawn at random; the net trains on these and on kept pictures, all
mixed.

Cost. The chosen epochs over forgotten and kept pictures together.

When it fails. A few pictures with fixed labels are learned by heart, wrong labels included: the net then knows them
better than ever. Labels that are drawn anew push towards even answers, which no net gives that never saw the pictures.

Where official code differs: SalUn's draws among all classes, so that one label in C is the true one; here never. For
whole classes only kept classes are drawn, as in the code of SSD. Ours shuffles forgotten and kept pictures together, as
SalUn does for CIFAR-100; for CIFAR-10 it shows all forgotten ones first.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
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
from unlearn_core.training.losses import wrong_labels
from unlearn_core.training.optim import optimizer_step, set_linear_lr
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import ImageSubset, Problem


class Hyperparameters(BaseHyperparameters):
    """The hyper-parameters of training on random labels."""

    lr: float = learning_rate(0.02, low=1e-4, explain="How far each step goes.")
    epochs: int = hyperparameter(
        2, low=1, high=30, title="Epochs", unit="epochs", explain="Passes over the forgotten and kept pictures."
    )
    labels: str = hyperparameter(
        "redrawn",
        choices=("redrawn", "fixed"),
        title="Wrong labels",
        explain="Redrawn gives every picture a new wrong label in each epoch; fixed keeps the first.",
    )
    kept_per_class: int = retain_per_class(400)
    falls: bool = linear_decay()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Trains `problem.net` on wrong labels beside right ones; raises Diverged where the loss is no longer a number."""
    steps = _steps(params, problem.sizes)
    tracker.plan(relabel=steps)
    optimiser = torch.optim.SGD(
        problem.model.parameters(), params.lr, params.momentum, weight_decay=params.weight_decay
    )
    problem.model.train()
    tracker.phase("relabel")
    for step, (pictures, labels) in enumerate(tracker.iterate(_batches(problem, params))):
        if params.falls:
            set_linear_lr(optimiser, params.lr, step=step, steps=steps)
        with autocast(problem.device):
            loss = F.cross_entropy(problem.model(pictures), labels)
        optimizer_step(optimiser, loss)
        tracker.log(loss=loss.item())


def _batches(problem: Problem, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor]]:
    """Every epoch's batches, forgotten pictures under their wrong labels among kept ones."""
    for number in range(params.epochs):
        some = problem.retain.sample(
            problem.sizes.retain_used(params.kept_per_class), problem.random_generator("kept", number)
        )
        drawn = problem.random_generator("labels", number if params.labels == "redrawn" else 0)
        mixed = _relabelled(problem.forget, some, problem.retained_classes, drawn)
        yield from mixed.batches(params.batch, problem.random_generator("epoch", number), augment=params.augment)


def _relabelled(
    forgotten: ImageSubset, retained: ImageSubset, allowed: Tensor, generator: torch.Generator
) -> ImageSubset:
    """Both pools in one, in which every forgotten picture has another label than its own, uniform over the allowed."""
    labels = forgotten.labels.clone()
    labels[forgotten.rows] = wrong_labels(labels[forgotten.rows], allowed, generator)
    return ImageSubset(forgotten.images, labels, torch.cat([forgotten.rows, retained.rows]))


def _steps(params: Hyperparameters, sizes: ProblemSize) -> int:
    return steps_in_epoch(sizes.forget + sizes.retain_used(params.kept_per_class), params.batch) * params.epochs


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return (sizes.forget + sizes.retain_used(params.kept_per_class)) * params.epochs


METHOD = Method(
    id="random_labels",
    title="Random labels",
    group="Relabel",
    summary="teaches wrong names beside right ones",
    idea="Gives every forgotten picture a **wrong label** drawn at random, and trains on these among kept pictures.",
    failure_modes="A few pictures under fixed labels are learned by heart: the net then knows them better than ever. Labels "
    "drawn anew teach hesitation that no net shows which never saw the pictures, and that can be noticed.",
    paper=Reference("Graves et al., Amnesiac Machine Learning, AAAI 2021", "https://arxiv.org/abs/2010.10981"),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Fewer epochs and kept pictures than papers take; of single pictures few kept ones, shown often.",
            Hyperparameters(),
            by_request_size={
                "few pictures": Hyperparameters(lr=0.01, epochs=15, kept_per_class=50),
                "many pictures": Hyperparameters(lr=0.05, epochs=3, kept_per_class=200),
            },
        ),
        "fixed": Preset(
            "fixed labels",
            "The same with labels drawn once, as Graves et al. have it.",
            Hyperparameters(labels="fixed"),
        ),
        "paper": Preset(
            "paper",
            "As the baseline of SalUn: ten epochs over all kept pictures. Takes minutes on a CPU.",
            Hyperparameters(lr=0.01, epochs=10, kept_per_class=5000, falls=False, batch=256),
        ),
    },
    needs=lambda knobs: DataAccess(forget=True, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
