"""Optimiser steps, learning rate decay and train mode, the same for every method."""

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from unlearn_core.domain.errors import DivergedError


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


def set_linear_lr(optimizer: Optimizer, lr: float, *, step: int, steps: int) -> None:
    """Set the learning rate of this step (0 is the first) by linear decay from `lr` to 0."""
    for group in optimizer.param_groups:
        group["lr"] = lr * (1 - step / steps)


def train_mode(model: nn.Module, *, freeze_batchnorm: bool = False) -> None:
    """Put the model into train mode; `freeze_batchnorm` keeps the running statistics of every batch norm."""
    model.train()
    if freeze_batchnorm:
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
