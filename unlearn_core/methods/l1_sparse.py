"""l1-sparse: fine-tuning that first makes weights smaller (Jia et al., NeurIPS 2023, arXiv 2304.04934).

Idea. Train on the kept pictures with an l1 penalty on all weights: CE(D_r) + gamma_e ||theta||_1. The penalty falls in
a straight line from epoch to epoch (section 4); a net with fewer weights in use forgets more easily.

Cost. The chosen epochs over kept pictures.

When it fails. As fine-tuning does, whose rate it needs: single pictures hardly fade. A strong penalty forgets by
spoiling everything, and the epochs without penalty have to mend that.

Where official code differs: nothing of note. The default weight among its arguments (0.2) is not usable. The paper also
prunes a net first and then unlearns it in other ways, which is not here.
"""

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
from unlearn_core.training.optim import descend, fall
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Problem

SMALL = 1e-3
"""A weight below this is counted as not in use."""


class Knobs(Params):
    """l1-sparse fine-tuning's hyper-parameters; symbols as in the paper."""

    penalty: float = knob(
        5e-4,
        low=1e-6,
        high=0.01,
        scale="log",
        title="Penalty on weights",
        symbol="γ",
        explain="How hard all weights are pulled towards zero in the first epoch.",
    )
    lr: float = learning_rate(0.1, low=1e-4, explain="How far each step goes.")
    epochs: int = knob(
        3, low=1, high=20, title="Epochs", unit="epochs", explain="Passes over the kept pictures, in all."
    )
    plain_epochs: int = knob(
        1,
        low=0,
        high=19,
        title="Epochs without penalty",
        unit="epochs",
        explain="The last so many epochs mend the net without a penalty.",
    )
    kept_per_class: int = kept_per_class(1000)
    falls: bool = falls()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch()


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Trains `problem.net` on kept pictures and small weights; raises Diverged where the loss is no longer a number."""
    steps = steps_in_epoch(problem.sizes.kept(knobs.kept_per_class), knobs.batch) * knobs.epochs
    track.plan(**{"thin out": steps})
    optimiser = torch.optim.SGD(problem.net.parameters(), knobs.lr, knobs.momentum, weight_decay=knobs.weight_decay)
    problem.net.train()
    track.phase("thin out")
    batches = (
        (pictures, labels, penalty_in(number, knobs))
        for number in range(knobs.epochs)
        for pictures, labels in problem.retain.sample(
            problem.sizes.kept(knobs.kept_per_class), problem.stream("kept", number)
        ).epoch(knobs.batch, problem.stream("epoch", number), augment=knobs.augment)
    )
    for step, (pictures, labels, penalty) in enumerate(track.over(batches)):
        if knobs.falls:
            fall(optimiser, knobs.lr, step=step, steps=steps)
        with fast(problem.device):
            error = F.cross_entropy(problem.net(pictures), labels)
        loss = error + penalty * size(problem.net) if penalty else error
        descend(optimiser, loss)
        track.log(loss=error.item(), penalty=penalty)
    track.log(unused=unused(problem.net))


def penalty_in(epoch: int, knobs: Knobs) -> float:
    """The penalty's weight in an epoch (0 is the first): a straight line to 0, then 0."""
    whole = knobs.epochs - knobs.plain_epochs
    return knobs.penalty * (1 - epoch / whole) if epoch < whole else 0.0


def size(net: nn.Module) -> Tensor:
    """||theta||_1 over all weights, those of batch norm too."""
    return torch.stack([weight.abs().sum() for weight in net.parameters()]).sum()


def unused(net: nn.Module) -> float:
    """The share (0 to 1) of weights that are as good as zero."""
    return float(torch.cat([(weight.detach().abs() < SMALL).flatten() for weight in net.parameters()]).float().mean())


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    return sizes.kept(knobs.kept_per_class) * knobs.epochs


METHOD = Method(
    id="l1_sparse",
    title="l1-sparse",
    group="Edit weights",
    summary="fine-tunes towards fewer weights · sees no forgotten picture",
    idea="Goes on training with kept pictures alone while a **penalty shrinks all weights**, so that what is no longer "
    "shown loses its place; then mends without the penalty.",
    fails="Single pictures hardly fade. At 0.05 and below a part of a class stays; a higher rate or "
    "penalty is felt by the kept classes too.",
    paper=Paper(
        "Jia et al., Model Sparsity Can Simplify Machine Unlearning, NeurIPS 2023", "https://arxiv.org/abs/2304.04934"
    ),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset("bundled", "Fewer epochs at a higher rate than the paper, the last of them plain.", Knobs()),
        "no penalty": Preset(
            "no penalty", "The same without shrinking: shows what the penalty does.", Knobs(penalty=1e-6)
        ),
        "paper": Preset(
            "paper",
            "Ten epochs at the authors' rate, the penalty as we remember the paper. Takes minutes on a CPU.",
            Knobs(penalty=5e-4, lr=0.01, epochs=10, plain_epochs=0, kept_per_class=5000, falls=False, batch=256),
        ),
    },
    needs=lambda knobs: Needs(forget=False, retain=True),
    passes=_passes,
    forget=forget,
)
