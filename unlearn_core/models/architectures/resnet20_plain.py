"""ResNet-20 as first published: shortcuts without weights (He et al. 2016, section 4.2)."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import small_resnet

CARD = ArchitectureCard(
    id="resnet20_plain",
    title="ResNet-20, plain shortcuts",
    summary="The original ResNet-20 for small images, with 270,000 weights: where the shape changes, a shortcut skips "
    "places and pads with zeros.",
    weights=269_722,
    roles=small_resnet.layer_roles(3, plain=True),
    recipe=Recipe(epochs=40, batch=128, peak=0.3),
    smallest=8,
    source="He et al., Deep Residual Learning for Image Recognition, 2016, section 4.2, with shortcuts of option A "
    "(section 4.1), which they use for CIFAR-10.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A ResNet-20; it averages over all places at the end, so any size works."""
    return small_resnet.SmallResNet(classes, blocks=3, width=16, normalize=normalize, plain=True)
