"""A small vision transformer for small pictures: timm's, with patches of 4 pixels."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models.torchvision_stem import with_normalization

PATCH, WIDTH, DEPTH, HEADS = 4, 192, 6, 3

CARD = ArchitectureCard(
    id="vit_tiny",
    title="ViT, patch 4",
    summary="A vision transformer of 2.7 million weights that reads a picture as patches of 4 pixels. It has no idea "
    "of neighbourhood to begin with, so it needs many pictures.",
    roles=LayerRoles(
        layers=("net.patch_embed", *(f"net.blocks.{block}" for block in range(DEPTH)), "net.norm", "net.head"),
        head=("net.head",),
        shortcuts=(),
        # The answer is read off the class token alone: behind the last attention no patch has a say in it any more.
        cam=f"net.blocks.{DEPTH - 1}.norm1",
        maps=("net.patch_embed", *(f"net.blocks.{block}" for block in range(DEPTH - 1))),
        prefix_tokens=1,
    ),
    recipe=Recipe(epochs=60, batch=128, peak=1e-3, weight_decay=0.05, optimiser="adamw"),
    smallest=16,
    source="Dosovitskiy et al., An Image Is Worth 16x16 Words, 2021; the width and heads are those of ViT-Ti in "
    "Touvron et al. 2021, at half its depth and with smaller patches. The net is timm's VisionTransformer.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A transformer for pictures of exactly this size. Raises NotSupported where patches do not tile them."""
    from timm.models.vision_transformer import VisionTransformer

    if size % PATCH:
        raise NotSupportedError(
            f"{CARD.title} cuts pictures into squares of {PATCH} pixels, and {size} pixels are no multiple of that. "
            "Choose pictures of another size or another architecture."
        )
    net = VisionTransformer(
        img_size=size, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS, num_classes=classes
    )
    for block in net.blocks:
        # The fused attention has no form for many pictures' own gradients at once, which L2UL and Fisher ask for.
        block.attn.fused_attn = False  # pyright: ignore[reportAttributeAccessIssue, reportArgumentType]
    return with_normalization(normalize, net)
