"""L2UL: instance-wise unlearning with adversarial pictures and weight importance (Cha et al., AAAI 2024, 2301.11578).

Idea. Drive the loss on the forgotten pictures up until the net names none of them rightly (or teach it other labels),
and hold the rest with what needs no kept picture: copies of the forgotten pictures, moved by an attack to where the
original net calls them something else, pin its borders there (ADV); weights that mattered little for the forgotten
pictures are pulled back to where they were (IMP).

Cost. The attack: pictures x adversarials x attack steps; then as many steps as forgetting takes.

When it fails. On many pictures, and on whole classes, the rest suffers: neither guard knows the kept pictures. With no
guard (NegGrad) it collapses. The goal, 0 % right, is not what a net that never saw the pictures would do, so it
forgets more than retraining would, which can be noticed from outside.

Source: sections 3 and 4 and the authors' code, whose targets can equal the true label, whose importance is of whole
batches, in train mode, summed up wrongly beyond one batch, and which stops NegGrad only between epochs. Here targets
are uniform over the other kept classes, importance is the mean over pictures in eval mode, both sides are shuffled,
and the stop rule is asked after every step. The weight 0 of the ascent is the code's n_f / (n_a + n_f); relabelling
has no public code. Of a large request only some pictures are attacked and weighed.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, count, islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import (
    batch_size,
    freeze_batchnorm,
    grad_clip,
    learning_rate,
    momentum,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.attacks import IMAGES_PER_CHUNK, pgd_l2_batched
from unlearn_core.training.batches import images_seen, to_floats
from unlearn_core.training.evaluate import predict
from unlearn_core.training.importance import (
    images_per_chunk,
    min_max_scaled,
    output_sensitivity,
    share_by_layer,
    weighted_l2,
)
from unlearn_core.training.losses import capped_cross_entropy, wrong_labels
from unlearn_core.training.optim import optimizer_step, train_mode
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import ImageSubset, Problem

IMPORTANCE_IMAGES = 256
"""Forgotten pictures at most from which importance is taken."""
STOP_CHECK_IMAGES = 64
"""Forgotten pictures that the stop rule asks at a time: the next ones only once those before them are done."""
SAVED_IMAGES = 12
"""Adversarial pictures that are kept for the report."""


class Hyperparameters(BaseHyperparameters):
    """L2UL's hyper-parameters; symbols as in the paper."""

    goal: str = hyperparameter(
        "misclassify",
        choices=("misclassify", "relabel"),
        title="Goal",
        explain="Misclassify drives each picture away from its label, relabel teaches it a wrong one drawn beforehand.",
    )
    guard: str = hyperparameter(
        "adv-imp",
        choices=("none", "adv", "adv-imp"),
        title="Guard of the rest",
        explain="With adv the net also learns adversarial pictures, with adv-imp unimportant weights are held as well; "
        "none is plain ascent (NegGrad).",
    )
    lr: float = learning_rate(1e-3, explain="How far each step goes; the guards cannot undo steps that are too long.")
    ascent: float = hyperparameter(
        0.0,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Share of forgetting",
        explain="Weight of the forgotten pictures in the loss, the rest is the adversarials'; 0 goes by batch sizes.",
    )
    hold: float = hyperparameter(
        1.0,
        low=0.01,
        high=1000.0,
        scale="log",
        title="Hold on weights",
        symbol="λ",
        explain="How firmly weights that did not matter for the forgotten pictures are held where they were.",
    )
    retain_access: bool = hyperparameter(
        False,
        title="Use kept pictures",
        explain="Learns kept pictures along with the rest: what the guards have to do without (the paper's oracle).",
    )
    copies: int = hyperparameter(
        20,
        low=1,
        high=300,
        title="Adversarials a picture",
        unit="pictures",
        symbol="N_adv",
        explain="Adversarial pictures made from each forgotten one, each with a target of its own.",
    )
    radius: float = hyperparameter(
        4.0,
        low=0.1,
        high=8.0,
        step=0.1,
        title="Attack: radius",
        symbol="ε",
        explain="How far an adversarial picture may lie from its original, as the L2 length over all pixel values.",
        advanced=True,
    )
    attack_steps: int = hyperparameter(
        100,
        low=1,
        high=200,
        title="Attack: steps",
        unit="steps",
        explain="Steps that each adversarial picture takes towards its target.",
        advanced=True,
    )
    attack_step: float = hyperparameter(
        0.1,
        low=0.01,
        high=2.0,
        scale="log",
        title="Attack: length of a step",
        explain="How far an adversarial picture moves in each step.",
        advanced=True,
    )
    attacked: int = hyperparameter(
        128,
        low=1,
        high=512,
        title="Attack: at most so many",
        unit="pictures",
        explain="Of more forgotten pictures than this only so many, drawn at random, get adversarials.",
        advanced=True,
    )
    most: float = hyperparameter(
        0.0,
        low=0.0,
        high=20.0,
        step=0.1,
        title="Wrong enough",
        unit="nats",
        explain="A picture with a larger error than this is not driven on; 0 drives all of them without end.",
        advanced=True,
    )
    stops: bool = hyperparameter(
        True, title="Stop when done", explain="Stops as soon as the goal is reached; without it the net is driven on."
    )
    stop_accuracy: float = hyperparameter(
        0.0,
        low=0.0,
        high=1.0,
        step=0.01,
        title="Done at",
        explain="Share of the forgotten pictures that may still be named rightly (or not yet by their new label).",
        advanced=True,
    )
    max_steps: int = hyperparameter(
        200, low=1, high=4000, title="Steps at most", unit="steps", explain="Where forgetting ends in any case."
    )
    frozen_norm: bool = freeze_batchnorm(False)
    clip: float = grad_clip()
    momentum: float = momentum()
    weight_decay: float = weight_decay(1e-4)
    forget_batch: int = batch_size(32, title="Batch of forgotten")
    guard_batch: int = batch_size(256, title="Batch of adversarials")
    retain_batch: int = batch_size(128, title="Batch of kept")


_Epochs = Callable[[int], Iterator[tuple[Tensor, Tensor]]]
"""The shuffled pass of this number over one source: pictures and labels, batch by batch."""


class Regularizers(NamedTuple):
    """What holds the rest: adversarial pictures (n, 3, H, W) with their targets (n,), and a hold for each weight."""

    images: Tensor | None
    targets: Tensor | None
    strength: dict[str, Tensor] | None


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Makes `problem.net` wrong about `problem.forget`; raises Diverged where the loss is no longer a number."""
    attacked = problem.forget.sample(params.attacked, problem.random_generator("attacked"))
    weighed = problem.forget.sample(IMPORTANCE_IMAGES, problem.random_generator("weighed"))
    attack = {"attack": -(-len(attacked) * params.copies // IMAGES_PER_CHUNK) * params.attack_steps}
    importance = {"importance": weighed.num_batches(images_per_chunk(problem.original_model))}
    plan = {"none": {}, "adv": attack, "adv-imp": attack | importance}[params.guard]
    tracker.plan(**plan, forget=params.max_steps)
    pictures = targets = hold = None
    if "attack" in plan:
        tracker.phase("attack")
        pictures, targets = _attack(problem, attacked, params, tracker)
    if "importance" in plan:
        tracker.phase("importance")
        hold = _weight_strength(problem, weighed, tracker)
    tracker.phase("forget")
    _forget(problem, Regularizers(pictures, targets, hold), params, tracker)
    if pictures is not None and targets is not None:
        _save_examples(problem, attacked, pictures, targets, params=params, tracker=tracker)


def _attack(problem: Problem, pool: ImageSubset, params: Hyperparameters, tracker: Tracker) -> tuple[Tensor, Tensor]:
    """Copies (n, 3, H, W) of the pictures, moved to where the original net should call them by targets (n,)."""
    pictures, labels = (part.repeat_interleave(params.copies, 0) for part in pool.tensors())
    targets = wrong_labels(labels, problem.retained_classes, problem.random_generator("targets"))
    made = pgd_l2_batched(
        problem.original_model,
        pictures,
        targets,
        radius=params.radius,
        step=params.attack_step,
        steps=params.attack_steps,
        generator_for=partial(problem.random_generator, "attack"),
        progress=tracker.iterate,
    )
    return made, targets


def _weight_strength(problem: Problem, pool: ImageSubset, tracker: Tracker) -> dict[str, Tensor]:
    """How firmly each weight is held, in [0, 1]: 1 where it did not matter for the forgotten pictures."""
    importance = min_max_scaled(output_sensitivity(problem.original_model, pool.tensors()[0], progress=tracker.iterate))
    layers = problem.classifier.roles.layers
    means = np.array(share_by_layer(importance, layers), np.float32)
    tracker.save_artifact("importance", means, layers=list(layers), pictures=len(pool))
    return {name: 1 - values for name, values in importance.items()}


def _forget(problem: Problem, guard: Regularizers, params: Hyperparameters, tracker: Tracker) -> None:
    """Steps until the goal is reached, as the net in eval mode answers, or the limit."""
    aim = _relabelled(problem) if params.goal == "relabel" else problem.forget
    asked = list(aim.batches(STOP_CHECK_IMAGES, problem.random_generator("asked"), augment=False))
    optimiser = torch.optim.SGD(
        problem.model.parameters(), params.lr, params.momentum, weight_decay=params.weight_decay
    )
    left = [_left(problem.model, asked, params)]
    done = params.stops and left[0] <= params.stop_accuracy
    for pictures, labels in tracker.iterate(
        islice(_steps(problem, aim, guard, params), 0 if done else params.max_steps)
    ):
        train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
        with autocast(problem.device):
            loss, error = _loss(problem.model, pictures, labels, params)
        if guard.strength is not None:
            loss = loss + params.hold * weighted_l2(problem.model, problem.original_model, guard.strength)
        optimizer_step(optimiser, loss, grad_clip=params.clip)
        left.append(_left(problem.model, asked, params))
        tracker.log(loss=loss.item(), forget_error=error.item(), left=left[-1])
        done = params.stops and left[-1] <= params.stop_accuracy
        if done:
            break
    tracker.save_artifact("stopped", np.array(left, np.float32), goal=params.goal, done=done, most=params.max_steps)


def _left(model: nn.Module, asked: list[tuple[Tensor, Tensor]], params: Hyperparameters) -> float:
    """The share of forgotten pictures still to be changed; of many, the first speak for all until they are done."""
    left = seen = 0
    for pictures, labels in asked:
        right = int((predict(model, pictures) == labels).sum())
        left += right if params.goal == "misclassify" else len(labels) - right
        seen += len(labels)
        if left > params.stop_accuracy * seen:
            break
    return left / seen


def _relabelled(problem: Problem) -> ImageSubset:
    """The forgotten pictures, each with one wrong label that is drawn once."""
    own = problem.forget
    labels = own.labels.clone()
    labels[own.rows] = wrong_labels(labels[own.rows], problem.retained_classes, problem.random_generator("new labels"))
    return ImageSubset(own.images, labels, own.rows)


def _steps(
    problem: Problem, aim: ImageSubset, guard: Regularizers, params: Hyperparameters
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """For each step all its pictures and, source by source in their order, the labels; without end."""

    def adversarials(number: int) -> Iterator[tuple[Tensor, Tensor]]:
        assert guard.images is not None and guard.targets is not None
        order = torch.randperm(len(guard.targets), generator=problem.random_generator("adversarials", number))
        for chosen in order.to(problem.device).split(params.guard_batch):
            yield guard.images[chosen], guard.targets[chosen]

    def of_pool(pool: ImageSubset, name: str, size: int) -> _Epochs:
        return lambda number: pool.batches(size, problem.random_generator(name, number), augment=False)

    epochs: dict[str, _Epochs] = {"guard": adversarials} if guard.images is not None else {}
    epochs["forget"] = of_pool(aim, "forgotten", params.forget_batch)
    if params.retain_access:
        epochs["retain"] = of_pool(problem.retain, "kept", params.retain_batch)
    endless = [chain.from_iterable(map(epoch, count())) for epoch in epochs.values()]
    for parts in zip(*endless, strict=True):
        pictures = torch.cat([part for part, _ in parts])
        yield pictures, {name: labels for name, (_, labels) in zip(epochs, parts, strict=True)}


def _loss(
    model: nn.Module, images: Tensor, labels: dict[str, Tensor], params: Hyperparameters
) -> tuple[Tensor, Tensor]:
    """The loss without the hold on weights, and the mean error (nats) on the forgotten pictures.

    Each source goes through the net by itself, so that batch norm sees it by itself.
    """
    sizes = [len(own) for own in labels.values()]
    logits = dict(zip(labels, map(model, images.split(sizes)), strict=True))
    error = capped_cross_entropy(
        logits["forget"], labels["forget"], cap=params.most if params.goal == "misclassify" else 0
    )
    loss = -error if params.goal == "misclassify" else error
    if "guard" in labels:
        share = params.ascent or len(labels["forget"]) / (len(labels["guard"]) + len(labels["forget"]))
        loss = share * loss + (1 - share) * F.cross_entropy(logits["guard"], labels["guard"])
    if "retain" in labels:
        loss = loss + F.cross_entropy(logits["retain"], labels["retain"])
    return loss, error


def _save_examples(
    problem: Problem, pool: ImageSubset, made: Tensor, targets: Tensor, *, params: Hyperparameters, tracker: Tracker
) -> None:
    """Keeps some adversarial pictures beside their originals, and what both nets call all of them."""
    rows = pool.rows.repeat_interleave(params.copies)
    calls = [predict(net, made) for net in (problem.original_model, problem.model)]
    length = (made - to_floats(pool.images[rows])).flatten(1).norm(dim=1)
    tracker.save_artifact(
        "adversarial_answers",
        torch.stack([pool.labels[rows], targets, *calls], 1).short(),
        length=float(length.mean()),
        radius=params.radius,
    )
    shown = torch.linspace(0, len(rows) - 1, min(SAVED_IMAGES, len(rows))).round().long().to(rows.device)
    tracker.save_artifact("adversarial_originals", pool.images[rows[shown]])
    tracker.save_artifact(
        "adversarial_pictures", made[shown].mul(255).round().byte().permute(0, 2, 3, 1), rows=shown.tolist()
    )


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    guard = min(params.attacked, sizes.forget) * params.copies * (params.guard != "none")
    weighed = min(IMPORTANCE_IMAGES, sizes.forget) * (params.guard == "adv-imp")
    sources = [(guard, params.guard_batch), (sizes.forget, params.forget_batch)]
    sources += [(sizes.retain, params.retain_batch)] * params.retain_access
    return guard * params.attack_steps + weighed + sum(images_seen(*source, params.max_steps) for source in sources)


_SHARED = {"radius": 0.5, "attack_steps": 20}
_FEW = Hyperparameters(lr=4e-3, ascent=0.8, hold=5, copies=16, attacked=32, guard_batch=64, max_steps=400, **_SHARED)
_MANY = Hyperparameters(lr=8e-3, ascent=0.6, most=2.0, copies=8, attacked=64, guard_batch=32, max_steps=240, **_SHARED)
_CLASS = Hyperparameters(lr=8e-3, ascent=0.7, most=4.0, copies=8, attacked=48, guard_batch=64, max_steps=200, **_SHARED)


def _preset(title: str, summary: str, **changes: object) -> Preset:
    """The tuned settings for every scale of request, with the same changes to all of them."""
    few, many, whole = (knobs.updated(changes) for knobs in (_FEW, _MANY, _CLASS))
    return Preset(title, summary, whole, by_request_size={"few pictures": few, "many pictures": many})


METHOD = Method(
    id="l2ul",
    title="L2UL",
    group="Ascend",
    summary="away from the label, held by adversarial pictures · needs no kept picture",
    idea="Drives the error on the forgotten pictures **up** until none is named rightly, and holds the rest without "
    "any kept picture: **adversarial copies** pin the borders, weights that did not matter are pulled back.",
    failure_modes="The more it must forget, the more the rest suffers, whole classes most. Unguarded it collapses. It makes "
    "the net wrong on all forgotten pictures, where a net that never saw them would name most rightly.",
    paper=Reference("Cha et al., Learning to Unlearn, AAAI 2024", "https://arxiv.org/abs/2301.11578"),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": _preset(
            "bundled",
            "Both guards. A small net needs longer steps, a nearer attack and more weight on forgetting than the "
            "paper's; of many pictures each is driven only until it is wrong enough. Fewer adversarials, to be done in "
            "a minute.",
        ),
        "adv": _preset(
            "adv",
            "The same with adversarial pictures alone: shows what the hold on weights does.",
            guard="adv",
        ),
        "neggrad": _preset(
            "neggrad",
            "The same with no guard: plain ascent, which the guards are there to tame.",
            guard="none",
        ),
        "relabel": _preset(
            "relabel",
            "The other goal: each picture is taught a wrong label that was drawn beforehand.",
            goal="relabel",
        ),
        "oracle": _preset(
            "oracle",
            "No guard, but kept pictures to learn from: what the guards have to do without.",
            guard="none",
            retain_access=True,
        ),
        "paper": Preset(
            "paper",
            "The published settings for CIFAR-10, made for a ResNet-18: slow on a small net, for minutes.",
            Hyperparameters(max_steps=2002),
        ),
    },
    needs=lambda knobs: DataAccess(forget=True, retain=knobs.retain_access),
    images_processed=_images_processed,
    forget=forget,
    may_stop_early=True,
)
