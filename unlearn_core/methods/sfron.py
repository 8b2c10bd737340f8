"""SFRon: ascent in salient weights, repaired at once by retained images (Huang et al., NeurIPS 2024, arXiv 2409.19732).

Idea. The steepest way away from the forget set has three parts: weighted gradient ascent on it, descent on the retain
set, and a weight saliency; measured by what the model predicts for retained images, it is also multiplied by the
inverse Hessian of the retain set. That product is not computed: descent steps after an ascent step undo of it what the
retain set does not allow (fast weights), and a share of the way is kept (slow weights).
The ascent minimises -alpha sum_i c_i CE_i, where c_i is in proportion to CE_i^-lambda and sums to 1 in a batch: images
that are still recognised count most, so that none is pushed far beyond. Its gradient is 0 for weights where the Fisher
diagonal of the forget set is less than gamma times that of the retain set, and it is clipped. alpha and the learning
rate decay by a cosine.

Cost. One pass over forget and retained images for the saliency; then the chosen number of epochs over retained images,
with a batch of forget images before every few of their batches.

When it fails. The ascent is unbounded, as in NegGrad+: how far it goes depends on how often it is taken and on the
clipping, and a class, a few images and many images need different values. The coefficients favour images that fit
perfectly, whose gradients are tiny: of many single images, hardly any is forgotten at the published weight.

Source. The authors' code, K1nght/Unified-Unlearning-w-Remain-Geometry, Classification/unlearn/sfron.py, step by step:
`AdaptiveLoss`, `get_weight_saliency_mask` and the loop in `get_unlearned_model`. The theory above is from the abstract
and from memory, so no equation is cited. As there, the Fisher diagonals are squared gradients of whole batches in eval
mode, the mask does not hold back momentum and weight decay, and both kinds of steps share one optimiser. With the
published slow weights (`ema_beta` = 1) the whole way is kept, so that they change nothing. Other than there, both
Fisher diagonals use batches of one size, since squared means of fewer images are larger; they use as many retained
images as an epoch does; and CE_i counts as 1e-6 at least in c_i, where an image whose CE rounds to 0 would get all of
the weight in its batch.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import count

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.method import TUNED_ON, DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.results.method_artifacts import ForgetStepMask
from unlearn_core.domain.shared_params import (
    augment,
    batch_size,
    early_stop,
    epochs,
    learning_rate,
    momentum,
    retain_per_class,
    weight_decay,
)
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning, epochs_for
from unlearn_core.training.batches import images_seen, steps_in_epoch
from unlearn_core.training.importance import batch_gradients, share_by_layer, weights_by_layer
from unlearn_core.training.optim import optimizer_step, set_lr, sgd
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import ImageSubset, Problem

TINY = 1e-15
"""Added to both Fisher diagonals, as in the code: where both are 0, their ratio is 1."""
LEAST_ERROR = 1e-6
"""The least cross-entropy in a coefficient, in nats."""
TOO_FAR_FOR_FEW = 2.0
"""The clipping at which 62 % of 16 images are still predicted, instead of 85 % (validation, bundled ResNet-20)."""
TOO_WEAK_FOR_MANY = 25.0
"""The weight at which 96 % of 200 images are still predicted, instead of 85 % (validation, bundled ResNet-20)."""


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of SFRon; symbols as in the paper."""

    forget_weight: float = hyperparameter(
        25.0,
        low=0.01,
        high=2000.0,
        scale="log",
        title="Weight of the ascent",
        symbol="α",
        explain="Factor on the gradient of the forget steps, before it is clipped.",
    )
    clip: float = hyperparameter(
        4.0,
        low=0.01,
        high=200.0,
        scale="log",
        title="Clipping of the ascent",
        explain="Scales down the gradient of a forget step whose L2 norm is larger than this.",
    )
    forget_every: int = hyperparameter(
        5,
        low=1,
        high=50,
        title="Repair steps per forget step",
        unit="steps",
        explain="Descent steps on retained images after each ascent step on forget images.",
    )
    threshold: float = hyperparameter(
        1.0,
        low=0.0,
        high=10.0,
        step=0.1,
        title="Saliency threshold",
        symbol="γ",
        explain="The gradient of forget steps counts for weights that matter at least this many times as much for the "
        "forget set as for the retain set; at 0, for all.",
    )
    exponent: float = hyperparameter(
        0.5,
        low=0.0,
        high=2.0,
        step=0.1,
        title="Exponent of the coefficients",
        symbol="λ",
        explain="How much more the images that are still recognised count in a forget step; at 0, all count equally.",
        advanced=True,
    )
    slow: float = hyperparameter(
        1.0,
        low=0.05,
        high=1.0,
        step=0.05,
        title="Slow weights",
        symbol="β",
        explain="Share of each iteration's change of the weights that is kept.",
        advanced=True,
    )
    lr: float = learning_rate(0.01, explain="Step size of both kinds of steps.")
    epochs: int = epochs(3, high=30, over="retained images")
    kept_per_class: int = retain_per_class(400)
    momentum: float = momentum()
    weight_decay: float = weight_decay()
    augment: bool = augment()
    forget_batch: int = batch_size(128, title="Batch size, forget set")
    retain_batch: int = batch_size(128, title="Batch size, retain set")
    early_stop: bool = early_stop()


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Alternate forget and repair steps on `problem.model`; raises DivergedError if the loss is not finite."""
    sizes, iterations = problem.sizes, _iterations(params, problem.sizes)
    both = sizes.forget, sizes.retain_used(params.kept_per_class)
    saliency = sum(steps_in_epoch(images, _saliency_batch(params, sizes)) for images in both)
    tracker.plan(**{"saliency": saliency, "forget and repair": iterations + _forget_steps(params, sizes)})
    tracker.phase("saliency")
    masks = _saliency(problem, params, tracker)
    tracker.phase("forget and repair")
    optimizer = sgd(problem.model, params)
    slow_weights = [weight.detach().clone() for weight in problem.model.parameters()]
    problem.model.train()
    iteration = 0
    for images, labels, is_ascent in tracker.iterate(_batches(problem, params)):
        decay = (1 + math.cos(math.pi * iteration / iterations)) / 2
        set_lr(optimizer, params.lr * decay)
        with autocast(problem.device):
            logits = problem.model(images)
            loss = adaptive_loss(logits, labels, params.exponent) if is_ascent else F.cross_entropy(logits, labels)
        if is_ascent:
            hooks = [problem.model.get_parameter(name).register_hook(mask.mul) for name, mask in masks.items()]
            optimizer_step(optimizer, -params.forget_weight * decay * loss, grad_clip=params.clip)
            for hook in hooks:
                hook.remove()
            tracker.log(forget_loss=loss.item())
            continue
        optimizer_step(optimizer, loss)
        tracker.log(retain_loss=loss.item())
        iteration += 1
        if params.slow < 1:
            step_back(problem.model, slow_weights, params.slow)


def adaptive_loss(logits: Tensor, labels: Tensor, exponent: float) -> Tensor:
    """sum_i c_i CE_i of logits (B, C) and labels (B,), in nats; c_i is CE_i^-exponent, scaled to a sum of 1."""
    errors = F.cross_entropy(logits, labels, reduction="none")
    coefficients = errors.detach().clamp_min(LEAST_ERROR) ** -exponent
    return (coefficients / coefficients.sum() * errors).sum()


@torch.no_grad()
def step_back(model: nn.Module, slow_weights: list[Tensor], share: float) -> None:
    """Keep this share of the way from the slow weights to the model's, and set both to where it ends."""
    for weight, slow in zip(model.parameters(), slow_weights, strict=True):
        weight.copy_(slow.lerp_(weight, share))


def _saliency(problem: Problem, params: Hyperparameters, tracker: Tracker) -> dict[str, Tensor]:
    """Which weights get the gradient of forget steps, by the original model; also saved as an artifact."""
    size, used = _saliency_batch(params, problem.sizes), problem.sizes.retain_used(params.kept_per_class)
    sides = problem.forget, problem.retain.sample(used, problem.random_generator("saliency", "retained"))

    def fisher(side: ImageSubset, purpose: str) -> dict[str, Tensor]:
        batches = side.batches(size, problem.random_generator("saliency", purpose), augment=params.augment)
        return batch_gradients(problem.model, tracker.iterate(batches), score=F.cross_entropy, measure=torch.square)

    masks = salient(fisher(sides[0], "forget"), fisher(sides[1], "retain"), params.threshold)
    layers = problem.classifier.roles.layers
    share = torch.cat([mask.flatten() for mask in masks.values()]).float().mean().item()
    sizes, shares = weights_by_layer(masks, layers), torch.tensor(share_by_layer(masks, layers)).numpy()
    tracker.save_artifact(ForgetStepMask(layers=layers, weights=sizes, share=share, shares=shares))
    return masks


def salient(forget: Mapping[str, Tensor], retain: Mapping[str, Tensor], threshold: float) -> dict[str, Tensor]:
    """True where the forget set's Fisher diagonal is at least `threshold` times the retain set's."""
    return {name: (own + TINY) / (retain[name] + TINY) >= threshold for name, own in forget.items()}


def _batches(problem: Problem, params: Hyperparameters) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """Images and labels of every step, and whether it is an ascent on forget images."""
    forgotten = problem.epochs(problem.forget, count(), params.forget_batch, augment=params.augment, purpose="forget")
    iterations = count()
    for number in range(params.epochs):
        some = problem.retain_in_epoch(number, per_class=params.kept_per_class)
        for images, labels in some.batches(
            params.retain_batch, problem.random_generator("epoch", number), augment=params.augment
        ):
            if next(iterations) % params.forget_every == 0:
                yield *next(forgotten), True
            yield images, labels, False


def _saliency_batch(params: Hyperparameters, sizes: ProblemSize) -> int:
    return min(params.forget_batch, sizes.forget)


def _iterations(params: Hyperparameters, sizes: ProblemSize) -> int:
    return steps_in_epoch(sizes.retain_used(params.kept_per_class), params.retain_batch) * params.epochs


def _forget_steps(params: Hyperparameters, sizes: ProblemSize) -> int:
    return steps_in_epoch(_iterations(params, sizes), params.forget_every)


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    forgotten = images_seen(sizes.forget, params.forget_batch, _forget_steps(params, sizes))
    return sizes.forget + forgotten + sizes.retain_used(params.kept_per_class) * (1 + params.epochs)


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    """The size of forget steps, which is decided by the weight and the clipping; repair steps keep theirs."""
    images, tuned_on = (one.retain_used(params.kept_per_class) for one in (sizes, TUNED_ON))
    epochs = epochs_for(params.epochs, params.retain_batch, images=images, tuned_on=tuned_on, classes=sizes.classes)
    return {"forget_weight": params.forget_weight * strength, "clip": params.clip * strength, "epochs": epochs}


def _caution(params: Hyperparameters, sizes: ProblemSize, searches: bool) -> str | None:
    if searches or sizes.forgotten_classes or not sizes.shares_features:
        return None
    if sizes.is_few_images:
        words = f"With a clipping of {TOO_FAR_FOR_FEW:g} or more, a few images are pushed too far."
        return words if params.clip >= TOO_FAR_FOR_FEW else None
    words = f"With a weight of {TOO_WEAK_FOR_MANY:g} or less, hardly any of many single images is forgotten."
    return words if params.forget_weight <= TOO_WEAK_FOR_MANY else None


METHOD = Method(
    id="sfron",
    title="SFRon",
    group="Gradient ascent",
    summary="ascent in salient weights, repaired after each step",
    idea="In turns, one step **increases** the loss on the forget set, in the weights that matter more for it than for "
    "the retain set, and several steps **repair** the retain set.",
    failure_modes="The ascent is unbounded: forget steps that are too large push a few images much further than a "
    "model that never saw them, and cost retain accuracy. Of many single images hardly any is forgotten unless the "
    "weight of the ascent is far higher. A class, few and many images need different values.",
    paper=Reference(
        "Huang et al., Unified Gradient-Based Machine Unlearning with Remain Geometry Enhancement, NeurIPS 2024",
        "https://arxiv.org/abs/2409.19732",
    ),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Far fewer iterations than published; the size of forget steps suits that of the request.",
            Hyperparameters(),
            by_request_size={
                "several classes": Hyperparameters(clip=7.0),
                "few pictures": Hyperparameters(clip=0.8),
                "many pictures": Hyperparameters(forget_weight=500.0, clip=2.0),
            },
        ),
        "paper": Preset(
            "paper",
            "The settings of the authors' code for CIFAR-10: 1,500 iterations, which are 21 epochs here. Takes minutes "
            "on a CPU.",
            Hyperparameters(clip=7.0, epochs=21, kept_per_class=5000),
        ),
    },
    needs=lambda params: DataAccess(forget=True, retain=True),
    images_processed=_images_processed,
    caution=_caution,
    tuning=Tuning(
        finds=("forget_weight", "clip", "epochs", "retain_batch"),
        batch="retain_batch",
        values=_at_strength,
        rule="The size of forget steps; small data is shown in more epochs and smaller batches.",
        forgets_in="epochs",
    ),
    forget=forget,
)
