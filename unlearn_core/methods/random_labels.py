"""Random labels: teach wrong names for what should be forgotten (Graves et al., AAAI 2021; baseline of most papers).

Idea. Every forgotten picture gets another label, drawn at random; the net trains on these and on kept pictures, all
mixed.

Cost. The chosen epochs over forgotten and kept pictures together.

When it fails. A few pictures with fixed labels are learned by heart, wrong labels included: the net then knows them
better than ever. Labels that are drawn anew push towards even answers, which no net gives that never saw the pictures.

Where official code differs: SalUn's draws among all classes, so that one label in C is the true one; here never. For
whole classes only kept classes are drawn, as in the code of SSD. Ours shuffles forgotten and kept pictures together, as
SalUn does for CIFAR-100; for CIFAR-10 it shows all forgotten ones first.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
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
from unlearn_core.training.losses import wrong_labels
from unlearn_core.training.optim import descend, fall
from unlearn_core.training.precision import fast
from unlearn_core.training.problem import Pool, Problem


class Knobs(Params):
    """The hyper-parameters of training on random labels."""

    lr: float = learning_rate(0.02, low=1e-4, explain="How far each step goes.")
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
    falls: bool = falls()
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch()


def forget(problem: Problem, knobs: Knobs, track: Tracker) -> None:
    """Trains `problem.net` on wrong labels beside right ones; raises Diverged where the loss is no longer a number."""
    steps = _steps(knobs, problem.sizes)
    track.plan(relabel=steps)
    optimiser = torch.optim.SGD(problem.net.parameters(), knobs.lr, knobs.momentum, weight_decay=knobs.weight_decay)
    problem.net.train()
    track.phase("relabel")
    for step, (pictures, labels) in enumerate(track.over(_batches(problem, knobs))):
        if knobs.falls:
            fall(optimiser, knobs.lr, step=step, steps=steps)
        with fast(problem.device):
            loss = F.cross_entropy(problem.net(pictures), labels)
        descend(optimiser, loss)
        track.log(loss=loss.item())


def _batches(problem: Problem, knobs: Knobs) -> Iterator[tuple[Tensor, Tensor]]:
    """Every epoch's batches, forgotten pictures under their wrong labels among kept ones."""
    for number in range(knobs.epochs):
        some = problem.retain.sample(problem.sizes.kept(knobs.kept_per_class), problem.stream("kept", number))
        drawn = problem.stream("labels", number if knobs.labels == "redrawn" else 0)
        mixed = _relabelled(problem.forget, some, problem.kept_classes, drawn)
        yield from mixed.epoch(knobs.batch, problem.stream("epoch", number), augment=knobs.augment)


def _relabelled(forgotten: Pool, kept: Pool, allowed: Tensor, generator: torch.Generator) -> Pool:
    """Both pools in one, in which every forgotten picture has another label than its own, uniform over the allowed."""
    labels = forgotten.labels.clone()
    labels[forgotten.rows] = wrong_labels(labels[forgotten.rows], allowed, generator)
    return Pool(forgotten.images, labels, torch.cat([forgotten.rows, kept.rows]))


def _steps(knobs: Knobs, sizes: Sizes) -> int:
    return steps_in_epoch(sizes.forget + sizes.kept(knobs.kept_per_class), knobs.batch) * knobs.epochs


def _passes(knobs: Knobs, sizes: Sizes) -> int:
    return (sizes.forget + sizes.kept(knobs.kept_per_class)) * knobs.epochs


METHOD = Method(
    id="random_labels",
    title="Random labels",
    group="Relabel",
    summary="teaches wrong names beside right ones",
    idea="Gives every forgotten picture a **wrong label** drawn at random, and trains on these among kept pictures.",
    fails="A few pictures under fixed labels are learned by heart: the net then knows them better than ever. Labels "
    "drawn anew teach hesitation that no net shows which never saw the pictures, and that can be noticed.",
    paper=Paper("Graves et al., Amnesiac Machine Learning, AAAI 2021", "https://arxiv.org/abs/2010.10981"),
    supports=frozenset({"classes", "images"}),
    params=Knobs,
    presets={
        "bundled": Preset(
            "bundled",
            "Fewer epochs and kept pictures than papers take; of single pictures few kept ones, shown often.",
            Knobs(),
            fitted={
                "few pictures": Knobs(lr=0.01, epochs=15, kept_per_class=50),
                "many pictures": Knobs(lr=0.05, epochs=3, kept_per_class=200),
            },
        ),
        "fixed": Preset(
            "fixed labels", "The same with labels drawn once, as Graves et al. have it.", Knobs(labels="fixed")
        ),
        "paper": Preset(
            "paper",
            "As the baseline of SalUn: ten epochs over all kept pictures. Takes minutes on a CPU.",
            Knobs(lr=0.01, epochs=10, kept_per_class=5000, falls=False, batch=256),
        ),
    },
    needs=lambda knobs: Needs(forget=True, retain=True),
    passes=_passes,
    forget=forget,
)
