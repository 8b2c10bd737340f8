"""VGG-16 with batch norm and all five max-pools, as most public checkpoints for CIFAR-10 have it."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models.architectures import vgg16_bn

CARD = ArchitectureCard(
    id="vgg16_bn_maxpool",
    title="VGG-16-BN, five max-pools",
    summary="VGG-16-BN with the last max-pool of the original, and 15 million weights: the same tensors, but other "
    "outputs. Slow without a GPU.",
    weights=14_728_266,
    roles=vgg16_bn.CARD.roles,
    recipe=Recipe(epochs=40, batch=128, peak=0.1),
    smallest=32,
    source="Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2015, table 1, "
    "configuration D, with batch norm and one linear layer, as in Liu's pytorch-cifar.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A VGG-16; it averages over all places at the end, so any size from 32 pixels works."""
    return vgg16_bn.Vgg(classes, normalize, max_pool=True)
