"""NegGrad: gradient ascent on the forget set (Golatkar et al., CVPR 2020, section 6).

Idea. Increase the loss on the forget set: theta <- theta + lr * grad CE(D_f). No retained image is used.

Cost. A few short steps over the forget set; the stopping rule evaluates the model after each step.

When it fails. The loss is unbounded and nothing protects the retain set: features that forget images share with others
are lost too. It stops at an accuracy chosen in advance, not where a model that never saw the images would be.

Source. Golatkar et al. 2020, section 6. The official code trains a fixed number of epochs (5 at a learning rate of 1e-4
in Jia et al. 2023, with batch norm in train mode). It has none of the four safeguards here: a target accuracy, a loss
cap, gradient clipping and frozen batch norm. The preset "unbounded" disables all of them, and the model collapses.
"""

from torch import Tensor

from unlearn_core.domain.method import ETERNAL_SUNSHINE, DataAccess, Method, Preset, ProblemSize
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
from unlearn_core.domain.tuning import Tuning
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.loops import fit
from unlearn_core.training.losses import capped_cross_entropy
from unlearn_core.training.optim import sgd, train_mode
from unlearn_core.training.problem import Problem

STOP_CHECK_IMAGES = 256
"""Forget images that the stopping rule checks first; it checks all of them only when these are done."""


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of NegGrad."""

    lr: float = learning_rate(
        1e-3, low=1e-6, high=0.1, explain="Step size of the ascent; too large a step destroys the whole model."
    )
    stops: bool = hyperparameter(
        True, title="Stop early", explain="Stops as soon as enough is forgotten; otherwise all epochs are run."
    )
    stop_accuracy: float = hyperparameter(
        0.0,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Stop at accuracy",
        explain="Forget accuracy at which to stop: 0 for a class; for single images the model's accuracy on images "
        "that it was not trained on.",
    )
    epochs: int = hyperparameter(
        30, low=1, high=100, title="Maximum epochs", unit="epochs", explain="Passes over the forget set."
    )
    most: float = loss_cap(4.6)
    clip: float = grad_clip(1.0)
    frozen_norm: bool = freeze_batchnorm(True)
    momentum: float = momentum()
    weight_decay: float = weight_decay(0.0)
    augment: bool = augment(False)
    batch: int = batch_size()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Increase the loss of `problem.model` on `problem.forget`; raises DivergedError if the loss is not finite."""
    tracker.plan(ascend=problem.forget.num_batches(params.batch) * params.epochs)
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    tracker.phase("ascend")
    batches = problem.epochs(problem.forget, range(params.epochs), params.batch, augment=params.augment)
    first = problem.forget.sample(STOP_CHECK_IMAGES, problem.random_generator("asked")).tensors()

    def loss(images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        error = capped_cross_entropy(problem.model(images), labels, cap=params.most)
        return -error, {"forget_loss": error.item()}

    def is_forgotten() -> bool:
        right = accuracy(problem.model, *first)
        tracker.log(forget_accuracy=right)
        if right > params.stop_accuracy:
            return False
        return accuracy(problem.model, *problem.forget.tensors()) <= params.stop_accuracy

    optimizer = sgd(problem.model, params)
    stop = is_forgotten if params.stops else None
    fit(problem, batches, optimizer, tracker, loss=loss, grad_clip=params.clip, after_step=stop)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.forget * params.epochs


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    return {"lr": params.lr * strength}


def _caution(_params: Hyperparameters, sizes: ProblemSize, _searches: bool) -> str | None:
    if not (sizes.shares_features and sizes.forgotten_classes):
        return None
    return (
        "It trains on the forget set alone, and nothing protects the features that other classes share: the retain set "
        "mostly loses 5 points or more."
    )


METHOD = Method(
    id="neggrad",
    title="NegGrad",
    group="Gradient ascent",
    summary="increase the loss on the forget set · needs no retain data",
    idea="Increases the loss on the forget set (gradient **ascent**) until enough of it is misclassified.",
    failure_modes="Nothing protects the retain set: retain accuracy falls too, and more so for larger forget sets. "
    "Without its safeguards (preset unbounded) the model collapses, and 0 % forget accuracy then means nothing.",
    paper=ETERNAL_SUNSHINE,
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Bounded short steps, stopped at the accuracy on unseen images; papers use a fixed number of epochs.",
            Hyperparameters(stop_accuracy=0.02, frozen_norm=False),
            by_request_size={
                "several classes": Hyperparameters(lr=3e-3, stop_accuracy=0.02, frozen_norm=False, batch=256),
                "few pictures": Hyperparameters(lr=3e-4, stop_accuracy=0.82, epochs=100, batch=32),
                "many pictures": Hyperparameters(stop_accuracy=0.82, frozen_norm=False, batch=32),
            },
        ),
        "paper": Preset(
            "paper",
            "The settings of Jia et al. (2023): five epochs without safeguards, at a low learning rate.",
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
            "No safeguards, at ten times the rate: shows how forget accuracy alone can hide a destroyed model.",
            Hyperparameters(lr=0.01, epochs=10, stops=False, most=0, clip=0, frozen_norm=False),
        ),
    },
    needs=lambda params: DataAccess(forget=True, retain=False),
    images_processed=_images_processed,
    caution=_caution,
    tuning=Tuning(
        finds=("lr", "stop_accuracy"),
        values=_at_strength,
        rule="The learning rate; it stops at the accuracy on images that the model was not trained on.",
        aim="stop_accuracy",
    ),
    forget=forget,
    may_stop_early=True,
)
