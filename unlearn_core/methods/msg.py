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

from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob
from unlearn_core.domain.shared_params import augment, batch, learning_rate, momentum, weight_decay
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.evaluate import in_eval
from unlearn_core.training.optim import descend
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Pool, Problem
from unlearn_core.training.reinitialize import redraw_where

SCORED = 512
"""Pictures of either side at most that a weight is scored by."""
TOGETHER = 128


class Knobs(Params):
    """MSG's hyper-parameters."""

    share: float = knob(
        0.3,
        low=0.0,
        high=1.0,
        step=0.05,
        title="Share redrawn",
        unit="of the weights",
        explain="How many weights of every layer get fresh values: those with the smallest gradient.",
    )
    hold: float = knob(
        0.5,
        low=0.0,
        high=1.0,
        step=0.05,
        title="Gradient of the others",
        explain="What the gradient of weights that were not redrawn is multiplied by; at 0.1 a class comes back.",
    )
    score: str = knob(
        "both",
        choices=("both", "kept"),
        title="Scored by",
        explain="The kept pictures' gradient less the forgotten ones', or the kept ones' alone.",
    )
    lr: float = learning_rate(0.1, explain="The highest rate; too low and what was redrawn is not learnt in time.")
    epochs: int = knob(2, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over the kept pictures.")
    peak: float = knob(
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
    batch: int = batch()


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Redraws weights of `problem.net` and trains it; raises Diverged where the loss is no longer a number."""
    sides = _sides(problem, knobs)
    steps = problem.retain.steps(knobs.batch) * knobs.epochs
    track.plan(score=sum(side.steps(TOGETHER) for side in sides), train=steps)
    track.phase("score")
    masks = _smallest(_score(problem, sides, track), knobs.share)
    redraw_where(problem.net, problem.fresh(), masks)
    track.phase("train")
    held = [
        problem.net.get_parameter(name).register_hook(partial(torch.mul, mask + knobs.hold * ~mask))
        for name, mask in masks.items()
    ]
    optimiser = torch.optim.SGD(
        problem.net.parameters(), knobs.lr, knobs.momentum, weight_decay=knobs.weight_decay, nesterov=False
    )
    problem.net.train()
    for step, (pictures, labels) in enumerate(track.over(_epochs(problem, knobs))):
        optimiser.param_groups[0]["lr"] = knobs.lr * _slope((step + 1) / (steps + 1), knobs.peak)
        with fast(problem.device):
            loss = F.cross_entropy(problem.net(pictures), labels)
        descend(optimiser, loss)
        track.log(loss=loss.item())
    for hook in held:
        hook.remove()


def _sides(problem: Problem, knobs: Knobs) -> list[Pool]:
    """The pictures that score: equally many kept and forgotten ones, or kept ones alone."""
    count = min(SCORED, problem.sizes.forget, problem.sizes.retain)
    kept = problem.retain.sample(count, problem.stream("scored", "kept"))
    if knobs.score == "kept":
        return [kept]
    return [kept, problem.forget.sample(count, problem.stream("scored", "forgotten"))]


def _score(problem: Problem, sides: list[Pool], track: Tracker) -> dict[str, Tensor]:
    """For every layer's weights the gradient of the first side's summed loss less the second's, in eval mode."""
    weights = _layers(problem.net, problem.card.roles.head)
    totals = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    batches = (
        (pictures, labels, sign)
        for sign, side in zip((1, -1), sides, strict=False)
        for pictures, labels in side.epoch(TOGETHER, problem.stream("score", sign), augment=False)
    )
    with in_eval(problem.net):
        for pictures, labels, sign in track.over(batches):
            loss = sign * F.cross_entropy(problem.net(pictures), labels, reduction="sum")
            for name, slope in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
                totals[name] += slope
    return totals


def _layers(net: nn.Module, head: Collection[str]) -> dict[str, Tensor]:
    """The weights of every convolution and linear layer but the head, by name."""
    return {
        f"{name}.weight": part.weight
        for name, part in net.named_modules()
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


def _epochs(problem: Problem, knobs: Knobs) -> Iterator[tuple[Tensor, Tensor]]:
    for number in range(knobs.epochs):
        yield from problem.retain.epoch(knobs.batch, problem.stream("epoch", number), augment=knobs.augment)


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    scored = min(SCORED, sizes.forget, sizes.retain) * (2 if knobs.score == "both" else 1)
    return scored + sizes.retain * knobs.epochs


_PICTURES = Knobs(hold=0.1, lr=0.05)

METHOD = Method(
    id="msg",
    title="Small gradients redrawn (MSG)",
    group="Wreck and mend",
    summary="redraw the weights that nobody misses, train on",
    idea="Gives the weights with the **smallest gradient** fresh values and trains on the kept pictures; the weights "
    "that stayed learn at a tenth of the pace.",
    fails="The weights that stayed remember: single pictures partly come back. At a high rate it is little more than "
    "fine-tuning after a shock, and a small net does not quite recover.",
    paper=Paper(
        "Third place of the NeurIPS 2023 Machine Unlearning Challenge, as re-implemented in DeepUnlearn",
        "https://github.com/xcadet/deepunlearn",
    ),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset(
            "bundled",
            "A hundred times the original's rate for two epochs instead of five; for classes the others are held less.",
            Knobs(),
            fitted={"few pictures": _PICTURES, "many pictures": _PICTURES},
        ),
        "paper": Preset(
            "original",
            "The settings of the challenge, made for a larger net: this one does not recover in five epochs.",
            Knobs(hold=0.1, lr=0.001, epochs=5, augment=False, batch=64),
        ),
        "no-redraw": Preset("nothing redrawn", "The same training without fresh weights.", Knobs(share=0.0)),
        "blind": Preset("kept alone", "Scored by the kept pictures: sees no forgotten picture.", Knobs(score="kept")),
    },
    needs=lambda knobs: Needs(forget=knobs.score == "both", retain=True),
    passes=_passes,
    forget=forget,
)
