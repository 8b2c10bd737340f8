"""Normalise: the first layer of every classifier, so that pixels, eps and sigma are in [0, 1] everywhere."""

import torch
from torch import Tensor, nn


class Normalize(nn.Module):
    """Subtracts the mean and divides by the standard deviation of each colour channel.

    Both are constants of the card, not state: they are not in the state dict.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def set_constants(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        """Use other constants from now on."""
        self.mean.copy_(torch.tensor(mean).view(1, -1, 1, 1))
        self.std.copy_(torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std
