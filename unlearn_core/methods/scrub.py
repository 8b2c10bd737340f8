"""SCRUB: a student that leaves its teacher on what should be forgotten (Kurmanji et al., NeurIPS 2023, 2302.09880).

Idea. The net before is the teacher. For the first epochs the student takes a pass over the forgotten pictures away
from the teacher's answers (max: -KD), then one over kept pictures towards them and towards the labels
(min: alpha KD + gamma CE); the last epochs are min alone (algorithm 1). KD is tau^2 KL(teacher || student).

Cost. The chosen epochs over kept pictures, and the first of them over forgotten ones; the teacher answers beside it.

When it fails. The max step has no bound: too many of them, or small batches at a high rate, and the student is lost to
both sides. With too few the forgotten pictures come back in the last epochs. With frozen batch norm the student begins
as its teacher's equal, where the divergence is flat, and the first max pass does nothing.

SCRUB+R (rewind = true) is for single pictures, where too wrong tells as much as too right. After each epoch it keeps
the net, and in the end returns the one whose error on the forgotten pictures is closest to the last net's error on
validation pictures of the same classes in the same proportions. For whole classes that is the error on unseen pictures
of these very classes: it undoes forgetting that went further on the pictures trained on than on unseen ones.

Where official code differs: its rewind takes the first of equally close nets, ours the last, which was mended longest.
It has neither clipping nor frozen batch norm (both off here).
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.errors import BadRequest
from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob, numbers
from unlearn_core.domain.shared_params import (
    augment,
    batch,
    clip,
    frozen_norm,
    kept_per_class,
    learning_rate,
    momentum,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.evaluate import accuracy, answers
from unlearn_core.training.losses import distillation
from unlearn_core.training.optim import descend, train_mode
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Problem


class Knobs(Params):
    """SCRUB's hyper-parameters; symbols as in the paper."""

    lr: float = learning_rate(5e-3, explain="How far each step goes, away from the teacher and back.")
    max_epochs: int = knob(
        2,
        low=1,
        high=20,
        title="Epochs of leaving",
        unit="epochs",
        symbol="msteps",
        explain="The first so many epochs begin with a pass over the forgotten pictures, away from the teacher.",
    )
    epochs: int = knob(3, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over kept pictures, in all.")
    alpha: float = knob(
        0.001,
        low=0.0,
        high=1.0,
        step=0.001,
        title="Weight of the teacher",
        symbol="α",
        explain="How much the teacher's answers to kept pictures count beside their labels.",
    )
    gamma: float = knob(
        0.99,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Weight of the labels",
        symbol="γ",
        explain="How much the labels of kept pictures count.",
        advanced=True,
    )
    temperature: float = knob(
        4.0,
        low=0.5,
        high=10.0,
        step=0.5,
        title="Temperature",
        symbol="τ",
        explain="Softens the answers of both, so that small probabilities count too.",
        advanced=True,
    )
    rewind: bool = knob(
        False,
        title="Rewind (SCRUB+R)",
        explain="Returns the epoch after which forgotten pictures were as wrong as unseen ones are in the end.",
    )
    kept_per_class: int = kept_per_class(400)
    decays: str = knob(
        "3,5,9",
        title="Rate falls after epochs",
        explain="After each of these epochs the rate is a tenth of what it was.",
        advanced=True,
    )
    clip: float = clip()
    frozen_norm: bool = frozen_norm(False)
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    forget_batch: int = batch(32, title="Batch of forgotten")
    retain_batch: int = batch(128, title="Batch of kept")


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Makes `problem.net` leave `problem.original` on the forgotten pictures; raises Diverged on a lost loss."""
    away = problem.forget.steps(knobs.forget_batch)
    back = steps_in_epoch(problem.sizes.kept(knobs.kept_per_class), knobs.retain_batch)
    both = min(knobs.max_epochs, knobs.epochs)
    track.plan(**{"leave and keep": (away + back) * both, "keep": back * (knobs.epochs - both)})
    optimiser = torch.optim.SGD(problem.net.parameters(), knobs.lr, knobs.momentum, weight_decay=knobs.weight_decay)
    train_mode(problem.net, frozen_norm=knobs.frozen_norm)
    checkpoints = []
    for number in range(knobs.epochs):
        if number in (0, both):
            track.phase("leave and keep" if number == 0 else "keep")
        for group in optimiser.param_groups:
            group["lr"] = knobs.lr * 0.1 ** sum(number >= epoch for epoch in numbers(knobs.decays))
        for pictures, labels, kept in track.over(_epoch(problem, knobs, number)):
            with fast(problem.device):
                student = problem.net(pictures)
                with torch.no_grad():
                    teacher = problem.original(pictures)
                apart = distillation(student, teacher, knobs.temperature)
                loss = knobs.alpha * apart + knobs.gamma * F.cross_entropy(student, labels) if kept else -apart
            descend(optimiser, loss, clip=knobs.clip)
            track.log(**({"retain_loss": loss.item()} if kept else {"leaving": apart.item()}))
        if knobs.rewind:
            checkpoints.append((_state(problem.net), 1 - accuracy(problem.net, *problem.forget.all())))
            track.log(forget_error=checkpoints[-1][1])
    if knobs.rewind:
        _rewind(problem, checkpoints, track)


def _epoch(problem: Problem, knobs: Knobs, number: int) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """The batches of one epoch with their labels, and whether they are kept ones: first max, then min."""
    if number < knobs.max_epochs:
        order = problem.stream("max", number)
        for pictures, labels in problem.forget.epoch(knobs.forget_batch, order, augment=knobs.augment):
            yield pictures, labels, False
    some = problem.retain.sample(problem.sizes.kept(knobs.kept_per_class), problem.stream("kept", number))
    for pictures, labels in some.epoch(knobs.retain_batch, problem.stream("min", number), augment=knobs.augment):
        yield pictures, labels, True


def _rewind(problem: Problem, checkpoints: list[tuple[dict[str, Tensor], float]], track: Tracker) -> None:
    """Puts the net back to the checkpoint whose error is closest to the reference, the last of equally close ones."""
    reference = unseen_error(problem.net, problem)
    errors = [error for _, error in checkpoints]
    chosen = closest(errors, reference)
    problem.net.load_state_dict(checkpoints[chosen][0])
    track.keep("rewind", torch.tensor(errors), reference=reference, epoch=chosen + 1)


def closest(errors: list[float], reference: float) -> int:
    """Which of the errors is closest to the reference; of equally close ones the last."""
    return min(range(len(errors)), key=lambda at: (abs(errors[at] - reference), -at))


def unseen_error(net: nn.Module, problem: Problem) -> float:
    """The net's error (0 to 1) on validation pictures, each class weighted by its share of the forgotten pictures."""
    wanted = problem.forget.labels[problem.forget.rows].bincount(minlength=problem.classes).double()
    pictures, labels = problem.validation.all()
    there = labels.bincount(minlength=problem.classes)
    wrong = labels[answers(net, pictures) != labels].bincount(minlength=problem.classes)
    wanted[there == 0] = 0
    if not wanted.sum():
        raise BadRequest("No validation picture shows these classes, so there is nothing to rewind by. Switch it off.")
    return float((wanted * wrong / there.clamp_min(1)).sum() / wanted.sum())


def _state(net: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    return sizes.kept(knobs.kept_per_class) * knobs.epochs + sizes.forget * min(knobs.max_epochs, knobs.epochs)


_REWOUND = Knobs(epochs=5, max_epochs=3, rewind=True, kept_per_class=300)

METHOD = Method(
    id="scrub",
    title="SCRUB",
    group="Teach",
    summary="a student that leaves its teacher on the forgotten",
    idea="The net before teaches the net after: on kept pictures the student **follows**, on forgotten ones it moves "
    "**away** as far as it can, in turns.",
    fails="Moving away has no end: too many turns at too high a rate lose both sides, too few are undone by the "
    "epochs that mend. Between the two is a narrow path that differs from request to request.",
    paper=Paper(
        "Kurmanji et al., Towards Unbounded Machine Unlearning, NeurIPS 2023", "https://arxiv.org/abs/2302.09880"
    ),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset(
            "bundled",
            "A higher rate and fewer kept pictures than the paper; for single pictures it goes back (SCRUB+R).",
            Knobs(lr=2e-3, forget_batch=128),
            fitted={
                "several classes": Knobs(lr=2e-3, forget_batch=384),
                "few pictures": _REWOUND.with_values({"forget_batch": 16}),
                "many pictures": _REWOUND,
            },
        ),
        "rewind": Preset(
            "SCRUB+R",
            "Goes on longer, then back to where forgotten pictures were as wrong as unseen ones.",
            Knobs(rewind=True),
        ),
        "paper": Preset(
            "paper", "The published settings for CIFAR-10. Takes minutes on a CPU.", Knobs(lr=5e-4, kept_per_class=5000)
        ),
    },
    needs=lambda knobs: Needs(forget=True, retain=True, validation=knobs.rewind),
    passes=_passes,
    forget=forget,
)
