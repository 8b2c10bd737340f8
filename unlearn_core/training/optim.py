"""SGD, optimiser steps, learning rates and train mode, the same for every method."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from unlearn_core.domain.errors import DivergedError


class SgdHyperparameters(Protocol):
    """The hyperparameters of SGD, as most methods declare them."""

    @property
    def lr(self) -> float: ...

    @property
    def momentum(self) -> float: ...

    @property
    def weight_decay(self) -> float: ...


def sgd(model: nn.Module, params: SgdHyperparameters, *, nesterov: bool = False) -> torch.optim.SGD:
    """SGD on all parameters of the model.

    `nesterov` is for methods that continue the training by recipe, which uses it; without momentum it has no effect.
    """
    return torch.optim.SGD(
        model.parameters(),
        params.lr,
        params.momentum,
        weight_decay=params.weight_decay,
        nesterov=nesterov and params.momentum > 0,
    )


def optimizer_step(optimizer: Optimizer, loss: Tensor, *, grad_clip: float = 0.0) -> None:
    """One step on a scalar loss; gradients are clipped to `grad_clip` (L2 norm over all weights, 0 for none).

    Raises DivergedError, before any weight is changed, if the loss is not finite.
    """
    if not torch.isfinite(loss):
        raise DivergedError("The loss is no longer a number. Lower the learning rate and run again.")
    optimizer.zero_grad()
    loss.backward()
    if grad_clip:
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        nn.utils.clip_grad_norm_(weights, grad_clip)
    optimizer.step()
    for group in optimizer.param_groups:
        if group.get("fused"):  # It changes weights without counting a new version, by which changes are recognised.
            torch.autograd.graph.increment_version(group["params"])


def set_lr(optimizer: Optimizer, lr: float) -> None:
    """Set the learning rate of the next step."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def linear_schedule(lr: float, steps: int) -> Callable[[int], float]:
    """The learning rate of each step (0 is the first): linear decay from `lr`, which reaches 0 after the last step."""
    return lambda step: lr * (1 - step / steps)


def train_mode(model: nn.Module, *, freeze_batchnorm: bool = False) -> None:
    """Put the model into train mode; `freeze_batchnorm` keeps the running statistics of every batch norm."""
    model.train()
    if freeze_batchnorm:
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
