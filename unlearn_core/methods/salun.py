"""SalUn: wrong labels, learned only by the weights that matter for them (Fan et al., ICLR 2024, arXiv 2310.12508).

Idea. Rank all weights by how strongly the loss on the forgotten pictures depends on them, |sum of grad(-CE)|; keep the
top share as a mask; then train on random labels (equation 5), while all other weights stay exactly where they were.

Cost. One pass over the forgotten pictures for the mask, then the chosen epochs over forgotten and kept pictures.

When it fails. As random labels do: hesitation where gold is sure. A mask that is too small cannot forget, one that is
too large is no mask. The rate has to be found anew for each size of request.

Where official code differs: its labels are drawn among all classes, so that one in C is the true one, here never (as
the paper has it); equal saliencies are cut off arbitrarily, here in the order of the net. Before February 2026 weight
decay and momentum moved masked weights; here they are put back after every step, bit for bit. Batch norm's running
statistics are no weights: they move, in both. For CIFAR-10 all forgotten pictures come before the kept ones
(mixed = false), for other data all are mixed.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
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
from unlearn_core.training.importance import batch_gradients, share_by_layer, weights_by_layer
from unlearn_core.training.losses import wrong_labels
from unlearn_core.training.optim import optimizer_step, set_linear_lr
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import ImageSubset, Problem


class Hyperparameters(BaseHyperparameters):
    """SalUn's hyper-parameters; symbols as in the paper."""

    share: float = hyperparameter(
        0.5,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Share of weights",
        symbol="r",
        explain="The share of all weights, those that matter most for the forgotten pictures, that may move.",
    )
    lr: float = learning_rate(0.02, low=1e-4, explain="How far each step goes; a smaller share bears a higher rate.")
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
    mixed: bool = hyperparameter(
        True,
        title="Shuffle both together",
        explain="Mixes forgotten and kept pictures; otherwise each epoch shows all forgotten ones first.",
        advanced=True,
    )
    falls: bool = linear_decay()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()


class MaskedParameter(NamedTuple):
    """A weight, where in it the mask lets it move, and where it started."""

    weight: nn.Parameter
    free: Tensor
    start: Tensor


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Trains the salient weights of `problem.net` on wrong labels; raises Diverged where the loss is not a number."""
    steps = _steps(params, problem.sizes)
    tracker.plan(saliency=problem.forget.num_batches(params.batch), relabel=steps)
    tracker.phase("saliency")
    asked = problem.forget.batches(params.batch, problem.random_generator("saliency"), augment=False)
    slopes = batch_gradients(problem.model, tracker.iterate(asked), score=F.cross_entropy, measure=lambda slope: slope)
    mask = top_mask({name: slope.abs() for name, slope in slopes.items()}, params.share)
    layers = problem.classifier.roles.layers
    facts = {"layers": list(layers), "weights": weights_by_layer(mask, layers), "share": params.share}
    tracker.save_artifact("saliency", torch.tensor(share_by_layer(mask, layers)), **facts)

    held = [
        MaskedParameter(weight, mask[name], weight.detach().clone())
        for name, weight in problem.model.named_parameters()
    ]
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
        restore_masked(held, optimiser)
        tracker.log(loss=loss.item())


def top_mask(saliency: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """True for the `share` (rounded down to whole weights) of all numbers that is largest; of equals the first ones."""
    ranked = torch.cat([values.flatten() for values in saliency.values()]).argsort(descending=True, stable=True)
    free = torch.zeros(len(ranked), dtype=torch.bool, device=ranked.device)
    free[ranked[: int(len(ranked) * share)]] = True
    parts = free.split([values.numel() for values in saliency.values()])
    return {name: part.view(values.shape) for (name, values), part in zip(saliency.items(), parts, strict=True)}


@torch.no_grad()
def restore_masked(masked: list[MaskedParameter], optimizer: torch.optim.Optimizer) -> None:
    """Returns masked weights to where they started, whatever moved them, and takes away their momentum."""
    for weight, free, start in masked:
        weight.copy_(torch.where(free, weight, start))
        speed = optimizer.state[weight].get("momentum_buffer")
        if speed is not None:
            speed.mul_(free)


def _batches(problem: Problem, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor]]:
    """Every epoch's batches, forgotten pictures under their wrong labels, among kept ones or before them."""
    gone = problem.forget
    for number in range(params.epochs):
        kept = problem.retain.sample(
            problem.sizes.retain_used(params.kept_per_class), problem.random_generator("kept", number)
        )
        drawn = problem.random_generator("labels", number if params.labels == "redrawn" else 0)
        labels = gone.labels.clone()
        labels[gone.rows] = wrong_labels(labels[gone.rows], problem.retained_classes, drawn)
        groups = [torch.cat([gone.rows, kept.rows])] if params.mixed else [gone.rows, kept.rows]
        order = problem.random_generator("epoch", number)
        for rows in groups:
            yield from ImageSubset(gone.images, labels, rows).batches(params.batch, order, augment=params.augment)


def _steps(params: Hyperparameters, sizes: ProblemSize) -> int:
    kept = sizes.retain_used(params.kept_per_class)
    groups = [sizes.forget + kept] if params.mixed else [sizes.forget, kept]
    return sum(steps_in_epoch(count, params.batch) for count in groups) * params.epochs


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.forget + (sizes.forget + sizes.retain_used(params.kept_per_class)) * params.epochs


METHOD = Method(
    id="salun",
    title="SalUn",
    group="Relabel",
    summary="wrong names, for salient weights only",
    idea="Finds the weights that **matter most** for the forgotten pictures and teaches only these wrong labels; all "
    "other weights stay exactly as they were.",
    failure_modes="It hesitates where gold is sure, as all random labels make a net do. Too small a share of weights cannot "
    "forget, and the rate has to be found anew for each size of request.",
    paper=Reference("Fan et al., SalUn, ICLR 2024", "https://arxiv.org/abs/2310.12508"),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Fewer epochs and kept pictures than the paper, at a higher rate; of single pictures few kept ones, shown "
            "often.",
            Hyperparameters(),
            by_request_size={
                "few pictures": Hyperparameters(lr=0.015, epochs=15, kept_per_class=50),
                "many pictures": Hyperparameters(lr=0.05, epochs=3, kept_per_class=200),
            },
        ),
        "all weights": Preset(
            "all weights", "The same without a mask: shows what the mask does.", Hyperparameters(share=1.0)
        ),
        "paper": Preset(
            "paper",
            "The published settings for CIFAR-10: ten epochs over all kept pictures. Takes minutes on a CPU.",
            Hyperparameters(lr=0.013, epochs=10, kept_per_class=5000, mixed=False, falls=False, batch=256),
        ),
    },
    needs=lambda knobs: DataAccess(forget=True, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
