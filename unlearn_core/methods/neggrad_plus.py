"""NegGrad+: descent on the retain set and ascent on the forget set in one step (Kurmanji et al., NeurIPS 2023).

Idea. Minimise a * CE(D_r) - (1 - a) * CE(D_f): the first term protects what NegGrad alone would lose.

Cost. The chosen number of epochs over retained images, and one batch of forget images beside each of their batches.

When it fails. The second term is unbounded: if a is too small it dominates, and the model collapses. Each value of a
suits one size of request. Single images are easily pushed further than in a model that never saw them.

Source. Kurmanji et al. 2023, section 5. The official code evaluates the two batches separately, so that batch norm
sees each by itself; here they form one batch. It has no loss cap (0 here) and no frozen batch norm. It repeats the
forget images in the same order, which is shuffled again in each pass here.
"""

from collections.abc import Iterator
from itertools import count

import torch
from torch import Tensor
from torch.nn import functional as F

from unlearn_core.domain.method import TUNED_ON, UNBOUNDED_UNLEARNING, DataAccess, Method, Preset, ProblemSize
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    early_stop,
    epochs,
    freeze_batchnorm,
    grad_clip,
    learning_rate,
    linear_decay,
    loss_cap,
    momentum,
    retain_per_class,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.loops import fit
from unlearn_core.training.losses import capped_cross_entropy
from unlearn_core.training.optim import linear_schedule, sgd, train_mode
from unlearn_core.training.problem import Problem


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of NegGrad+; symbols as in the paper."""

    kept_weight: float = hyperparameter(
        0.95,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Weight of the retain set",
        symbol="α",
        explain="Weight of the retain loss; the remainder is the weight of the ascent on the forget set.",
    )
    lr: float = learning_rate(0.01, low=1e-4, explain="Step size.")
    epochs: int = epochs(1, over="retained images")
    kept_per_class: int = retain_per_class(1000)
    most: float = loss_cap(4.6)
    falls: bool = linear_decay()
    clip: float = grad_clip()
    frozen_norm: bool = freeze_batchnorm(False)
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    retain_batch: int = batch_size(128, title="Batch size, retain set")
    forget_batch: int = batch_size(128, title="Batch size, forget set")
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Train `problem.model` on both sets at once; raises DivergedError if the loss is not finite."""
    steps = _steps(params, problem.sizes)
    tracker.plan(**{"ascend and descend": steps})
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    tracker.phase("ascend and descend")

    def loss(images: Tensor, labels: Tensor, num_retain: int) -> tuple[Tensor, dict[str, float]]:
        logits = problem.model(images)
        retain = F.cross_entropy(logits[:num_retain], labels[:num_retain])
        ascent = capped_cross_entropy(logits[num_retain:], labels[num_retain:], cap=params.most)
        logged = {"retain_loss": retain.item(), "forget_loss": ascent.item()}
        return _loss(retain, ascent, params.kept_weight), logged

    schedule = linear_schedule(params.lr, steps) if params.falls else None
    batches, optimizer = _batches(problem, params), sgd(problem.model, params)
    fit(problem, batches, optimizer, tracker, loss=loss, lr_schedule=schedule, grad_clip=params.clip)


def _loss(retain: Tensor, forget: Tensor, retain_weight: float) -> Tensor:
    """a * CE(D_r) - (1 - a) * CE(D_f)."""
    return retain_weight * retain - (1 - retain_weight) * forget


def _batches(problem: Problem, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Images and labels of a retain and a forget batch in one, and how many of them, the first ones, are retained."""
    forgotten = problem.epochs(problem.forget, count(), params.forget_batch, augment=params.augment, purpose="forget")
    for number in range(params.epochs):
        some = problem.retain_in_epoch(number, per_class=params.kept_per_class)
        for retained, labels in some.batches(
            params.retain_batch, problem.random_generator("epoch", number), augment=params.augment
        ):
            others, their_labels = next(forgotten)
            yield torch.cat([retained, others]), torch.cat([labels, their_labels]), len(retained)


def _steps(params: Hyperparameters, sizes: ProblemSize) -> int:
    return steps_in_epoch(sizes.retain_used(params.kept_per_class), params.retain_batch) * params.epochs


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    rounds, rest = divmod(_steps(params, sizes), steps_in_epoch(sizes.forget, params.forget_batch))
    return sizes.retain_used(params.kept_per_class) * params.epochs + rounds * sizes.forget + rest * params.forget_batch


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    images, tuned_on = (one.retain_used(params.kept_per_class) for one in (sizes, TUNED_ON))
    epochs = epochs_for(params.epochs, params.retain_batch, images=images, tuned_on=tuned_on, classes=sizes.classes)
    return {"lr": params.lr * strength, "epochs": epochs}


METHOD = Method(
    id="neggrad_plus",
    title="NegGrad+",
    group="Gradient ascent",
    summary="ascent on the forget set, descent on the retain set",
    idea="Increases the loss on the forget set and **decreases** it on the retain set in the same step, so that retain "
    "accuracy is preserved.",
    failure_modes="With too little weight on the retain set the unbounded ascent destroys the model. Single images are "
    "easily pushed further than in a model that never saw them, which an attacker can detect.",
    paper=UNBOUNDED_UNLEARNING,
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "One epoch with a loss cap; the paper uses ten epochs without one.",
            Hyperparameters(kept_weight=0.9),
            by_request_size={
                "several classes": Hyperparameters(kept_weight=0.5),
                "few pictures": Hyperparameters(kept_weight=0.7, most=2.0, kept_per_class=300),
                "many pictures": Hyperparameters(kept_weight=0.7, most=2.0, lr=0.02),
            },
        ),
        "paper": Preset(
            "paper",
            "The published settings for small data: ten epochs, no loss cap. Takes minutes on a CPU.",
            Hyperparameters(kept_weight=0.95, epochs=10, kept_per_class=5000, most=0, falls=False),
        ),
    },
    needs=lambda params: DataAccess(forget=True, retain=True),
    images_processed=_images_processed,
    tuning=Tuning(
        finds=("lr", "epochs", "retain_batch"),
        batch="retain_batch",
        values=_at_strength,
        rule="The learning rate; small data is shown in more epochs and smaller batches.",
        forgets_in="epochs",
    ),
    forget=forget,
)
