"""Boundary unlearning: move the decision boundary, not the features (Chen et al., CVPR 2023, arXiv 2303.11570).

Idea. Shrink: an attack finds the class nearest to each forget image; the model is trained to predict that class, so
that neighbouring classes take over the region. Expand: an extra class is added to the head temporarily, all forget
images are moved to it, and the extra row is deleted.

Cost. For shrink one attack on the forget set; then some epochs over the forget set only.

When it fails. Nothing protects the retain set: at too high a learning rate or for too many epochs, neighbouring classes
lose accuracy. After expand, images often keep the old class as their second prediction, which becomes the first again
without the extra row. It is made for whole classes: single images have no region of their own, and training them on
the next class is the same as random labels.

Source. Chen et al. 2023. The official attack undoes a normalisation that the data never had, so its radius is not as
stated; where the attack fails, it trains on the class to be forgotten. Here the image's own class and other forgotten
classes are never targets; the next best retained class is. The code repeats the attack on the same images in each
epoch, with the same result; here it runs once. Its first expand step runs in whatever mode the model is in.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.results.method_artifacts import NearestClasses
from unlearn_core.domain.shared_params import batch_size, epochs, freeze_batchnorm, learning_rate, momentum
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning
from unlearn_core.training.attacks import fgsm
from unlearn_core.training.evaluate import eval_mode
from unlearn_core.training.loops import fit
from unlearn_core.training.optim import train_mode
from unlearn_core.training.problem import ImageSubset, Problem


class Hyperparameters(BaseHyperparameters):
    """The hyperparameters of boundary unlearning."""

    way: str = hyperparameter(
        "shrink",
        choices=("shrink", "expand"),
        title="Variant",
        explain="Shrink assigns each image to its nearest class; expand moves all to an extra class, then deletes it.",
    )
    lr: float = learning_rate(1e-3, low=1e-6, high=0.1, explain="Step size; nothing protects the retain set.")
    epochs: int = epochs(5, high=30, over="the forget set")
    attack: str = hyperparameter(
        "fgsm",
        choices=("fgsm", "pgd"),
        title="Attack",
        explain="How shrink searches for the nearest class: fgsm takes one step, pgd several small ones.",
    )
    radius: float = hyperparameter(
        0.1,
        low=0.005,
        high=0.5,
        step=0.005,
        title="Attack: radius",
        symbol="ε",
        explain="Maximum change of a pixel by the attack, for pixels in the range 0 to 1.",
    )
    attack_step: float = hyperparameter(
        8 / 255,
        low=0.001,
        high=0.1,
        scale="log",
        title="Attack: step size",
        explain="Change of each pixel in one step of pgd.",
        advanced=True,
    )
    attack_steps: int = hyperparameter(
        5, low=1, high=50, title="Attack: steps", unit="steps", explain="Number of steps of pgd.", advanced=True
    )
    momentum: float = momentum()
    frozen_norm: bool = freeze_batchnorm(False)
    batch: int = batch_size(64)


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Move the decision boundary of `problem.model` around the forgotten classes.

    Raises DivergedError if the loss is not finite, and NotSupportedError if expand needs a linear head and there is
    none.
    """
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
    """The forget set, each image labelled with the retained class that the attack on the original model leads to."""
    forget_set = problem.forget
    labels = forget_set.labels.clone()
    succeeded = 0
    for rows in forget_set.rows.split(params.batch):
        own = forget_set.labels[rows]
        clean, _ = ImageSubset(forget_set.images, forget_set.labels, rows).tensors()
        moved = clean
        for (images,) in tracker.iterate((clean,) for _ in range(_attack_steps(params))):
            moved = attack_once(problem.original_model, moved, images, own, params)
        with torch.no_grad(), eval_mode(problem.original_model):
            logits = problem.original_model(moved)
        succeeded += int((logits.argmax(1) != own).sum())
        labels[rows] = nearest_retained(logits, own, problem.retained_classes)
    counts = labels[forget_set.rows].bincount(minlength=problem.classes).cpu().numpy()
    tracker.save_artifact(NearestClasses(success_rate=succeeded / len(forget_set), counts=counts))
    return ImageSubset(forget_set.images, labels, forget_set.rows)


def attack_once(model: nn.Module, moved: Tensor, clean: Tensor, labels: Tensor, params: Hyperparameters) -> Tensor:
    """One attack step from `moved`, with no pixel further than the radius from `clean`, within [0, 1]."""
    step = params.radius if params.attack == "fgsm" else params.attack_step
    return fgsm(model, moved, labels, radius=step).clamp(clean - params.radius, clean + params.radius)


def nearest_retained(logits: Tensor, labels: Tensor, retained: Tensor) -> Tensor:
    """For logits (B, C) the most likely of the retained classes (k,), excluding the image's own class (B,)."""
    barred = torch.ones_like(logits, dtype=torch.bool)
    barred[:, retained] = False
    barred[torch.arange(len(labels), device=labels.device), labels] = True
    return logits.masked_fill(barred, -torch.inf).argmax(1)


def _shrink(problem: Problem, nearest: ImageSubset, params: Hyperparameters, tracker: Tracker) -> None:
    """Train the model to predict the nearest class for the original images."""
    optimizer = torch.optim.SGD(problem.model.parameters(), params.lr, params.momentum)
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    fit(problem, problem.epochs(nearest, range(params.epochs), params.batch, augment=False), optimizer, tracker)


def _expand(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Train the model to move forget images to an extra class, whose row of the head exists only here.

    The model keeps its own head throughout, so that a tracker that evaluates it always finds C classes.
    """
    head = problem.model.get_submodule(problem.classifier.roles.head[-1])
    if not isinstance(head, nn.Linear):
        raise NotSupportedError("Expand adds a row to a linear head, and this classifier has none: use shrink instead.")
    row, offset = extra_row(head, problem.random_generator("extra row"))
    optimizer = torch.optim.SGD([*problem.model.parameters(), row, offset], params.lr, params.momentum)
    train_mode(problem.model, freeze_batchnorm=params.frozen_norm)
    seen: list[Tensor] = []

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        seen.clear()
        logits = problem.model(images)
        wide = torch.cat([logits, F.linear(seen.pop(), row, offset)], 1)
        return F.cross_entropy(wide, torch.full_like(labels, problem.classes))

    batches = problem.epochs(problem.forget, range(params.epochs), params.batch, augment=False)
    watch = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        fit(problem, batches, optimizer, tracker, loss=loss)
    finally:
        watch.remove()


def extra_row(head: nn.Linear, generator: torch.Generator) -> tuple[nn.Parameter, nn.Parameter]:
    """Weights (1, D) and bias (1,) of one more class, Xavier-initialised as for the widened head."""
    drawn = nn.init.xavier_uniform_(torch.empty(head.out_features + 1, head.in_features), generator=generator)
    return nn.Parameter(drawn[-1:].to(head.weight.device)), nn.Parameter(torch.zeros(1, device=head.weight.device))


def _attack_steps(params: Hyperparameters) -> int:
    return 1 if params.attack == "fgsm" else params.attack_steps


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    return sizes.forget * (params.epochs + (_attack_steps(params) if params.way == "shrink" else 0))


def _at_strength(params: Hyperparameters, sizes: ProblemSize, strength: float) -> dict[str, float]:
    return {"lr": params.lr * strength}


def _caution(_params: Hyperparameters, sizes: ProblemSize, _searches: bool) -> str | None:
    if not sizes.shares_features:
        return None
    return (
        "It trains on the forget set alone, and nothing protects the features that other classes share: the retain set "
        "loses much more than 5 points."
    )


METHOD = Method(
    id="boundary",
    title="Boundary",
    group="Relabel",
    summary="assign the class to its neighbours · needs no retain data",
    idea="Finds the class **nearest** to each forget image and trains the model to predict it (shrink), or moves all "
    "forget images to an extra class that is then deleted (expand).",
    failure_modes="Nothing protects the retain set, so neighbouring classes lose accuracy at high learning rates. "
    "After expand the old class may be the second prediction, and becomes the first again once the extra class is "
    "deleted.",
    paper=Reference("Chen et al., Boundary Unlearning, CVPR 2023", "https://arxiv.org/abs/2303.11570"),
    supports=frozenset({"classes"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "bundled",
            "Shrink at a rate that forgets a class in five epochs here, at the cost of the retained classes.",
            Hyperparameters(),
        ),
        "expand": Preset(
            "expand", "The other variant: an extra class that is deleted at the end.", Hyperparameters(way="expand")
        ),
        "paper": Preset(
            "paper",
            "The published settings: ten epochs at a rate for another model, too low to have much effect here.",
            Hyperparameters(lr=1e-5, epochs=10),
        ),
    },
    needs=lambda params: DataAccess(forget=True, retain=False),
    images_processed=_images_processed,
    caution=_caution,
    tuning=Tuning(
        finds=("lr",),
        values=_at_strength,
        rule="The learning rate.",
    ),
    forget=forget,
)
