"""A small vision transformer for small images: timm's, with patches of 4 pixels."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models.torchvision_stem import with_normalization

PATCH, WIDTH, DEPTH, HEADS = 4, 192, 6, 3

CARD = ArchitectureCard(
    id="vit_tiny",
    title="ViT, patch 4",
    summary="A vision transformer with 2.7 million weights that reads an image as patches of 4 pixels. It has no "
    "built-in notion of neighbourhood, so it needs many images.",
    weights=2_684_362,
    roles=LayerRoles(
        layers=("net.patch_embed", *(f"net.blocks.{block}" for block in range(DEPTH)), "net.norm", "net.head"),
        head=("net.head",),
        shortcuts=(),
        # The head uses only the class token: behind the last attention the patches do not affect the logits.
        cam=f"net.blocks.{DEPTH - 1}.norm1",
        maps=("net.patch_embed", *(f"net.blocks.{block}" for block in range(DEPTH - 1))),
        prefix_tokens=1,
    ),
    recipe=Recipe(epochs=60, batch=128, peak=1e-3, weight_decay=0.05, optimiser="adamw"),
    smallest=16,
    source="Dosovitskiy et al., An Image Is Worth 16x16 Words, 2021; the width and heads are those of ViT-Ti in "
    "Touvron et al. 2021, at half its depth and with smaller patches. The model is timm's VisionTransformer.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A transformer for images of exactly this size. Raises NotSupportedError if patches do not tile them."""
    from timm.models.vision_transformer import VisionTransformer

    if size % PATCH:
        raise NotSupportedError(
            f"{CARD.title} cuts images into squares of {PATCH} pixels, and {size} is not a multiple of that. "
            "Choose images of another size or another architecture."
        )
    model = VisionTransformer(
        img_size=size, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS, num_classes=classes
    )
    for block in model.blocks:
        # The fused attention does not support per-image gradients of a batch, which L2UL and Fisher need.
        block.attn.fused_attn = False  # pyright: ignore[reportAttributeAccessIssue, reportArgumentType]
    return with_normalization(normalize, model)
