"""ResNet-32 with projection shortcuts (He et al. 2016, section 4.2)."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import small_resnet

CARD = ArchitectureCard(
    id="resnet32",
    title="ResNet-32",
    summary="A residual network with 32 layers and 470,000 weights, with projection shortcuts.",
    weights=466_906,
    roles=small_resnet.layer_roles(5),
    recipe=Recipe(epochs=40, batch=128, peak=0.2),
    smallest=8,
    source="He et al., Deep Residual Learning for Image Recognition, 2016, section 4.2, with shortcuts of option B "
    "(section 4.1).",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A ResNet-32; it averages over all places at the end, so any size works."""
    return small_resnet.SmallResNet(classes, blocks=5, width=16, normalize=normalize)
