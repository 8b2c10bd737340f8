"""ResNet-18 for small images: torchvision's, with a stem of one 3x3 convolution."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models.torchvision_stem import resnet_roles, with_normalization, with_small_stem

CARD = ArchitectureCard(
    id="resnet18",
    title="ResNet-18",
    summary="A residual network with 18 layers and 11 million weights, and a stem for 32 pixels. Slow without a GPU.",
    weights=11_173_962,
    roles=resnet_roles(2, 2, 2, 2, cam="net.layer4.1"),
    recipe=Recipe(epochs=30, batch=128, peak=0.1),
    smallest=16,
    source="He et al., Deep Residual Learning for Image Recognition, 2016, table 1; torchvision's resnet18 with a 3x3 "
    "convolution of stride 1 and no max-pool in front.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A ResNet-18; it averages over all places at the end, so any size works."""
    from torchvision.models import resnet18

    return with_normalization(normalize, with_small_stem(resnet18(num_classes=classes)))
