"""A small multi-layer perceptron with two hidden layers, for points in the plane and other tiny images.

Its hidden layers are convolutions whose kernel covers the whole image: they compute the same as linear layers, and
methods that need convolutional weights find them.
"""

import torch
from torch import Tensor, nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.recipe import Recipe

WIDTH = 48

CARD = ArchitectureCard(
    id="mlp",
    title="MLP",
    summary="A multi-layer perceptron with two hidden layers: for points in the plane, trained in a second.",
    weights=3_034,
    # Its layers have no places, so there is nothing for a heat map to show.
    roles=LayerRoles(layers=("first", "second", "head"), head=("head",), shortcuts=(), cam=None),
    recipe=Recipe(epochs=60, batch=64, peak=0.2, augment="none"),
    smallest=1,
    source="Rumelhart, Hinton and Williams, Learning Representations by Back-Propagating Errors, 1986; with ReLU.",
)


class Mlp(nn.Module):
    """Images (N, 3, H, W) float in [0, 1] to logits (N, classes), over two layers of 48."""

    def __init__(self, classes: int, size: int, normalize: nn.Module) -> None:
        super().__init__()
        self.normalise = normalize
        self.first = nn.Sequential(nn.Conv2d(3, WIDTH, size), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(WIDTH, WIDTH, 1), nn.ReLU())
        self.head = nn.Linear(WIDTH, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(self.second(self.first(self.normalise(x))), 1))


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """An MLP for images of exactly this size."""
    return Mlp(classes, size, normalize)
