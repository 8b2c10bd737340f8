"""One optimiser step and what goes with it, the same for every method."""

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from unlearn_core.domain.errors import Diverged


def descend(optimiser: Optimizer, loss: Tensor, *, clip: float = 0.0) -> None:
    """One step downhill on a scalar loss; gradients longer than `clip` (L2 over all weights, 0 for none) are shortened.

    Raises Diverged, before any weight is touched, where the loss is no longer a number.
    """
    if not torch.isfinite(loss):
        raise Diverged("The loss is no longer a number. Lower the learning rate and run again.")
    optimiser.zero_grad()
    loss.backward()
    if clip:
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        nn.utils.clip_grad_norm_(weights, clip)
    optimiser.step()


def fall(optimiser: Optimizer, rate: float, *, step: int, steps: int) -> None:
    """Sets the learning rate of this step (0 is the first) on a straight line from `rate` to 0."""
    for group in optimiser.param_groups:
        group["lr"] = rate * (1 - step / steps)


def train_mode(net: nn.Module, *, frozen_norm: bool = False) -> None:
    """Puts the net into train mode; `frozen_norm` leaves every batch norm on the statistics that it has."""
    net.train()
    if frozen_norm:
        for module in net.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
