"""ResNet-110 with projection shortcuts (He et al. 2016, section 4.2)."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import small_resnet

CARD = ArchitectureCard(
    id="resnet110",
    title="ResNet-110",
    summary="A residual network with 110 layers and 1.7 million weights, with projection shortcuts. Slow without a "
    "GPU.",
    weights=1_730_714,
    roles=small_resnet.layer_roles(18),
    recipe=Recipe(epochs=40, batch=128, peak=0.1),
    smallest=8,
    source="He et al., Deep Residual Learning for Image Recognition, 2016, section 4.2, with shortcuts of option B "
    "(section 4.1).",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A ResNet-110; it averages over all places at the end, so any size works."""
    return small_resnet.SmallResNet(classes, blocks=18, width=16, normalize=normalize)
