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

from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob
from unlearn_core.domain.shared_params import (
    augment,
    batch,
    falls,
    kept_per_class,
    learning_rate,
    momentum,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.importance import batch_gradients, share_by_layer, weights_by_layer
from unlearn_core.training.losses import wrong_labels
from unlearn_core.training.optim import descend, fall
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Pool, Problem


class Knobs(Params):
    """SalUn's hyper-parameters; symbols as in the paper."""

    share: float = knob(
        0.5,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Share of weights",
        symbol="r",
        explain="The share of all weights, those that matter most for the forgotten pictures, that may move.",
    )
    lr: float = learning_rate(0.02, low=1e-4, explain="How far each step goes; a smaller share bears a higher rate.")
    epochs: int = knob(
        2, low=1, high=30, title="Epochs", unit="epochs", explain="Passes over the forgotten and kept pictures."
    )
    labels: str = knob(
        "redrawn",
        choices=("redrawn", "fixed"),
        title="Wrong labels",
        explain="Redrawn gives every picture a new wrong label in each epoch; fixed keeps the first.",
    )
    kept_per_class: int = kept_per_class(400)
    mixed: bool = knob(
        True,
        title="Shuffle both together",
        explain="Mixes forgotten and kept pictures; otherwise each epoch shows all forgotten ones first.",
        advanced=True,
    )
    falls: bool = falls()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch()


class Held(NamedTuple):
    """A weight, where in it the mask lets it move, and where it started."""

    weight: nn.Parameter
    free: Tensor
    start: Tensor


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Trains the salient weights of `problem.net` on wrong labels; raises Diverged where the loss is not a number."""
    steps = _steps(knobs, problem.sizes)
    track.plan(saliency=problem.forget.steps(knobs.batch), relabel=steps)
    track.phase("saliency")
    asked = problem.forget.epoch(knobs.batch, problem.stream("saliency"), augment=False)
    slopes = batch_gradients(problem.net, track.over(asked), score=F.cross_entropy, measure=lambda slope: slope)
    mask = top({name: slope.abs() for name, slope in slopes.items()}, knobs.share)
    layers = problem.card.roles.layers
    facts = {"layers": list(layers), "weights": weights_by_layer(mask, layers), "share": knobs.share}
    track.keep("saliency", torch.tensor(share_by_layer(mask, layers)), **facts)

    held = [Held(weight, mask[name], weight.detach().clone()) for name, weight in problem.net.named_parameters()]
    optimiser = torch.optim.SGD(problem.net.parameters(), knobs.lr, knobs.momentum, weight_decay=knobs.weight_decay)
    problem.net.train()
    track.phase("relabel")
    for step, (pictures, labels) in enumerate(track.over(_batches(problem, knobs))):
        if knobs.falls:
            fall(optimiser, knobs.lr, step=step, steps=steps)
        with fast(problem.device):
            loss = F.cross_entropy(problem.net(pictures), labels)
        descend(optimiser, loss)
        put_back(held, optimiser)
        track.log(loss=loss.item())


def top(saliency: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """True for the `share` (rounded down to whole weights) of all numbers that is largest; of equals the first ones."""
    ranked = torch.cat([values.flatten() for values in saliency.values()]).argsort(descending=True, stable=True)
    free = torch.zeros(len(ranked), dtype=torch.bool, device=ranked.device)
    free[ranked[: int(len(ranked) * share)]] = True
    parts = free.split([values.numel() for values in saliency.values()])
    return {name: part.view(values.shape) for (name, values), part in zip(saliency.items(), parts, strict=True)}


@torch.no_grad()
def put_back(held: list[Held], optimiser: torch.optim.Optimizer) -> None:
    """Returns masked weights to where they started, whatever moved them, and takes away their momentum."""
    for weight, free, start in held:
        weight.copy_(torch.where(free, weight, start))
        speed = optimiser.state[weight].get("momentum_buffer")
        if speed is not None:
            speed.mul_(free)


def _batches(problem: Problem, knobs: Knobs) -> Iterator[tuple[Tensor, Tensor]]:
    """Every epoch's batches, forgotten pictures under their wrong labels, among kept ones or before them."""
    gone = problem.forget
    for number in range(knobs.epochs):
        kept = problem.retain.sample(problem.sizes.kept(knobs.kept_per_class), problem.stream("kept", number))
        drawn = problem.stream("labels", number if knobs.labels == "redrawn" else 0)
        labels = gone.labels.clone()
        labels[gone.rows] = wrong_labels(labels[gone.rows], problem.kept_classes, drawn)
        groups = [torch.cat([gone.rows, kept.rows])] if knobs.mixed else [gone.rows, kept.rows]
        order = problem.stream("epoch", number)
        for rows in groups:
            yield from Pool(gone.images, labels, rows).epoch(knobs.batch, order, augment=knobs.augment)


def _steps(knobs: Knobs, sizes: Sizes) -> int:
    kept = sizes.kept(knobs.kept_per_class)
    groups = [sizes.forget + kept] if knobs.mixed else [sizes.forget, kept]
    return sum(steps_in_epoch(count, knobs.batch) for count in groups) * knobs.epochs


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    return sizes.forget + (sizes.forget + sizes.kept(knobs.kept_per_class)) * knobs.epochs


METHOD = Method(
    id="salun",
    title="SalUn",
    group="Relabel",
    summary="wrong names, for salient weights only",
    idea="Finds the weights that **matter most** for the forgotten pictures and teaches only these wrong labels; all "
    "other weights stay exactly as they were.",
    fails="It hesitates where gold is sure, as all random labels make a net do. Too small a share of weights cannot "
    "forget, and the rate has to be found anew for each size of request.",
    paper=Paper("Fan et al., SalUn, ICLR 2024", "https://arxiv.org/abs/2310.12508"),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset(
            "bundled",
            "Fewer epochs and kept pictures than the paper, at a higher rate; of single pictures few kept ones, shown "
            "often.",
            Knobs(),
            fitted={
                "few pictures": Knobs(lr=0.015, epochs=15, kept_per_class=50),
                "many pictures": Knobs(lr=0.05, epochs=3, kept_per_class=200),
            },
        ),
        "all weights": Preset("all weights", "The same without a mask: shows what the mask does.", Knobs(share=1.0)),
        "paper": Preset(
            "paper",
            "The published settings for CIFAR-10: ten epochs over all kept pictures. Takes minutes on a CPU.",
            Knobs(lr=0.013, epochs=10, kept_per_class=5000, mixed=False, falls=False, batch=256),
        ),
    },
    needs=lambda knobs: Needs(forget=True, retain=True),
    passes=_passes,
    forget=forget,
)
