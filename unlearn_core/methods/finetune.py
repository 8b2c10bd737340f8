"""Fine-tune: continue training without the forget set (Golatkar et al., CVPR 2020; a baseline of most papers).

Idea. Train on the retain set only, so that what is no longer shown fades.

Cost. The chosen number of epochs over the retain set.

When it fails. Nearly always, but mildly. At a low learning rate the model still recognises the forget set; at a high
one it forgets because its weights are disturbed, which costs retain accuracy. Single images hardly fade at all.

Source. Golatkar et al. 2020, where it is a baseline.
"""

from collections.abc import Iterator, Sequence

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.method import ETERNAL_SUNSHINE, TUNED_ON, DataAccess, Method, Preset, ProblemSize
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    early_stop,
    epochs,
    learning_rate,
    linear_decay,
    momentum,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.loops import fit
from unlearn_core.training.optim import linear_schedule, sgd
from unlearn_core.training.problem import Problem
from unlearn_core.training.stacked import Batch, StackedTrial, batches_by_seed, train_stacked


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of fine-tuning."""

    lr: float = learning_rate(0.2, low=1e-4, explain="Step size; at 0.01 and below hardly anything is forgotten.")
    epochs: int = epochs(1, over="the retain set")
    falls: bool = linear_decay()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Train `problem.model` on the retain set; raises DivergedError if the loss is not finite."""
    steps = problem.retain.num_batches(params.batch) * params.epochs
    tracker.plan(**{"fine-tune": steps})
    problem.model.train()
    tracker.phase("fine-tune")
    schedule = linear_schedule(params.lr, steps) if params.falls else None
    fit(problem, _batches(problem, params), sgd(problem.model, params, nesterov=True), tracker, lr_schedule=schedule)


def forget_stacked(
    problems: Sequence[Problem], params: Sequence[Hyperparameters], trackers: Sequence[Tracker]
) -> list[UnlearnError | None]:
    """The same for several stacked trials; returns for each the error that stopped it, or None."""
    first, count = params[0], problems[0].retain.num_batches(params[0].batch) * params[0].epochs
    for tracker in trackers:
        tracker.plan(**{"fine-tune": count})
        tracker.phase("fine-tune")

    batches = batches_by_seed(problems, lambda problem: _batches(problem, first))
    trials = [
        StackedTrial(problem.model, tracker, source, own.lr, own.momentum, own.weight_decay)
        for problem, own, tracker, source in zip(problems, params, trackers, batches, strict=True)
    ]
    return train_stacked(trials, steps=count, linear_decay=first.falls)


def _batches(problem: Problem, params: Hyperparameters) -> Iterator[Batch]:
    return problem.epochs(problem.retain, range(params.epochs), params.batch, augment=params.augment)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.retain * params.epochs


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    """Weight decay, by which what is no longer shown fades, and below the preset's strength the rate."""
    return {
        "lr": params.lr * min(1.0, strength),
        "weight_decay": params.weight_decay * max(1.0, strength),
        "epochs": epochs_for(
            params.epochs, params.batch, images=sizes.retain, tuned_on=TUNED_ON.retain, classes=sizes.classes
        ),
    }


METHOD = Method(
    id="finetune",
    title="Fine-tune",
    group="Baselines",
    summary="continue training without the forget set · needs no forget data",
    idea="Continues training on the retain set only, so that what is no longer shown **fades**.",
    failure_modes="Usually, but mildly: at a low learning rate the model still recognises the forget set; at a high "
    "one the retained classes lose accuracy. Single images hardly fade at all.",
    paper=ETERNAL_SUNSHINE,
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled", "One epoch at a learning rate that disturbs the model without destroying it.", Hyperparameters()
        ),
        "gentle": Preset(
            "gentle", "The learning rate of most papers: shows how little fades.", Hyperparameters(lr=0.01)
        ),
    },
    needs=lambda params: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    tuning=Tuning(
        finds=("lr", "weight_decay", "epochs", "batch"),
        batch="batch",
        values=_at_strength,
        rule="Weight decay, or a lower learning rate; small data is shown in more epochs and smaller batches.",
        forgets_in="epochs",
    ),
    forget=forget,
    forget_stacked=forget_stacked,
    stackable_params=frozenset({"lr", "momentum", "weight_decay"}),
)
