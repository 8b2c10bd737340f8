"""MSG: re-initialise the weights with the smallest gradients, then fine-tune (third place, NeurIPS challenge 2023).

Idea. Take the gradient of the loss on the retain set minus that on the forget set. Where it is small, retaining and
forgetting do not conflict, so the weight can be replaced without harm: in every layer except the head the 30 % of the
weights with the smallest gradient get fresh values. Then train on the retain set, with a tenth of the gradient for the
other weights, so that the fresh weights learn what is missing and the rest hardly moves.

Cost. Gradients over a sample of both sets, then epochs over the retain set (five in the original).

When it fails. At a low learning rate the other weights still contain the information, and single images return; at a
high one it is fine-tuning after a shock. Re-initialising a third of a small model needs more epochs than a large one.

Source. Secondary throughout: the winners' own report was not available, so everything is taken from the
re-implementation in xcadet/deepunlearn (kgltop2), which calls this recipe MSG: score per layer, not over the model;
share 0.3; factor 0.1 on gradients but not on weight decay; SGD at 0.001 for five epochs, the rate rising over the first
half and falling over the second; batch 64. It re-initialises convolutions, since its model has nothing else below the
head. It does not specify the mode for scoring; here eval mode, as sums over equally many images of each set. The score
"kept" is ours: it shows what the forget set adds to the choice.
"""

from collections.abc import Collection
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.method import TUNED_ON, DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    early_stop,
    epochs,
    learning_rate,
    momentum,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.evaluate import eval_mode
from unlearn_core.training.loops import fit
from unlearn_core.training.optim import sgd
from unlearn_core.training.problem import ImageSubset, Problem
from unlearn_core.training.reinitialize import reinitialize_where

SCORE_IMAGES = 512
"""Maximum number of images of each set for scoring weights."""
SCORE_BATCH = 128


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of MSG."""

    share: float = hyperparameter(
        0.3,
        low=0.0,
        high=1.0,
        step=0.05,
        title="Share re-initialised",
        unit="of the weights",
        explain="Share of every layer's weights that get fresh values: those with the smallest gradient.",
    )
    hold: float = hyperparameter(
        0.5,
        low=0.0,
        high=1.0,
        step=0.05,
        title="Gradient factor, other weights",
        explain="Factor on the gradient of the other weights; at 0.1 a class returns.",
    )
    score: str = hyperparameter(
        "both",
        choices=("both", "kept"),
        title="Scored by",
        explain="Both: gradient on the retain set minus that on the forget set; kept: gradient on the retain set only.",
    )
    lr: float = learning_rate(0.1, explain="Peak learning rate; if too low, the fresh weights do not learn in time.")
    epochs: int = epochs(2, over="the retain set")
    peak: float = hyperparameter(
        0.5,
        low=0.0,
        high=1.0,
        step=0.05,
        title="Position of the peak",
        unit="of the training",
        explain="The learning rate rises linearly up to this point and then falls linearly to 0.",
        advanced=True,
    )
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    batch: int = batch_size()
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Re-initialise weights of `problem.model` and train it; raises DivergedError if the loss is not finite."""
    sides = _sides(problem, params)
    steps = problem.retain.num_batches(params.batch) * params.epochs
    tracker.plan(score=sum(side.num_batches(SCORE_BATCH) for side in sides), train=steps)
    tracker.phase("score")
    masks = _smallest(_score(problem, sides, tracker), params.share)
    reinitialize_where(problem.model, problem.fresh_model(), masks)
    tracker.phase("train")
    hooks = [
        problem.model.get_parameter(name).register_hook(partial(torch.mul, mask + params.hold * ~mask))
        for name, mask in masks.items()
    ]
    problem.model.train()
    fit(
        problem,
        problem.epochs(problem.retain, range(params.epochs), params.batch, augment=params.augment),
        sgd(problem.model, params),
        tracker,
        lr_schedule=lambda step: params.lr * _slope((step + 1) / (steps + 1), params.peak),
    )
    for hook in hooks:
        hook.remove()


def _sides(problem: Problem, params: Hyperparameters) -> list[ImageSubset]:
    """The images for scoring: equally many retained and forget images, or retained images only."""
    count = min(SCORE_IMAGES, problem.sizes.forget, problem.sizes.retain)
    retained = problem.retain.sample(count, problem.random_generator("scored", "kept"))
    if params.score == "kept":
        return [retained]
    return [retained, problem.forget.sample(count, problem.random_generator("scored", "forgotten"))]


def _score(problem: Problem, sides: list[ImageSubset], tracker: Tracker) -> dict[str, Tensor]:
    """For every layer's weights the gradient of the first set's summed loss minus the second's, in eval mode."""
    weights = _layers(problem.model, problem.classifier.roles.head)
    totals = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    batches = (
        (images, labels, sign)
        for sign, side in zip((1, -1), sides, strict=False)
        for images, labels in side.batches(SCORE_BATCH, problem.random_generator("score", sign), augment=False)
    )
    with eval_mode(problem.model):
        for images, labels, sign in tracker.iterate(batches):
            loss = sign * F.cross_entropy(problem.model(images), labels, reduction="sum")
            for name, slope in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
                totals[name] += slope
    return totals


def _layers(model: nn.Module, head: Collection[str]) -> dict[str, Tensor]:
    """The weights of every convolution and linear layer except the head, by name."""
    return {
        f"{name}.weight": part.weight
        for name, part in model.named_modules()
        if isinstance(part, nn.Conv2d | nn.Linear) and name not in head
    }


def _smallest(score: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """For every tensor a mask, true for the share of its values closest to zero."""
    masks = {}
    for name, values in score.items():
        chosen = values.abs().flatten().topk(round(share * values.numel()), largest=False).indices
        masks[name] = torch.zeros(values.numel(), dtype=torch.bool, device=values.device)
        masks[name] = masks[name].index_fill_(0, chosen, True).view(values.shape)
    return masks


def _slope(at: float, peak: float) -> float:
    """The share of the peak learning rate at a point (0 to 1) of the training."""
    return at / peak if at < peak else (1 - at) / (1 - peak) if peak < 1 else 1.0


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    scored = min(SCORE_IMAGES, sizes.forget, sizes.retain) * (2 if params.score == "both" else 1)
    return scored + sizes.retain * params.epochs


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    epochs = epochs_for(
        params.epochs, params.batch, images=sizes.retain, tuned_on=TUNED_ON.retain, classes=sizes.classes
    )
    return {"share": params.share * strength, "epochs": epochs}


_FOR_IMAGES = Hyperparameters(hold=0.1, lr=0.05)

METHOD = Method(
    id="msg",
    title="Re-initialise small gradients (MSG)",
    group="Perturb and repair",
    summary="re-initialise weights with small gradients, then fine-tune",
    idea="Gives the weights with the **smallest gradient** fresh values and trains on the retain set; the other "
    "weights learn more slowly.",
    failure_modes="The other weights still contain the information: single images partly return. At a high learning "
    "rate it is little more than fine-tuning after a shock, and a small model does not fully recover.",
    paper=Reference(
        "Third place of the NeurIPS 2023 Machine Unlearning Challenge, as re-implemented in DeepUnlearn",
        "https://github.com/xcadet/deepunlearn",
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "A hundred times the original's rate for two epochs instead of five; for classes a larger gradient factor.",
            Hyperparameters(),
            by_request_size={"few pictures": _FOR_IMAGES, "many pictures": _FOR_IMAGES},
        ),
        "paper": Preset(
            "original",
            "The settings of the challenge, made for a larger model: this one does not recover in five epochs.",
            Hyperparameters(hold=0.1, lr=0.001, epochs=5, augment=False, batch=64),
        ),
        "no-redraw": Preset("no re-init", "The same training without fresh weights.", Hyperparameters(share=0.0)),
        "blind": Preset(
            "retain set only", "Scored by the retain set alone: needs no forget data.", Hyperparameters(score="kept")
        ),
    },
    needs=lambda params: DataAccess(forget=params.score == "both", retain=True),
    images_processed=_images_processed,
    tuning=Tuning(
        finds=("share", "epochs", "batch"),
        batch="batch",
        values=_at_strength,
        rule="The share of weights that is re-initialised; small data is shown in more epochs and smaller batches.",
    ),
    forget=forget,
)
