"""Training loops: `fit`, which most methods use, and `train`, for whole classifiers by recipe."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import epoch_batches, steps_in_epoch
from unlearn_core.training.optim import optimizer_step, set_lr
from unlearn_core.training.precision import autocast
from unlearn_core.training.problem import Problem
from unlearn_core.training.seeding import random_generator, seeded

LossFunction = Callable[..., Tensor | tuple[Tensor, dict[str, float]]]
"""The scalar loss of one batch, alone or with the values to log by name; alone it is logged as "loss"."""

TrainingState = dict[str, Any]
"""Everything needed to resume training bit-exactly: epochs done, weights, optimiser, schedule; plus the mean loss."""


def fit(
    problem: Problem,
    batches: Iterable[tuple[Any, ...]],
    optimizer: torch.optim.Optimizer,
    tracker: Tracker,
    *,
    loss: LossFunction | None = None,
    lr_schedule: Callable[[int], float] | None = None,
    grad_clip: float = 0.0,
    after_step: Callable[[], bool | None] | None = None,
) -> None:
    """Train `problem.model` in place: one optimiser step for each batch, in bfloat16 autocast.

    `loss(*batch)` is minimised; by default it is the cross-entropy of images and labels. `lr_schedule(step)` is the
    learning rate of a step (0 is the first); without it, the optimiser's own stays. `after_step()` runs after each step
    and ends the training by returning True. Train mode is left to the caller, who may have frozen a part of the model.
    Raises DivergedError if the loss is not finite, and CancelledError if the run is cancelled.
    """

    def cross_entropy(images: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(problem.model(images), labels)

    loss = loss or cross_entropy
    for step, batch in enumerate(tracker.iterate(batches)):
        if lr_schedule is not None:
            set_lr(optimizer, lr_schedule(step))
        with autocast(problem.device):
            found = loss(*batch)
        value, logged = found if isinstance(found, tuple) else (found, {"loss": found.item()})
        optimizer_step(optimizer, value, grad_clip=grad_clip)
        tracker.log(**logged)
        if after_step is not None and after_step():
            return


def train(
    model: nn.Module,
    recipe: Recipe,
    images: Tensor,
    labels: Tensor,
    rows: Tensor,
    *,
    seed: int,
    tracker: Tracker,
    state: TrainingState | None = None,
    after_epoch: Callable[[TrainingState], None] = lambda state: None,
) -> None:
    """Train `model` in place on the chosen rows.

    images (N, H, W, C) uint8, labels (N,) int64 and rows (n,) int64 are on the model's device. Every epoch has its own
    random stream, so training resumed from `state` (as passed to `after_epoch`) ends with the same bits as
    uninterrupted training. Raises DivergedError if the loss is not finite.
    """
    device = images.device
    steps = steps_in_epoch(len(rows), recipe.batch, drop_last=True)
    optimizer = _optimizer(model, recipe)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.peak, recipe.epochs * steps, pct_start=recipe.warm_up, cycle_momentum=False
    )
    done = 0
    if state is not None:
        done = state["epochs"]
        model.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
    model.train()
    tracker.plan(train=recipe.epochs * steps)
    tracker.phase("train", done=done * steps)
    for number in range(done, recipe.epochs):
        batches = epoch_batches(
            images,
            labels,
            rows,
            batch_size=recipe.batch,
            generator=random_generator(seed, "epoch", number),
            augment=recipe.augment == "crop and flip",
            drop_last=True,
        )
        loss, total = torch.zeros((), device=device), torch.zeros((), device=device)
        # Random draws inside the model (dropout) have their own stream for each epoch too.
        with seeded(seed, "noise", number, device=device):
            for inputs, targets in tracker.iterate(batches):
                with autocast(device):
                    loss = F.cross_entropy(model(inputs), targets, label_smoothing=recipe.label_smoothing)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.detach()
        if not torch.isfinite(loss):
            raise DivergedError(f"The loss became {loss.item()} in epoch {number + 1}: try a lower peak learning rate.")
        tracker.log(loss=loss.item())
        after_epoch(
            {
                "epochs": number + 1,
                "net": model.state_dict(),
                "optimiser": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "loss": total.item() / steps,
            }
        )


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(model.parameters(), recipe.peak, weight_decay=recipe.weight_decay)
    return torch.optim.SGD(
        model.parameters(), recipe.peak, recipe.momentum, weight_decay=recipe.weight_decay, nesterov=True
    )
