"""A convolutional network of four layers, one of them a 1x1 projection shortcut."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.recipe import Recipe

CARD = ArchitectureCard(
    id="tiny",
    title="Tiny",
    summary="Small enough for tests.",
    weights=1_370,
    roles=LayerRoles(layers=("stem", "body", "shortcut", "head"), head=("head",), shortcuts=("shortcut",), cam="body"),
    recipe=Recipe(epochs=4, batch=32, peak=0.1, augment="none"),
    smallest=8,
    source="Drawn up for the tests.",
)


class Tiny(nn.Module):
    def __init__(self, classes: int, normalize: nn.Module) -> None:
        super().__init__()
        self.normalise = normalize
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.body = nn.Sequential(nn.Conv2d(8, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.shortcut = nn.Sequential(nn.Conv2d(8, 12, 1, 2, bias=False), nn.BatchNorm2d(12))
        self.head = nn.Linear(12, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(self.normalise(x))
        return self.head(torch.mean(F.relu(self.body(x) + self.shortcut(x)), dim=(2, 3)))


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    return Tiny(classes, normalize)
