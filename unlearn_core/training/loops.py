"""The one loop that trains a classifier from nothing: the originals, the golds and everything that retrains."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.errors import Diverged
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import epoch, steps_in_epoch
from unlearn_core.training.precision import fast
from unlearn_core.training.seeding import seeded, stream

State = dict[str, Any]
"""What a training needs to go on bit-equal: epochs done, weights, optimiser, schedule; and the epoch's mean loss."""


def train(
    net: nn.Module,
    recipe: Recipe,
    images: Tensor,
    labels: Tensor,
    rows: Tensor,
    *,
    seed: int,
    track: Tracker,
    state: State | None = None,
    after_epoch: Callable[[State], None] = lambda state: None,
) -> None:
    """Trains `net` in place on the chosen rows.

    images (N, H, W, C) uint8, labels (N,) int64 and rows (n,) int64 lie on the net's device. Every epoch has a random
    stream of its own, so a training that goes on from `state` (as `after_epoch` was given it) ends with the same bits
    as one that was never interrupted. Raises Diverged where the loss is no longer a number.
    """
    device = images.device
    steps = steps_in_epoch(len(rows), recipe.batch, drop_last=True)
    optimiser = _optimiser(net, recipe)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.peak, recipe.epochs * steps, pct_start=recipe.warm_up, cycle_momentum=False
    )
    done = 0
    if state is not None:
        done = state["epochs"]
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
    net.train()
    track.plan(train=recipe.epochs * steps)
    track.phase("train", done=done * steps)
    for number in range(done, recipe.epochs):
        batches = epoch(
            images,
            labels,
            rows,
            batch=recipe.batch,
            generator=stream(seed, "epoch", number),
            augment=recipe.augment == "crop and flip",
            drop_last=True,
        )
        loss, total = torch.zeros((), device=device), torch.zeros((), device=device)
        # What nets draw by themselves (dropout) has a stream for each epoch too.
        with seeded(seed, "noise", number, device=device):
            for pictures, targets in track.over(batches):
                with fast(device):
                    loss = F.cross_entropy(net(pictures), targets, label_smoothing=recipe.label_smoothing)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                total += loss.detach()
        if not torch.isfinite(loss):
            raise Diverged(f"The loss became {loss.item()} in epoch {number + 1}: try a lower peak learning rate.")
        track.log(loss=loss.item())
        after_epoch(
            {
                "epochs": number + 1,
                "net": net.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "loss": total.item() / steps,
            }
        )


def _optimiser(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(net.parameters(), recipe.peak, weight_decay=recipe.weight_decay)
    return torch.optim.SGD(
        net.parameters(), recipe.peak, recipe.momentum, weight_decay=recipe.weight_decay, nesterov=True
    )
