"""Boundary unlearning: move the border, not the features (Chen et al., CVPR 2023, arXiv 2303.11570).

Idea. Shrink: an attack shows which class lies nearest to each forgotten picture; the net learns to call the picture by
that class, and the neighbours take over the room. Expand: a class of its own is added to the head for a while, all
forgotten pictures are moved there, and the added row is thrown away.

Cost. For shrink one attack on the forgotten pictures; then some epochs over these, and over no others.

When it fails. Nothing holds the rest: a rate or a length too great, and the neighbouring classes suffer. Expanded
pictures often keep the old class as their second answer, which is the first again when the row is gone. It is made for
whole classes: single pictures have no room of their own, and to call them by the next class is to learn wrong labels.

Where official code differs: its attack undoes a normalisation that the data never had, so that its radius is not what
it says, and where the attack fails it teaches the class to be forgotten; here the own class (and with several
forgotten classes the others) never is a target, the next best kept class is. It attacks the same pictures anew in each
epoch, with the same answer; here once. Its first step of expanding runs in whatever mode the net was left in.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.errors import NotSupported
from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob
from unlearn_core.domain.shared_params import batch, frozen_norm, learning_rate, momentum
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.attacks import fgsm
from unlearn_core.training.evaluate import in_eval
from unlearn_core.training.optim import descend, train_mode
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Pool, Problem


class Knobs(Params):
    """Boundary unlearning's hyper-parameters."""

    way: str = knob(
        "shrink",
        choices=("shrink", "expand"),
        title="Way",
        explain="Shrink gives each picture to its nearest class; expand moves all to an added one, then drops that.",
    )
    lr: float = learning_rate(1e-3, low=1e-6, high=0.1, explain="How far each step goes; nothing holds the rest.")
    epochs: int = knob(5, low=1, high=30, title="Epochs", unit="epochs", explain="Passes over the forgotten pictures.")
    attack: str = knob(
        "fgsm",
        choices=("fgsm", "pgd"),
        title="Attack",
        explain="How shrink looks for the nearest class: fgsm takes one step, pgd several small ones.",
    )
    radius: float = knob(
        0.1,
        low=0.005,
        high=0.5,
        step=0.005,
        title="Attack: radius",
        symbol="ε",
        explain="How far the attack may move any pixel, of a range of 1.",
    )
    attack_step: float = knob(
        8 / 255,
        low=0.001,
        high=0.1,
        scale="log",
        title="Attack: length of a step",
        explain="How far pgd moves each pixel in one step.",
        advanced=True,
    )
    attack_steps: int = knob(
        5, low=1, high=50, title="Attack: steps", unit="steps", explain="How many steps pgd takes.", advanced=True
    )
    momentum: float = momentum()
    frozen_norm: bool = frozen_norm(False)
    batch: int = batch(64)


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Moves the border of `problem.net` around the forgotten classes; raises Diverged, or NotSupported for a head
    that is not one linear layer where it should be widened."""
    steps = problem.forget.steps(knobs.batch)
    if knobs.way == "shrink":
        track.plan(attack=steps * _attack_steps(knobs), shrink=steps * knobs.epochs)
        track.phase("attack")
        nearest = _nearest(problem, knobs, track)
        track.phase("shrink")
        _shrink(problem, nearest, knobs, track)
    else:
        track.plan(expand=steps * knobs.epochs)
        track.phase("expand")
        _expand(problem, knobs, track)


def _nearest(problem: Problem, knobs: Knobs, track: Tracker) -> Pool:
    """The forgotten pictures, each labelled with the kept class into which the attack on the net before drives it."""
    gone = problem.forget
    labels = gone.labels.clone()
    succeeded = 0
    for rows in gone.rows.split(knobs.batch):
        own = gone.labels[rows]
        clean, _ = Pool(gone.images, gone.labels, rows).all()
        moved = clean
        for (pictures,) in track.over((clean,) for _ in range(_attack_steps(knobs))):
            moved = attacked(problem.original, moved, pictures, own, knobs)
        with torch.no_grad(), in_eval(problem.original):
            answers = problem.original(moved)
        succeeded += int((answers.argmax(1) != own).sum())
        labels[rows] = nearest_kept(answers, own, problem.kept_classes)
    hits = labels[gone.rows].bincount(minlength=problem.classes)
    track.keep("nearest", hits, succeeded=succeeded / len(gone))
    return Pool(gone.images, labels, gone.rows)


def attacked(net: nn.Module, moved: Tensor, clean: Tensor, labels: Tensor, knobs: Knobs) -> Tensor:
    """One step of the attack from `moved` on, no pixel further than the radius from `clean`, within [0, 1]."""
    step = knobs.radius if knobs.attack == "fgsm" else knobs.attack_step
    return fgsm(net, moved, labels, radius=step).clamp(clean - knobs.radius, clean + knobs.radius)


def nearest_kept(answers: Tensor, own: Tensor, kept: Tensor) -> Tensor:
    """For logits (B, C) the likeliest of the kept classes (k,), which is never the own class (B,)."""
    barred = torch.ones_like(answers, dtype=torch.bool)
    barred[:, kept] = False
    barred[torch.arange(len(own), device=own.device), own] = True
    return answers.masked_fill(barred, -torch.inf).argmax(1)


def _shrink(problem: Problem, nearest: Pool, knobs: Knobs, track: Tracker) -> None:
    """Teaches the net the nearest classes of the untouched pictures."""
    optimiser = torch.optim.SGD(problem.net.parameters(), knobs.lr, knobs.momentum)
    train_mode(problem.net, frozen_norm=knobs.frozen_norm)
    for pictures, labels in track.over(_batches(problem, nearest, knobs)):
        with fast(problem.device):
            loss = F.cross_entropy(problem.net(pictures), labels)
        descend(optimiser, loss)
        track.log(loss=loss.item())


def _expand(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Teaches the net to send forgotten pictures to one more class, whose row of the head lives only here.

    The net keeps its own head all the time, so that whoever looks at it meanwhile finds its C classes.
    """
    head = problem.net.get_submodule(problem.card.roles.head[-1])
    if not isinstance(head, nn.Linear):
        raise NotSupported("Expanding adds a row to a linear head, and this classifier has none: shrink instead.")
    row, offset = extra_row(head, problem.stream("extra row"))
    optimiser = torch.optim.SGD([*problem.net.parameters(), row, offset], knobs.lr, knobs.momentum)
    train_mode(problem.net, frozen_norm=knobs.frozen_norm)
    seen: list[Tensor] = []
    watch = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        for pictures, labels in track.over(_batches(problem, problem.forget, knobs)):
            seen.clear()
            with fast(problem.device):
                answers = problem.net(pictures)
                wide = torch.cat([answers, F.linear(seen.pop(), row, offset)], 1)
                loss = F.cross_entropy(wide, torch.full_like(labels, problem.classes))
            descend(optimiser, loss)
            track.log(loss=loss.item())
    finally:
        watch.remove()


def extra_row(head: nn.Linear, generator: torch.Generator) -> tuple[nn.Parameter, nn.Parameter]:
    """Weights (1, D) and offset (1,) of one more class, as Xavier would draw them for the widened head."""
    drawn = nn.init.xavier_uniform_(torch.empty(head.out_features + 1, head.in_features), generator=generator)
    return nn.Parameter(drawn[-1:].to(head.weight.device)), nn.Parameter(torch.zeros(1, device=head.weight.device))


def _batches(problem: Problem, pool: Pool, knobs: Knobs) -> Iterator[tuple[Tensor, Tensor]]:
    for number in range(knobs.epochs):
        yield from pool.epoch(knobs.batch, problem.stream("epoch", number), augment=False)


def _attack_steps(knobs: Knobs) -> int:
    return 1 if knobs.attack == "fgsm" else knobs.attack_steps


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    return sizes.forget * (knobs.epochs + (_attack_steps(knobs) if knobs.way == "shrink" else 0))


METHOD = Method(
    id="boundary",
    title="Boundary",
    group="Relabel",
    summary="gives the class to its neighbours · sees no kept picture",
    idea="Finds the class that lies **nearest** to each forgotten picture and gives it to that class (shrink), or "
    "moves all of them to an added class that is then deleted (expand).",
    fails="Nothing holds the rest, so the neighbouring classes suffer where the rate is high. After expand the old "
    "class may be the second answer, and so the first again once the added class is deleted.",
    paper=Paper("Chen et al., Boundary Unlearning, CVPR 2023", "https://arxiv.org/abs/2303.11570"),
    supports=frozenset({"classes"}),
    params=Knobs,
    presets={
        "bundled": Preset(
            "bundled",
            "Shrink at a rate at which a class goes here in five epochs; the kept classes pay for it.",
            Knobs(),
        ),
        "expand": Preset("expand", "The other way: an added class that is deleted at the end.", Knobs(way="expand")),
        "paper": Preset(
            "paper",
            "The published settings: ten epochs at a rate made for another net, so low that little happens here.",
            Knobs(lr=1e-5, epochs=10),
        ),
    },
    needs=lambda knobs: Needs(forget=True, retain=False),
    passes=_passes,
    forget=forget,
)
