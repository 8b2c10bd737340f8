"""NegGrad: training backwards on what should be forgotten (gradient ascent; Golatkar et al., CVPR 2020, section 6).

Idea. Climb the loss on the forgotten pictures: theta <- theta + lr * grad CE(D_f). No kept picture is used.

Cost. A few short steps over the forgotten pictures; the stop rule asks the net after each of them.

When it fails. The loss has no top, and nothing holds the rest: what the forgotten pictures share with the others goes
with them. It stops at a number that was chosen beforehand, not where a net that never saw the pictures would stand.

Where official code differs: it takes a fixed number of epochs (5 at a rate of 1e-4 in Jia et al. 2023, batch norm
learning along) and has none of the four guards here: an end at an accuracy, a bound on each picture's error, short
gradients, batch norm as it was. The preset "unbounded" switches all of them off, and the net collapses.
"""

import torch

from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob
from unlearn_core.domain.shared_params import (
    augment,
    batch,
    clip,
    frozen_norm,
    learning_rate,
    momentum,
    most,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.losses import wrongness
from unlearn_core.training.optim import descend, train_mode
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Problem

ASKED = 256
"""Forgotten pictures that the stop rule asks first; it asks all of them once these are done."""


class Knobs(Params):
    """NegGrad's hyper-parameters."""

    lr: float = learning_rate(
        1e-3, low=1e-6, high=0.1, explain="How far each step climbs; too far, and everything goes with it."
    )
    stops: bool = knob(
        True, title="Stop when done", explain="Stops as soon as enough is forgotten; without it all epochs are made."
    )
    stop_accuracy: float = knob(
        0.0,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Done at",
        explain="Share of the forgotten pictures that may still be named rightly: 0 for a class, for single pictures "
        "what the net gets right of pictures that it never saw.",
    )
    epochs: int = knob(
        30, low=1, high=100, title="Epochs at most", unit="epochs", explain="Passes over the forgotten pictures."
    )
    most: float = most(4.6)
    clip: float = clip(1.0)
    frozen_norm: bool = frozen_norm(True)
    momentum: float = momentum()
    weight_decay: float = weight_decay(0.0)
    augment: bool = augment(False)
    batch: int = batch()


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Drives `problem.net` away from `problem.forget`; raises Diverged where the loss is no longer a number."""
    track.plan(ascend=problem.forget.steps(knobs.batch) * knobs.epochs)
    optimiser = torch.optim.SGD(problem.net.parameters(), knobs.lr, knobs.momentum, weight_decay=knobs.weight_decay)
    train_mode(problem.net, frozen_norm=knobs.frozen_norm)
    track.phase("ascend")
    batches = (
        batch
        for number in range(knobs.epochs)
        for batch in problem.forget.epoch(knobs.batch, problem.stream("epoch", number), augment=knobs.augment)
    )
    first = problem.forget.sample(ASKED, problem.stream("asked")).all()
    for pictures, labels in track.over(batches):
        with fast(problem.device):
            error = wrongness(problem.net(pictures), labels, most=knobs.most)
        descend(optimiser, -error, clip=knobs.clip)
        track.log(forget_loss=error.item())
        if not knobs.stops:
            continue
        right = accuracy(problem.net, *first)
        track.log(forget_accuracy=right)
        if right <= knobs.stop_accuracy and accuracy(problem.net, *problem.forget.all()) <= knobs.stop_accuracy:
            break


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    return sizes.forget * knobs.epochs


METHOD = Method(
    id="neggrad",
    title="NegGrad",
    group="Ascend",
    summary="training backwards · sees no kept picture",
    idea="Climbs the loss on the forgotten pictures (gradient **ascent**) until enough of them are named wrongly.",
    fails="Nothing holds the rest: kept accuracy falls with the forgotten pictures, the more so the more there is to "
    "forget. Without its guards (preset unbounded) the net collapses, and 0 % forgotten then says nothing.",
    paper=Paper("Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020", "https://arxiv.org/abs/1911.04933"),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset(
            "bundled",
            "Bounded, short steps, and stopped where unseen pictures stand; papers take a fixed number of epochs.",
            Knobs(stop_accuracy=0.02, frozen_norm=False),
            fitted={
                "several classes": Knobs(lr=3e-3, stop_accuracy=0.02, frozen_norm=False, batch=256),
                "few pictures": Knobs(lr=3e-4, stop_accuracy=0.82, epochs=100, batch=32),
                "many pictures": Knobs(stop_accuracy=0.82, frozen_norm=False, batch=32),
            },
        ),
        "paper": Preset(
            "paper",
            "The settings of Jia et al. (2023): five epochs without any guard, at a low rate.",
            Knobs(
                lr=1e-4,
                epochs=5,
                stops=False,
                most=0,
                clip=0,
                frozen_norm=False,
                weight_decay=5e-4,
                augment=True,
                batch=256,
            ),
        ),
        "unbounded": Preset(
            "unbounded",
            "No guard at all, at ten times the rate: shows how a one-sided figure hides a net that was destroyed.",
            Knobs(lr=0.01, epochs=10, stops=False, most=0, clip=0, frozen_norm=False),
        ),
    },
    needs=lambda knobs: Needs(forget=True, retain=False),
    passes=_passes,
    forget=forget,
    stops_early=True,
)
