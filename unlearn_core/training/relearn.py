"""Relearning: fine-tune a copy of a model on forget images and record its accuracy after certain steps."""

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.results.relearn_protocol import EVAL_STEPS, LAST_STEP, RelearnProtocol
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import to_floats
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.optim import optimizer_step
from unlearn_core.training.precision import autocast
from unlearn_core.training.seeding import random_generator


class EvalSet(NamedTuple):
    """Float images (n, 3, H, W) in [0, 1] and labels (n,) for evaluation only."""

    images: Tensor
    labels: Tensor


def relearn_batches(
    forget: Tensor, retain: Tensor, *, protocol: RelearnProtocol, num_taught: int, seed: int, draw: int
) -> list[Tensor]:
    """The batches of one repetition, as rows (b,) int64: the same for every model.

    `num_taught` images of `forget` (n,) are used repeatedly, shuffled again in each pass, together with images of
    `retain` (m,). If there are fewer than half a batch, each batch contains all of them once.
    """
    chance = random_generator(seed, "relearn", draw)
    chosen = forget[torch.randperm(len(forget), generator=chance)[:num_taught].to(forget.device)]
    own = min(protocol.half, len(chosen))
    passes = [torch.randperm(len(chosen), generator=chance) for _ in range(-(-LAST_STEP * own // len(chosen)))]
    order = chosen[torch.cat(passes).to(forget.device)]
    return [
        torch.cat([order[step * own : (step + 1) * own], _some(retain, protocol.half, chance)])
        for step in range(LAST_STEP)
    ]


def relearn(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    batches: Sequence[Tensor],
    *,
    eval_sets: Sequence[EvalSet],
    protocol: RelearnProtocol,
    tracker: Tracker,
) -> np.ndarray:
    """A copy's accuracy on each evaluation set after EVAL_STEPS: (sets, len(EVAL_STEPS)), 0 to 1.

    images (N, H, W, 3) uint8 and labels (N,) int64 are those of the whole data set. Plain SGD on cross-entropy without
    augmentation and weight decay; batch norm in train mode. Evaluation is in eval mode and float32. Raises
    DivergedError if the loss is not finite.
    """
    copy = deepcopy(model).requires_grad_(True)
    optimizer = torch.optim.SGD(copy.parameters(), protocol.lr, protocol.momentum)
    found = [[accuracy(copy, *group) for group in eval_sets]]
    for step, rows in enumerate(tracker.iterate(batches), 1):
        copy.train()
        with autocast(images.device):
            loss = F.cross_entropy(copy(to_floats(images[rows])), labels[rows])
        optimizer_step(optimizer, loss)
        if step in EVAL_STEPS:
            found.append([accuracy(copy, *group) for group in eval_sets])
    return np.array(found, np.float32).T


def _some(rows: Tensor, count: int, chance: torch.Generator) -> Tensor:
    return rows[torch.randint(len(rows), (count,), generator=chance).to(rows.device)]
