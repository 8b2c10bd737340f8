"""NegGrad+: down on what is kept, up on what is forgotten, in one step (Kurmanji et al., NeurIPS 2023, section 5).

Idea. Minimise a * CE(D_r) - (1 - a) * CE(D_f): the first term holds what NegGrad alone would lose.

Cost. The chosen epochs over kept pictures, and beside each of their batches one of forgotten pictures.

When it fails. The second term has no bottom: where a is too small it wins, and the net collapses. Each setting of a
fits one size of request; single pictures are easily driven further than a net that never saw them would be.

Where official code differs: it shows the two batches one after the other, so that batch norm sees each apart; here
they pass the net together, as one batch. It has no bound on a picture's error (0 here) and no freezing of batch norm,
and goes through the forgotten pictures in the same order again and again, which here is drawn anew each time.
"""

from collections.abc import Iterator
from itertools import count

import torch
from torch import Tensor
from torch.nn import functional as F

from unlearn_core.domain.method import Method, Needs, Paper, Preset, Sizes
from unlearn_core.domain.params import Params, knob
from unlearn_core.domain.shared_params import (
    augment,
    batch,
    clip,
    falls,
    frozen_norm,
    kept_per_class,
    learning_rate,
    momentum,
    most,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.losses import wrongness
from unlearn_core.training.optim import descend, fall, train_mode
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Problem


class Knobs(Params):
    """NegGrad+'s hyper-parameters; symbols as in the paper."""

    kept_weight: float = knob(
        0.95,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Weight of what is kept",
        symbol="α",
        explain="Share of the kept pictures in the loss; the rest drives the forgotten ones up.",
    )
    lr: float = learning_rate(0.01, low=1e-4, explain="How far each step goes.")
    epochs: int = knob(1, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over kept pictures.")
    kept_per_class: int = kept_per_class(1000)
    most: float = most(4.6)
    falls: bool = falls()
    clip: float = clip()
    frozen_norm: bool = frozen_norm(False)
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    retain_batch: int = batch(128, title="Batch of kept")
    forget_batch: int = batch(128, title="Batch of forgotten")


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Trains `problem.net` on both sides at once; raises Diverged where the loss is no longer a number."""
    steps = _steps(knobs, problem.sizes)
    track.plan(**{"push and hold": steps})
    optimiser = torch.optim.SGD(problem.net.parameters(), knobs.lr, knobs.momentum, weight_decay=knobs.weight_decay)
    train_mode(problem.net, frozen_norm=knobs.frozen_norm)
    track.phase("push and hold")
    for step, (pictures, labels, kept) in enumerate(track.over(_batches(problem, knobs))):
        if knobs.falls:
            fall(optimiser, knobs.lr, step=step, steps=steps)
        with fast(problem.device):
            answers = problem.net(pictures)
            retain = F.cross_entropy(answers[:kept], labels[:kept])
            gone = wrongness(answers[kept:], labels[kept:], most=knobs.most)
            loss = _loss(retain, gone, knobs.kept_weight)
        descend(optimiser, loss, clip=knobs.clip)
        track.log(retain_loss=retain.item(), forget_loss=gone.item())


def _loss(retain: Tensor, gone: Tensor, kept_weight: float) -> Tensor:
    """a * CE(D_r) - (1 - a) * CE(D_f)."""
    return kept_weight * retain - (1 - kept_weight) * gone


def _batches(problem: Problem, knobs: Knobs) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Pictures and labels of a kept and a forgotten batch in one, and how many of them, the first ones, are kept."""
    forgotten = (
        batch
        for number in count()
        for batch in problem.forget.epoch(knobs.forget_batch, problem.stream("forget", number), augment=knobs.augment)
    )
    for number in range(knobs.epochs):
        some = problem.retain.sample(problem.sizes.kept(knobs.kept_per_class), problem.stream("kept", number))
        for kept, labels in some.epoch(knobs.retain_batch, problem.stream("epoch", number), augment=knobs.augment):
            gone, theirs = next(forgotten)
            yield torch.cat([kept, gone]), torch.cat([labels, theirs]), len(kept)


def _steps(knobs: Knobs, sizes: Sizes) -> int:
    return steps_in_epoch(sizes.kept(knobs.kept_per_class), knobs.retain_batch) * knobs.epochs


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    rounds, rest = divmod(_steps(knobs, sizes), steps_in_epoch(sizes.forget, knobs.forget_batch))
    return sizes.kept(knobs.kept_per_class) * knobs.epochs + rounds * sizes.forget + rest * knobs.forget_batch


METHOD = Method(
    id="neggrad_plus",
    title="NegGrad+",
    group="Ascend",
    summary="up on the forgotten, down on the kept",
    idea="Climbs the loss on the forgotten pictures and goes **down** on kept ones in the same step, so that the rest "
    "stays where it is.",
    fails="With too little weight on what is kept the climb, which has no top, wrecks the net. Single pictures are "
    "easily driven further than a net that never saw them would be, which can be noticed from outside.",
    paper=Paper(
        "Kurmanji et al., Towards Unbounded Machine Unlearning, NeurIPS 2023", "https://arxiv.org/abs/2302.09880"
    ),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset(
            "bundled",
            "One epoch and a bound on each picture's error; the paper takes ten and has none.",
            Knobs(kept_weight=0.9),
            fitted={
                "several classes": Knobs(kept_weight=0.5),
                "few pictures": Knobs(kept_weight=0.7, most=2.0, kept_per_class=300),
                "many pictures": Knobs(kept_weight=0.7, most=2.0, lr=0.02),
            },
        ),
        "paper": Preset(
            "paper",
            "The published settings for small data: ten epochs, no bound. Takes minutes on a CPU.",
            Knobs(kept_weight=0.95, epochs=10, kept_per_class=5000, most=0, falls=False),
        ),
    },
    needs=lambda knobs: Needs(forget=True, retain=True),
    passes=_passes,
    forget=forget,
)
