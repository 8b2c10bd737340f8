"""ResNet-56 with projection shortcuts (He et al. 2016, section 4.2)."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import small_resnet

CARD = ArchitectureCard(
    id="resnet56",
    title="ResNet-56",
    summary="A residual network with 56 layers and 860,000 weights, with projection shortcuts.",
    weights=855_770,
    roles=small_resnet.layer_roles(9),
    recipe=Recipe(epochs=40, batch=128, peak=0.2),
    smallest=8,
    source="He et al., Deep Residual Learning for Image Recognition, 2016, section 4.2, with shortcuts of option B "
    "(section 4.1).",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A ResNet-56; it averages over all places at the end, so any size works."""
    return small_resnet.SmallResNet(classes, blocks=9, width=16, normalize=normalize)
