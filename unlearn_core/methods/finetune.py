"""Fine-tune: go on training without the forgotten data (the baseline of every paper; Golatkar et al., CVPR 2020).

Idea. Train on the kept pictures only and trust that what is no longer shown fades.

Cost. The chosen number of epochs over the kept pictures.

When it fails. Nearly always, gently: at a low rate the net still knows the forgotten pictures; at a high one it
forgets by being shaken up, and pays with kept accuracy. Single pictures hardly fade at all.
"""

from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional as F

from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob
from unlearn_core.domain.shared_params import augment, batch, falls, learning_rate, momentum, weight_decay
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.optim import descend, fall
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Problem
from unlearn_core.training.stacked import Batch, Lane, by_seed, descend_side_by_side


class Knobs(Params):
    """Fine-tuning's hyper-parameters."""

    lr: float = learning_rate(
        0.2, low=1e-4, explain="How far each step goes; at 0.01 and below hardly anything is forgotten."
    )
    epochs: int = knob(1, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over the kept pictures.")
    falls: bool = falls()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch()


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Trains `problem.net` on the kept pictures; raises Diverged where the loss is no longer a number."""
    steps = problem.retain.steps(knobs.batch) * knobs.epochs
    track.plan(**{"fine-tune": steps})
    optimiser = torch.optim.SGD(
        problem.net.parameters(),
        knobs.lr,
        knobs.momentum,
        weight_decay=knobs.weight_decay,
        nesterov=knobs.momentum > 0,
    )
    problem.net.train()
    track.phase("fine-tune")
    batches = (
        batch
        for number in range(knobs.epochs)
        for batch in problem.retain.epoch(knobs.batch, problem.stream("epoch", number), augment=knobs.augment)
    )
    for step, (pictures, labels) in enumerate(track.over(batches)):
        if knobs.falls:
            fall(optimiser, knobs.lr, step=step, steps=steps)
        with fast(problem.device):
            loss = F.cross_entropy(problem.net(pictures), labels)
        descend(optimiser, loss)
        track.log(loss=loss.item())


def forget_stacked(problems: Sequence[Problem], knobs: Sequence[Knobs], tracks: Sequence[Tracker]) -> list:
    """The same for several trials side by side; gives for each what stopped it, or None."""
    first, count = knobs[0], problems[0].retain.steps(knobs[0].batch) * knobs[0].epochs
    for track in tracks:
        track.plan(**{"fine-tune": count})
        track.phase("fine-tune")

    def batches(problem: Problem) -> Iterator[Batch]:
        for number in range(first.epochs):
            yield from problem.retain.epoch(first.batch, problem.stream("epoch", number), augment=first.augment)

    lanes = [
        Lane(problem.net, track, own, one.lr, one.momentum, one.weight_decay)
        for problem, one, track, own in zip(problems, knobs, tracks, by_seed(problems, batches), strict=True)
    ]
    return descend_side_by_side(lanes, steps=count, falls=first.falls)


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    return sizes.retain * knobs.epochs


METHOD = Method(
    id="finetune",
    title="Fine-tune",
    group="Yardsticks",
    summary="just go on without them · sees no forgotten picture",
    idea="Trains on with the kept pictures alone and trusts that what is no longer shown **fades**.",
    fails="Usually, and gently: at a low rate the net still knows what it should forget; at a high one the kept "
    "classes pay. Single pictures hardly fade at all.",
    paper=Paper("Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020", "https://arxiv.org/abs/1911.04933"),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset("bundled", "One epoch at a rate that shakes the net without wrecking it.", Knobs()),
        "gentle": Preset("gentle", "The rate of most papers: shows how little fades.", Knobs(lr=0.01)),
    },
    needs=lambda knobs: Needs(forget=False, retain=True),
    passes=_passes,
    forget=forget,
    forget_stacked=forget_stacked,
    stacks=frozenset({"lr", "momentum", "weight_decay"}),
)
