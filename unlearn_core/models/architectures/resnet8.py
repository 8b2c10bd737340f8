"""ResNet-8 of width 8: small enough to train a hundred models, which the challenge's score needs."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import small_resnet

CARD = ArchitectureCard(
    id="resnet8",
    title="ResNet-8",
    summary="A residual network with 8 layers and 20,000 weights: weak, but trained in half a minute.",
    weights=19_954,
    roles=small_resnet.layer_roles(1),
    recipe=Recipe(epochs=10, batch=128, peak=0.3),
    smallest=8,
    source="The smallest of the family in He et al., Deep Residual Learning for Image Recognition, 2016, section 4.2, "
    "at half its width.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A ResNet-8; it averages over all places at the end, so any size works."""
    return small_resnet.SmallResNet(classes, blocks=1, width=8, normalize=normalize)
