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

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import batch_size, freeze_batchnorm, learning_rate, momentum
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.attacks import fgsm
from unlearn_core.training.evaluate import eval_mode
from unlearn_core.training.optim import optimizer_step, train_mode
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import ImageSubset, Problem


class Hyperparameters(BaseHyperparameters):
    """Boundary unlearning's hyper-parameters."""

    way: str = hyperparameter(
        "shrink",
        choices=("shrink", "expand"),
        title="Way",
        explain="Shrink gives each picture to its nearest class; expand moves all to an added one, then drops that.",
    )
    lr: float = learning_rate(1e-3, low=1e-6, high=0.1, explain="How far each step goes; nothing holds the rest.")
    epochs: int = hyperparameter(
        5, low=1, high=30, title="Epochs", unit="epochs", explain="Passes over the forgotten pictures."
    )
    attack: str = hyperparameter(
        "fgsm",
        choices=("fgsm", "pgd"),
        title="Attack",
        explain="How shrink looks for the nearest class: fgsm takes one step, pgd several small ones.",
    )
    radius: float = hyperparameter(
        0.1,
        low=0.005,
        high=0.5,
        step=0.005,
        title="Attack: radius",
        symbol="ε",
        explain="How far the attack may move any pixel, of a range of 1.",
    )
    attack_step: float = hyperparameter(
        8 / 255,
        low=0.001,
        high=0.1,
        scale="log",
        title="Attack: length of a step",
        explain="How far pgd moves each pixel in one step.",
        advanced=True,
    )
    attack_steps: int = hyperparameter(
        5, low=1, high=50, title="Attack: steps", unit="steps", explain="How many steps pgd takes.", advanced=True
    )
    momentum: float = momentum()
    frozen_norm: bool = freeze_batchnorm(False)
    batch: int = batch_size(64)


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Moves the border of `problem.net` around the forgotten classes; raises Diverged, or NotSupported for a head
    that is not one linear layer where it should be widened."""
    steps = problem.forget.num_batches(params.batch)
    if params.way == "shrink":
        tracker.plan(attack=steps * _attack_steps(params), shrink=steps * params.epochs)
        tracker.phase("attack")
        nearest = _nearest(problem, params, tracker)
        tracker.phase("shrink")
        _shrink(problem, nearest, params, tracker)
    else:
        tracker.plan(expand=steps * params.epochs)
        tracker.phase("expand")
        _expand(problem, params, tracker)


def _nearest(problem: Problem, params: Hyperparameters, tracker: Tracker) -> ImageSubset:
    """The forgotten pictures, each labelled with the kept class into which the attack on the net before drives it."""
    gone = problem.forget
    labels = gone.labels.clone()
    succeeded = 0
    for rows in gone.rows.split(params.batch):
        own = gone.labels[rows]
        clean, _ = ImageSubset(gone.images, gone.labels, rows).tensors()
        moved = clean
        for (pictures,) in tracker.iterate((clean,) for _ in range(_attack_steps(params))):
            moved = attack_once(problem.original_model, moved, pictures, own, params)
        with torch.no_grad(), eval_mode(problem.original_model):
            answers = problem.original_model(moved)
        succeeded += int((answers.argmax(1) != own).sum())
        labels[rows] = nearest_retained(answers, own, problem.retained_classes)
    hits = labels[gone.rows].bincount(minlength=problem.classes)
    tracker.save_artifact("nearest", hits, succeeded=succeeded / len(gone))
    return ImageSubset(gone.images, labels, gone.rows)


def attack_once(model: nn.Module, moved: Tensor, clean: Tensor, labels: Tensor, params: Hyperparameters) -> Tensor:
    """One step of the attack from `moved` on, no pixel further than the radius from `clean`, within [0, 1]."""
    step = params.radius if params.attack == "fgsm" else params.attack_step
    return fgsm(model, moved, labels, radius=step).clamp(clean - params.radius, clean + params.radius)


def nearest_retained(logits: Tensor, labels: Tensor, retained: Tensor) -> Tensor:
    """For logits (B, C) the likeliest of the kept classes (k,), which is never the own class (B,)."""
    barred = torch.ones_like(logits, dtype=torch.bool)
    barred[:, retained] = False
    barred[torch.arange(len(labels), device=labels.device), labels] = True
    return logits.masked_fill(barred, -torch.inf).argmax(1)


def _shrink(problem: Problem, nearest: ImageSubset, params: Hyperparameters, tracker: Tracker) -> None:
    """Teaches the net the nearest classes of the untouched pictures."""
    optimiser = torch.optim.SGD(problem.model.parameters(), params.lr, params.momentum)
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    for pictures, labels in tracker.iterate(_batches(problem, nearest, params)):
        with autocast(problem.device):
            loss = F.cross_entropy(problem.model(pictures), labels)
        optimizer_step(optimiser, loss)
        tracker.log(loss=loss.item())


def _expand(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Teaches the net to send forgotten pictures to one more class, whose row of the head lives only here.

    The net keeps its own head all the time, so that whoever looks at it meanwhile finds its C classes.
    """
    head = problem.model.get_submodule(problem.classifier.roles.head[-1])
    if not isinstance(head, nn.Linear):
        raise NotSupportedError("Expanding adds a row to a linear head, and this classifier has none: shrink instead.")
    row, offset = extra_row(head, problem.random_generator("extra row"))
    optimiser = torch.optim.SGD([*problem.model.parameters(), row, offset], params.lr, params.momentum)
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    seen: list[Tensor] = []
    watch = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        for pictures, labels in tracker.iterate(_batches(problem, problem.forget, params)):
            seen.clear()
            with autocast(problem.device):
                answers = problem.model(pictures)
                wide = torch.cat([answers, F.linear(seen.pop(), row, offset)], 1)
                loss = F.cross_entropy(wide, torch.full_like(labels, problem.classes))
            optimizer_step(optimiser, loss)
            tracker.log(loss=loss.item())
    finally:
        watch.remove()


def extra_row(head: nn.Linear, generator: torch.Generator) -> tuple[nn.Parameter, nn.Parameter]:
    """Weights (1, D) and offset (1,) of one more class, as Xavier would draw them for the widened head."""
    drawn = nn.init.xavier_uniform_(torch.empty(head.out_features + 1, head.in_features), generator=generator)
    return nn.Parameter(drawn[-1:].to(head.weight.device)), nn.Parameter(torch.zeros(1, device=head.weight.device))


def _batches(problem: Problem, pool: ImageSubset, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor]]:
    for number in range(params.epochs):
        yield from pool.batches(params.batch, problem.random_generator("epoch", number), augment=False)


def _attack_steps(params: Hyperparameters) -> int:
    return 1 if params.attack == "fgsm" else params.attack_steps


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.forget * (params.epochs + (_attack_steps(params) if params.way == "shrink" else 0))


METHOD = Method(
    id="boundary",
    title="Boundary",
    group="Relabel",
    summary="gives the class to its neighbours · sees no kept picture",
    idea="Finds the class that lies **nearest** to each forgotten picture and gives it to that class (shrink), or "
    "moves all of them to an added class that is then deleted (expand).",
    failure_modes="Nothing holds the rest, so the neighbouring classes suffer where the rate is high. After expand the old "
    "class may be the second answer, and so the first again once the added class is deleted.",
    paper=Reference("Chen et al., Boundary Unlearning, CVPR 2023", "https://arxiv.org/abs/2303.11570"),
    supports=frozenset({"classes"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Shrink at a rate at which a class goes here in five epochs; the kept classes pay for it.",
            Hyperparameters(),
        ),
        "expand": Preset(
            "expand", "The other way: an added class that is deleted at the end.", Hyperparameters(way="expand")
        ),
        "paper": Preset(
            "paper",
            "The published settings: ten epochs at a rate made for another net, so low that little happens here.",
            Hyperparameters(lr=1e-5, epochs=10),
        ),
    },
    needs=lambda knobs: DataAccess(forget=True, retain=False),
    images_processed=_images_processed,
    forget=forget,
)
