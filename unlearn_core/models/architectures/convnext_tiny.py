"""ConvNeXt-T for small images: torchvision's, with patches of 2 pixels."""

from collections.abc import Iterator

from torch import Tensor, nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models.torchvision_stem import with_normalization

WIDTH, PATCH = 96, 2
BLOCKS = (3, 3, 9, 3)


def _places() -> Iterator[str]:
    """The layers with places, in order: for each stage the patches or their merging, and its blocks."""
    for stage, count in enumerate(BLOCKS):
        yield f"net.features.{2 * stage}"
        yield from (f"net.features.{2 * stage + 1}.{block}" for block in range(count))


PLACES = tuple(_places())

CARD = ArchitectureCard(
    id="convnext_tiny",
    title="ConvNeXt-T",
    summary="A convolutional network made like a transformer, with 18 blocks, 28 million weights and patches of 2 "
    "pixels. It needs many images. Meant for a GPU.",
    weights=27_824_362,
    roles=LayerRoles(
        layers=(*PLACES, "net.classifier.0", "net.classifier.2"),
        head=("net.classifier.2",),
        shortcuts=(),
        cam="net.features.5.8",  # The last of 4x4 places at 32 pixels; those behind it have 2x2.
        maps=PLACES,
    ),
    recipe=Recipe(epochs=60, batch=128, peak=1e-3, weight_decay=0.05, optimiser="adamw"),
    smallest=32,
    source="Liu et al., A ConvNet for the 2020s, 2022, table 9; torchvision's convnext_tiny, whose first convolution "
    "here has 2x2 pixels and stride 2.",
)


class MeanOverPlaces(nn.Module):
    """Feature maps (N, C, H, W) to (N, C, 1, 1): the same as average pooling, with gradients of single images."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A ConvNeXt-T; it averages over all places at the end, so any size works."""
    from torchvision.models import convnext_tiny

    model = convnext_tiny(num_classes=classes)
    model.features[0][0] = nn.Conv2d(3, WIDTH, PATCH, PATCH)  # pyright: ignore[reportIndexIssue]
    # L2UL and Fisher need per-image gradients of a batch, which PyTorch's pooling computes one by one here.
    model.avgpool = MeanOverPlaces()  # pyright: ignore[reportAttributeAccessIssue]
    return with_normalization(normalize, model)
