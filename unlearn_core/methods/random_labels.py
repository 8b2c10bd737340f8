"""Random labels: train on wrong labels for the forget set (Graves et al., AAAI 2021; a baseline of most papers).

Idea. Give every forget image another label, drawn at random, and train on these and on retained images, mixed.

Cost. The chosen number of epochs over forget and retained images together.

When it fails. A few images with fixed labels are memorised, wrong labels included, and are then more exposed than
before. Labels drawn again in each epoch push towards uniform outputs, unlike a model that never saw the images.

Source. Graves et al. 2021. SalUn's code draws among all classes, so that one label in C is the true one; here never.
For whole classes only retained classes are drawn, as in the code of SSD. Forget and retained images are shuffled
together, as SalUn does for CIFAR-100; for CIFAR-10 SalUn shows all forget images first.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from unlearn_core.domain.method import TUNED_ON, DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    early_stop,
    epochs,
    learning_rate,
    linear_decay,
    momentum,
    retain_per_class,
    weight_decay,
    wrong_labels,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.loops import fit
from unlearn_core.training.optim import linear_schedule, sgd
from unlearn_core.training.problem import ImageSubset, Problem


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of random labels."""

    lr: float = learning_rate(0.02, low=1e-4, explain="Step size.")
    epochs: int = epochs(2, high=30, over="forget and retained images")
    labels: str = wrong_labels()
    kept_per_class: int = retain_per_class(400)
    falls: bool = linear_decay()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Train `problem.model` on wrong and true labels; raises DivergedError if the loss is not finite."""
    steps = _steps(params, problem.sizes)
    tracker.plan(relabel=steps)
    problem.model.train()
    tracker.phase("relabel")
    schedule = linear_schedule(params.lr, steps) if params.falls else None
    fit(problem, _batches(problem, params), sgd(problem.model, params), tracker, lr_schedule=schedule)


def _batches(problem: Problem, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor]]:
    """Every epoch's batches: forget images with wrong labels, mixed with retained images."""
    for number in range(params.epochs):
        retained = problem.retain_in_epoch(number, per_class=params.kept_per_class)
        drawn = problem.random_generator("labels", number if params.labels == "redrawn" else 0)
        forgotten = problem.forget.with_wrong_labels(problem.retained_classes, drawn)
        mixed = ImageSubset(forgotten.images, forgotten.labels, torch.cat([forgotten.rows, retained.rows]))
        yield from mixed.batches(params.batch, problem.random_generator("epoch", number), augment=params.augment)


def _steps(params: Hyperparameters, sizes: ProblemSize) -> int:
    return steps_in_epoch(sizes.forget + sizes.retain_used(params.kept_per_class), params.batch) * params.epochs


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return (sizes.forget + sizes.retain_used(params.kept_per_class)) * params.epochs


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    images, tuned_on = (one.forget + one.retain_used(params.kept_per_class) for one in (sizes, TUNED_ON))
    epochs = epochs_for(params.epochs, params.batch, images=images, tuned_on=tuned_on, classes=sizes.classes)
    return {"lr": params.lr * strength, "epochs": epochs}


METHOD = Method(
    id="random_labels",
    title="Random labels",
    group="Relabel",
    summary="train the forget set on wrong labels",
    idea="Gives every forget image a **wrong label** drawn at random, and trains on these mixed with retained images.",
    failure_modes="A few images with fixed labels are memorised and then more exposed than before. Labels drawn again "
    "in each epoch make the model more uncertain than one that never saw the images, which an attacker can detect.",
    paper=Reference("Graves et al., Amnesiac Machine Learning, AAAI 2021", "https://arxiv.org/abs/2010.10981"),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Fewer epochs and retained images than in papers; for single images few retained images, shown often.",
            Hyperparameters(),
            by_request_size={
                "few pictures": Hyperparameters(lr=0.01, epochs=15, kept_per_class=50),
                "many pictures": Hyperparameters(lr=0.05, epochs=3, kept_per_class=200),
            },
        ),
        "fixed": Preset(
            "fixed labels",
            "The same with labels drawn once, as in Graves et al.",
            Hyperparameters(labels="fixed"),
        ),
        "paper": Preset(
            "paper",
            "The baseline in SalUn: ten epochs over the whole retain set. Takes minutes on a CPU.",
            Hyperparameters(lr=0.01, epochs=10, kept_per_class=5000, falls=False, batch=256),
        ),
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
