"""l1-sparse: fine-tuning with an l1 penalty on the weights (Jia et al., NeurIPS 2023, arXiv 2304.04934).

Idea. Train on the retain set with an l1 penalty on all weights: CE(D_r) + gamma_e ||theta||_1. The penalty decays
linearly over the epochs (section 4); a sparser model forgets more easily.

Cost. The chosen number of epochs over retained images.

When it fails. As fine-tuning does, whose learning rate it needs: single images hardly fade. A strong penalty forgets by
damaging everything, which the epochs without penalty have to repair.

Source. Section 4 and the authors' code, without notable differences; the default penalty among the code's arguments
(0.2) is not usable. The paper also prunes a model before it applies other unlearning methods, which is left out here.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.method import TUNED_ON, DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import (
    MOST_EPOCHS,
    augment,
    batch_size,
    early_stop,
    epochs,
    learning_rate,
    linear_decay,
    momentum,
    retain_per_class,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.loops import fit
from unlearn_core.training.optim import linear_schedule, sgd
from unlearn_core.training.problem import Problem

UNUSED_BELOW = 1e-3
"""A weight below this counts as unused."""


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of l1-sparse; symbols as in the paper."""

    penalty: float = hyperparameter(
        5e-4,
        low=1e-6,
        high=0.01,
        scale="log",
        title="L1 penalty",
        symbol="γ",
        explain="How strongly all weights are pulled towards zero in the first epoch.",
    )
    lr: float = learning_rate(0.1, low=1e-4, explain="Step size.")
    epochs: int = epochs(3, over="retained images, in total")
    plain_epochs: int = hyperparameter(
        1,
        low=0,
        high=19,
        title="Epochs without penalty",
        unit="epochs",
        explain="Number of final epochs that repair the model without the penalty.",
    )
    kept_per_class: int = retain_per_class(1000)
    falls: bool = linear_decay()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Train `problem.model` on retained images with the penalty; raises DivergedError if the loss is not finite."""
    steps = steps_in_epoch(problem.sizes.retain_used(params.kept_per_class), params.batch) * params.epochs
    tracker.plan(sparsify=steps)
    problem.model.train()
    tracker.phase("sparsify")
    batches = (
        (images, labels, penalty_at(number, params))
        for number in range(params.epochs)
        for images, labels in problem.retain_in_epoch(number, per_class=params.kept_per_class).batches(
            params.batch, problem.random_generator("epoch", number), augment=params.augment
        )
    )

    def loss(images: Tensor, labels: Tensor, penalty: float) -> tuple[Tensor, dict[str, float]]:
        error = F.cross_entropy(problem.model(images), labels)
        total = error + penalty * l1_norm(problem.model) if penalty else error
        return total, {"loss": error.item(), "penalty": penalty}

    schedule = linear_schedule(params.lr, steps) if params.falls else None
    fit(problem, batches, sgd(problem.model, params), tracker, loss=loss, lr_schedule=schedule)
    tracker.log(unused=unused_share(problem.model))


def penalty_at(epoch: int, params: Hyperparameters) -> float:
    """The penalty's weight in an epoch (0 is the first): linear decay to 0, then 0."""
    penalised = params.epochs - params.plain_epochs
    return params.penalty * (1 - epoch / penalised) if epoch < penalised else 0.0


def l1_norm(model: nn.Module) -> Tensor:
    """||theta||_1 over all weights, including those of batch norm."""
    return torch.stack([weight.abs().sum() for weight in model.parameters()]).sum()


def unused_share(model: nn.Module) -> float:
    """The share (0 to 1) of weights that are practically zero."""
    return float(
        torch.cat([(weight.detach().abs() < UNUSED_BELOW).flatten() for weight in model.parameters()]).float().mean()
    )


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.retain_used(params.kept_per_class) * params.epochs


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    """The penalty, and below the preset's strength the rate; of more epochs for small data, the same share has none."""
    images, tuned_on = (one.retain_used(params.kept_per_class) for one in (sizes, TUNED_ON))
    epochs = min(
        MOST_EPOCHS, epochs_for(params.epochs, params.batch, images=images, tuned_on=tuned_on, classes=sizes.classes)
    )
    return {
        "lr": params.lr * min(1.0, strength),
        "penalty": params.penalty * strength,
        "epochs": epochs,
        "plain_epochs": round(epochs * params.plain_epochs / params.epochs),
    }


METHOD = Method(
    id="l1_sparse",
    title="l1-sparse",
    group="Edit weights",
    summary="fine-tune towards sparse weights · needs no forget data",
    idea="Continues training on the retain set only while a **penalty shrinks all weights**, so that what is no longer "
    "shown fades; then repairs the model without the penalty.",
    failure_modes="Single images hardly fade. At a learning rate of 0.05 and below a part of a class remains; a higher "
    "learning rate or penalty also costs accuracy on the retained classes.",
    paper=Reference(
        "Jia et al., Model Sparsity Can Simplify Machine Unlearning, NeurIPS 2023", "https://arxiv.org/abs/2304.04934"
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled", "Fewer epochs than the paper at a higher rate, the last one without penalty.", Hyperparameters()
        ),
        "no penalty": Preset(
            "no penalty", "The same without shrinking: shows the effect of the penalty.", Hyperparameters(penalty=1e-6)
        ),
        "paper": Preset(
            "paper",
            "Ten epochs at the authors' learning rate, penalty as we remember the paper. Takes minutes on a CPU.",
            Hyperparameters(
                penalty=5e-4, lr=0.01, epochs=10, plain_epochs=0, kept_per_class=5000, falls=False, batch=256
            ),
        ),
    },
    needs=lambda params: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    tuning=Tuning(
        finds=("lr", "penalty", "epochs", "plain_epochs", "batch"),
        batch="batch",
        values=_at_strength,
        rule="The penalty, and for a smaller one the learning rate; small data is shown in more epochs and smaller "
        "batches.",
        forgets_in="epochs",
    ),
    forget=forget,
)
