"""DenseNet-121 for small images: torchvision's, with a stem of one 3x3 convolution."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models.torchvision_stem import with_normalization

WIDTH = 64
"""Channels of the first convolution: twice the growth rate."""
STEM = ("norm0", "relu0", "pool0")
"""What torchvision has between the first convolution and the first block."""

CARD = ArchitectureCard(
    id="densenet121",
    title="DenseNet-121",
    summary="A network with 121 layers and 7 million weights, in which each layer reads all earlier ones of its block, "
    "and a stem for 32 pixels. Meant for a GPU.",
    weights=6_956_298,
    roles=LayerRoles(
        layers=(
            "net.features.conv0",
            *(f"net.features.{part}{number}" for number in (1, 2, 3) for part in ("denseblock", "transition")),
            "net.features.denseblock4",
            "net.features.norm5",
            "net.classifier",
        ),
        head=("net.classifier",),
        shortcuts=(),  # A block passes on its input unchanged, beside what it adds.
        cam="net.features.norm5",
    ),
    recipe=Recipe(epochs=30, batch=128, peak=0.1),
    smallest=16,
    source="Huang et al., Densely Connected Convolutional Networks, 2017, table 1; torchvision's densenet121 with the "
    "stem of section 3 for small images: one 3x3 convolution of stride 1, and no norm or max-pool behind it.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A DenseNet-121; it averages over all places at the end, so any size works."""
    from torchvision.models import densenet121

    model = densenet121(num_classes=classes)
    model.features.conv0 = nn.Conv2d(3, WIDTH, 3, 1, 1, bias=False)
    nn.init.kaiming_normal_(model.features.conv0.weight)
    for part in STEM:
        delattr(model.features, part)
    return with_normalization(normalize, model)
