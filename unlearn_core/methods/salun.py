"""SalUn: train only the salient weights on random labels (Fan et al., ICLR 2024, arXiv 2310.12508).

Idea. Rank all weights by how strongly the loss on the forget set depends on them, |sum of grad(-CE)|; use the top share
as a mask; then train on random labels (equation 5), while all other weights remain exactly unchanged.

Cost. One pass over the forget set for the mask, then the chosen number of epochs over forget and retained images.

When it fails. As random labels do: the model is uncertain where the retrained model is confident. A mask that is too
small cannot forget, one that is too large has no effect. The learning rate must be tuned for each size of request.

Source. Fan et al. 2024. The official code draws labels among all classes, so that one in C is the true one; here never,
as in the paper. It cuts equal saliencies arbitrarily, here in the order of the model. Before February 2026 its weight
decay and momentum moved masked weights; here they are restored after every step, exactly. Batch norm's running
statistics are not weights and move in both. For CIFAR-10 all forget images come before the retained ones
(mixed = false), for other data all are mixed.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.method import TUNED_ON, DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.results.method_artifacts import SaliencyMask
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
from unlearn_core.training.importance import batch_gradients, share_by_layer, weights_by_layer
from unlearn_core.training.loops import fit
from unlearn_core.training.optim import linear_schedule, sgd
from unlearn_core.training.problem import ImageSubset, Problem


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of SalUn; symbols as in the paper."""

    share: float = hyperparameter(
        0.5,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Share of weights",
        symbol="r",
        explain="Share of all weights to train: those that matter most for the forget set.",
    )
    lr: float = learning_rate(0.02, low=1e-4, explain="Step size; a smaller share tolerates a higher one.")
    epochs: int = epochs(2, high=30, over="forget and retained images")
    labels: str = wrong_labels()
    kept_per_class: int = retain_per_class(400)
    mixed: bool = hyperparameter(
        True,
        title="Mix both sets",
        explain="Shuffles forget and retained images together; otherwise each epoch shows all forget images first.",
        advanced=True,
    )
    falls: bool = linear_decay()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()
    early_stop: bool = early_stop()


class MaskedParameter(NamedTuple):
    """A parameter, the mask of its trainable weights, and its initial values."""

    weight: nn.Parameter
    free: Tensor
    start: Tensor


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Train the salient weights of `problem.model` on wrong labels; raises DivergedError if the loss is not finite."""
    steps = _steps(params, problem.sizes)
    tracker.plan(saliency=problem.forget.num_batches(params.batch), relabel=steps)
    tracker.phase("saliency")
    forget_batches = problem.forget.batches(params.batch, problem.random_generator("saliency"), augment=False)
    slopes = batch_gradients(
        problem.model, tracker.iterate(forget_batches), score=F.cross_entropy, measure=lambda slope: slope
    )
    mask = top_mask({name: slope.abs() for name, slope in slopes.items()}, params.share)
    layers = problem.classifier.roles.layers
    sizes, shares = weights_by_layer(mask, layers), torch.tensor(share_by_layer(mask, layers)).numpy()
    tracker.save_artifact(SaliencyMask(layers=layers, weights=sizes, share=params.share, shares=shares))

    masked = [
        MaskedParameter(weight, mask[name], weight.detach().clone())
        for name, weight in problem.model.named_parameters()
    ]
    optimizer = sgd(problem.model, params)
    problem.model.train()
    tracker.phase("relabel")
    schedule = linear_schedule(params.lr, steps) if params.falls else None
    restore = partial(restore_masked, masked, optimizer)
    fit(problem, _batches(problem, params), optimizer, tracker, lr_schedule=schedule, after_step=restore)


def top_mask(saliency: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """True for the largest `share` of all values (rounded down to whole weights); of equal ones the first."""
    ranked = torch.cat([values.flatten() for values in saliency.values()]).argsort(descending=True, stable=True)
    free = torch.zeros(len(ranked), dtype=torch.bool, device=ranked.device)
    free[ranked[: int(len(ranked) * share)]] = True
    parts = free.split([values.numel() for values in saliency.values()])
    return {name: part.view(values.shape) for (name, values), part in zip(saliency.items(), parts, strict=True)}


@torch.no_grad()
def restore_masked(masked: list[MaskedParameter], optimizer: torch.optim.Optimizer) -> None:
    """Restore masked weights to their initial values and clear their momentum."""
    for weight, free, start in masked:
        weight.copy_(torch.where(free, weight, start))
        speed = optimizer.state[weight].get("momentum_buffer")
        if speed is not None:
            speed.mul_(free)


def _batches(problem: Problem, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor]]:
    """Every epoch's batches: forget images with wrong labels, mixed with retained images or before them."""
    for number in range(params.epochs):
        retained = problem.retain_in_epoch(number, per_class=params.kept_per_class)
        drawn = problem.random_generator("labels", number if params.labels == "redrawn" else 0)
        forgotten = problem.forget.with_wrong_labels(problem.retained_classes, drawn)
        groups = [torch.cat([forgotten.rows, retained.rows])] if params.mixed else [forgotten.rows, retained.rows]
        order = problem.random_generator("epoch", number)
        for rows in groups:
            mixed = ImageSubset(forgotten.images, forgotten.labels, rows)
            yield from mixed.batches(params.batch, order, augment=params.augment)


def _steps(params: Hyperparameters, sizes: ProblemSize) -> int:
    retained = sizes.retain_used(params.kept_per_class)
    groups = [sizes.forget + retained] if params.mixed else [sizes.forget, retained]
    return sum(steps_in_epoch(count, params.batch) for count in groups) * params.epochs


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.forget + (sizes.forget + sizes.retain_used(params.kept_per_class)) * params.epochs


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    images, tuned_on = (one.forget + one.retain_used(params.kept_per_class) for one in (sizes, TUNED_ON))
    epochs = epochs_for(params.epochs, params.batch, images=images, tuned_on=tuned_on, classes=sizes.classes)
    return {"lr": params.lr * strength, "epochs": epochs}


METHOD = Method(
    id="salun",
    title="SalUn",
    group="Relabel",
    summary="train only the salient weights on wrong labels",
    idea="Finds the weights that **matter most** for the forget set and trains only these on wrong labels; all other "
    "weights remain exactly unchanged.",
    failure_modes="As with all random labels, the model is uncertain where the retrained model is confident. Too small "
    "a share of weights cannot forget, and the learning rate must be tuned for each size of request.",
    paper=Reference("Fan et al., SalUn, ICLR 2024", "https://arxiv.org/abs/2310.12508"),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Fewer epochs and retained images than the paper, at a higher rate; for single images few retained "
            "images, shown often.",
            Hyperparameters(),
            by_request_size={
                "few pictures": Hyperparameters(lr=0.015, epochs=15, kept_per_class=50),
                "many pictures": Hyperparameters(lr=0.05, epochs=3, kept_per_class=200),
            },
        ),
        "all weights": Preset(
            "all weights", "The same without a mask: shows the effect of the mask.", Hyperparameters(share=1.0)
        ),
        "paper": Preset(
            "paper",
            "The published settings for CIFAR-10: ten epochs over the whole retain set. Takes minutes on a CPU.",
            Hyperparameters(lr=0.013, epochs=10, kept_per_class=5000, mixed=False, falls=False, batch=256),
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
