"""All-CNN-C as used in unlearning research: only convolutions, each with batch norm, and a linear head."""

from itertools import starmap

from torch import Tensor, nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.recipe import Recipe

SHAPES = ((96, 3, 1), (96, 3, 1), (192, 3, 2), (192, 3, 1), (192, 3, 1), (192, 3, 2), (192, 3, 1), (192, 1, 1))
"""Channels, kernel size and stride of each convolution."""

CARD = ArchitectureCard(
    id="all_cnn",
    title="All-CNN",
    summary="Eight convolutions in a row and 1.6 million weights: no pooling, no shortcuts.",
    weights=1_620_010,
    roles=LayerRoles(
        layers=(*(f"features.{place}" for place in range(len(SHAPES))), "head"),
        head=("head",),
        shortcuts=(),
        cam=f"features.{len(SHAPES) - 1}",
    ),
    recipe=Recipe(epochs=40, batch=128, peak=0.1),
    smallest=8,
    source="Springenberg et al., Striving for Simplicity: The All Convolutional Net, 2015, model C, with the changes "
    "of Golatkar et al. 2020, whose code SCRUB, Bad Teacher and Boundary Unlearning took over: batch norm instead of "
    "dropout, 192 channels from the first stride on, and a linear head behind the mean over all places.",
)


class AllCnn(nn.Module):
    """Images (N, 3, H, W) float in [0, 1] to logits (N, classes)."""

    def __init__(self, classes: int, normalize: nn.Module) -> None:
        super().__init__()
        self.normalise = normalize
        widths = (3, *(width for width, _, _ in SHAPES))
        self.features = nn.Sequential(*starmap(_layer, zip(widths, SHAPES, strict=False)))
        self.head = nn.Linear(SHAPES[-1][0], classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(self.normalise(x)).mean((2, 3)))


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """An All-CNN; it averages over all places at the end, so any size works."""
    return AllCnn(classes, normalize)


def _layer(width_in: int, shape: tuple[int, int, int]) -> nn.Module:
    width, side, stride = shape
    convolution = nn.Conv2d(width_in, width, side, stride, side // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU())
