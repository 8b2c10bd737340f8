"""MobileNetV2 for small images: torchvision's, with a first convolution of stride 1."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models.torchvision_stem import with_normalization

BLOCKS = 19
"""The first convolution, seventeen blocks, and the last convolution."""

CARD = ArchitectureCard(
    id="mobilenet_v2",
    title="MobileNetV2",
    summary="A network for phones with 2.2 million weights: depthwise convolutions, and dropout before the head.",
    weights=2_236_682,
    roles=LayerRoles(
        layers=(*(f"net.features.{block}" for block in range(BLOCKS)), "net.classifier.1"),
        head=("net.classifier.1",),
        shortcuts=(),  # Its shortcuts pass on a block's input unchanged.
        cam="net.features.13",  # The last of 4x4 places at 32 pixels; those behind it have 2x2.
    ),
    recipe=Recipe(epochs=40, batch=128, peak=0.1),
    smallest=32,
    source="Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018, table 2; torchvision's "
    "mobilenet_v2, whose first convolution here has stride 1.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A MobileNetV2; it averages over all places at the end, so any size works."""
    from torchvision.models import mobilenet_v2

    model = mobilenet_v2(num_classes=classes)
    model.features[0][0].stride = (1, 1)  # pyright: ignore[reportIndexIssue]
    return with_normalization(normalize, model)
