"""Swin-T for small images: timm's, with patches of 2 pixels and windows of 4x4 patches."""

from collections.abc import Iterator

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models.torchvision_stem import with_normalization

PATCH, WINDOW, WIDTH = 2, 4, 96
BLOCKS, HEADS = (2, 2, 6, 2), (3, 6, 12, 24)
DROP_PATH = 0.2
"""The share of blocks that are skipped in training (stochastic depth)."""


def _places() -> Iterator[str]:
    """The layers with places, in order: the patches, and for each stage their merging and its blocks."""
    yield "net.patch_embed"
    for stage, count in enumerate(BLOCKS):
        yield from [f"net.layers.{stage}.downsample"] if stage else []
        yield from (f"net.layers.{stage}.blocks.{block}" for block in range(count))
    yield "net.norm"


PLACES = tuple(_places())

CARD = ArchitectureCard(
    id="swin_tiny",
    title="Swin-T",
    summary="A transformer with 12 blocks and 28 million weights that compares patches of 2 pixels within shifted "
    "windows. It needs many images. Meant for a GPU.",
    weights=27_505_108,
    roles=LayerRoles(
        layers=(*PLACES, "net.head"),
        head=("net.head.fc",),
        shortcuts=(),
        cam="net.layers.2.blocks.5",  # The last of 4x4 places at 32 pixels; those behind it have 2x2.
        maps=PLACES,
    ),
    recipe=Recipe(epochs=60, batch=128, peak=1e-3, weight_decay=0.05, optimiser="adamw"),
    smallest=32,
    source="Liu et al., Swin Transformer: Hierarchical Vision Transformer Using Shifted Windows, 2021, section 3.3, "
    "Swin-T, with the stochastic depth of its appendix A2.1. The model is timm's SwinTransformer, with smaller patches "
    "and windows.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A Swin-T for images of exactly this size. Raises NotSupportedError if patches do not tile them."""
    from timm.models.swin_transformer import SwinTransformer

    if size % PATCH:
        raise NotSupportedError(
            f"{CARD.title} cuts images into squares of {PATCH} pixels, and {size} is not a multiple of that. "
            "Choose images of another size or another architecture."
        )
    model = SwinTransformer(
        img_size=size,
        patch_size=PATCH,
        window_size=WINDOW,
        embed_dim=WIDTH,
        depths=BLOCKS,
        num_heads=HEADS,
        drop_path_rate=DROP_PATH,
        num_classes=classes,
    )
    for part in model.modules():
        if hasattr(part, "fused_attn"):
            # The fused attention does not support per-image gradients of a batch, which L2UL and Fisher need.
            part.fused_attn = False  # pyright: ignore[reportAttributeAccessIssue, reportArgumentType]
    return with_normalization(normalize, model)
