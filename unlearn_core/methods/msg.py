"""MSG: redraw the weights with the smallest gradients, then train on (third place, NeurIPS unlearning challenge 2023).

Idea. Take the gradient of the kept pictures' loss less the forgotten pictures'. A weight where it is small is one that
keeping and forgetting do not argue about, so it can be replaced without harm: in every layer but the head the 30 % of
the weights with the smallest gradient get fresh values. Then train on the kept pictures, the weights that stayed with a
tenth of the gradient, so that the fresh ones learn what is missing and the rest hardly moves.

Cost. Two gradients over some pictures, then epochs over the kept pictures (five in the original).

When it fails. At a low rate the weights that stayed remember what they knew, and single pictures come back; at a high
rate it is fine-tuning after a shock. Redrawing a third of a small net costs more epochs than in a large one.

Source: secondary throughout. The winners' own write-up was not at hand: all is taken from the re-implementation in
xcadet/deepunlearn (kgltop2), which names this recipe MSG: score, per layer and not over the net; share 0.3; factor
0.1 on gradients but not on weight decay; SGD at 0.001 for five epochs, the rate rising over the first half and falling
over the second; batch 64. It redraws convolutions, its net having nothing else below the head. It leaves open in which
mode the net is scored; here in eval mode, as sums over equally many pictures of either side. "kept" as score is ours:
it asks what the forgotten pictures add to the choice.
"""

from collections.abc import Collection, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import augment, batch_size, learning_rate, momentum, weight_decay
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.evaluate import eval_mode
from unlearn_core.training.optim import optimizer_step
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import ImageSubset, Problem
from unlearn_core.training.reinitialize import reinitialize_where

SCORE_IMAGES = 512
"""Pictures of either side at most that a weight is scored by."""
SCORE_BATCH = 128


class Hyperparameters(BaseHyperparameters):
    """MSG's hyper-parameters."""

    share: float = hyperparameter(
        0.3,
        low=0.0,
        high=1.0,
        step=0.05,
        title="Share redrawn",
        unit="of the weights",
        explain="How many weights of every layer get fresh values: those with the smallest gradient.",
    )
    hold: float = hyperparameter(
        0.5,
        low=0.0,
        high=1.0,
        step=0.05,
        title="Gradient of the others",
        explain="What the gradient of weights that were not redrawn is multiplied by; at 0.1 a class comes back.",
    )
    score: str = hyperparameter(
        "both",
        choices=("both", "kept"),
        title="Scored by",
        explain="The kept pictures' gradient less the forgotten ones', or the kept ones' alone.",
    )
    lr: float = learning_rate(0.1, explain="The highest rate; too low and what was redrawn is not learnt in time.")
    epochs: int = hyperparameter(
        2, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over the kept pictures."
    )
    peak: float = hyperparameter(
        0.5,
        low=0.0,
        high=1.0,
        step=0.05,
        title="Where the rate peaks",
        unit="of the training",
        explain="The rate rises in a straight line up to here and falls in one to 0 from here.",
        advanced=True,
    )
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Redraws weights of `problem.net` and trains it; raises Diverged where the loss is no longer a number."""
    sides = _sides(problem, params)
    steps = problem.retain.num_batches(params.batch) * params.epochs
    tracker.plan(score=sum(side.num_batches(SCORE_BATCH) for side in sides), train=steps)
    tracker.phase("score")
    masks = _smallest(_score(problem, sides, tracker), params.share)
    reinitialize_where(problem.model, problem.fresh_model(), masks)
    tracker.phase("train")
    held = [
        problem.model.get_parameter(name).register_hook(partial(torch.mul, mask + params.hold * ~mask))
        for name, mask in masks.items()
    ]
    optimiser = torch.optim.SGD(
        problem.model.parameters(), params.lr, params.momentum, weight_decay=params.weight_decay, nesterov=False
    )
    problem.model.train()
    for step, (pictures, labels) in enumerate(tracker.iterate(_epochs(problem, params))):
        optimiser.param_groups[0]["lr"] = params.lr * _slope((step + 1) / (steps + 1), params.peak)
        with autocast(problem.device):
            loss = F.cross_entropy(problem.model(pictures), labels)
        optimizer_step(optimiser, loss)
        tracker.log(loss=loss.item())
    for hook in held:
        hook.remove()


def _sides(problem: Problem, params: Hyperparameters) -> list[ImageSubset]:
    """The pictures that score: equally many kept and forgotten ones, or kept ones alone."""
    count = min(SCORE_IMAGES, problem.sizes.forget, problem.sizes.retain)
    kept = problem.retain.sample(count, problem.random_generator("scored", "kept"))
    if params.score == "kept":
        return [kept]
    return [kept, problem.forget.sample(count, problem.random_generator("scored", "forgotten"))]


def _score(problem: Problem, sides: list[ImageSubset], tracker: Tracker) -> dict[str, Tensor]:
    """For every layer's weights the gradient of the first side's summed loss less the second's, in eval mode."""
    weights = _layers(problem.model, problem.classifier.roles.head)
    totals = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    batches = (
        (pictures, labels, sign)
        for sign, side in zip((1, -1), sides, strict=False)
        for pictures, labels in side.batches(SCORE_BATCH, problem.random_generator("score", sign), augment=False)
    )
    with eval_mode(problem.model):
        for pictures, labels, sign in tracker.iterate(batches):
            loss = sign * F.cross_entropy(problem.model(pictures), labels, reduction="sum")
            for name, slope in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
                totals[name] += slope
    return totals


def _layers(model: nn.Module, head: Collection[str]) -> dict[str, Tensor]:
    """The weights of every convolution and linear layer but the head, by name."""
    return {
        f"{name}.weight": part.weight
        for name, part in model.named_modules()
        if isinstance(part, nn.Conv2d | nn.Linear) and name not in head
    }


def _smallest(score: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """For every tensor a mask, true for that share of its numbers that are nearest to nought."""
    masks = {}
    for name, values in score.items():
        chosen = values.abs().flatten().topk(round(share * values.numel()), largest=False).indices
        masks[name] = torch.zeros(values.numel(), dtype=torch.bool, device=values.device)
        masks[name] = masks[name].index_fill_(0, chosen, True).view(values.shape)
    return masks


def _slope(at: float, peak: float) -> float:
    """The share of the highest rate at a point (0 to 1) of the training."""
    return at / peak if at < peak else (1 - at) / (1 - peak) if peak < 1 else 1.0


def _epochs(problem: Problem, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor]]:
    for number in range(params.epochs):
        yield from problem.retain.batches(
            params.batch, problem.random_generator("epoch", number), augment=params.augment
        )


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    scored = min(SCORE_IMAGES, sizes.forget, sizes.retain) * (2 if params.score == "both" else 1)
    return scored + sizes.retain * params.epochs


_FOR_IMAGES = Hyperparameters(hold=0.1, lr=0.05)

METHOD = Method(
    id="msg",
    title="Small gradients redrawn (MSG)",
    group="Wreck and mend",
    summary="redraw the weights that nobody misses, train on",
    idea="Gives the weights with the **smallest gradient** fresh values and trains on the kept pictures; the weights "
    "that stayed learn at a tenth of the pace.",
    failure_modes="The weights that stayed remember: single pictures partly come back. At a high rate it is little more than "
    "fine-tuning after a shock, and a small net does not quite recover.",
    paper=Reference(
        "Third place of the NeurIPS 2023 Machine Unlearning Challenge, as re-implemented in DeepUnlearn",
        "https://github.com/xcadet/deepunlearn",
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "A hundred times the original's rate for two epochs instead of five; for classes the others are held less.",
            Hyperparameters(),
            by_request_size={"few pictures": _FOR_IMAGES, "many pictures": _FOR_IMAGES},
        ),
        "paper": Preset(
            "original",
            "The settings of the challenge, made for a larger net: this one does not recover in five epochs.",
            Hyperparameters(hold=0.1, lr=0.001, epochs=5, augment=False, batch=64),
        ),
        "no-redraw": Preset("nothing redrawn", "The same training without fresh weights.", Hyperparameters(share=0.0)),
        "blind": Preset(
            "kept alone", "Scored by the kept pictures: sees no forgotten picture.", Hyperparameters(score="kept")
        ),
    },
    needs=lambda knobs: DataAccess(forget=knobs.score == "both", retain=True),
    images_processed=_images_processed,
    forget=forget,
)
