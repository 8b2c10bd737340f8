"""ResNet-20 with projection shortcuts (He et al. 2016, section 4.2)."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import small_resnet

CARD = ArchitectureCard(
    id="resnet20",
    title="ResNet-20",
    summary="A residual network with 20 layers and 275,000 weights, with projection shortcuts.",
    weights=272_474,
    roles=small_resnet.layer_roles(3),
    recipe=Recipe(epochs=40, batch=128, peak=0.3),
    smallest=8,
    source="He et al., Deep Residual Learning for Image Recognition, 2016, section 4.2.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A ResNet-20; it averages over all places at the end, so any size works."""
    return small_resnet.SmallResNet(classes, blocks=3, width=16, normalize=normalize)
