"""ResNet-18 exactly as in torchvision, also for small images, as in the experiments of UNSIR."""

from torch import nn

from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models.torchvision_stem import resnet_roles, with_normalization

ROLES = resnet_roles(2, 2, 2, 2, cam="net.layer2.1")
"""At 32 pixels the stages end in 8, 4, 2 and 1 places per side: the third has few to compare, the last only one."""

CARD = ArchitectureCard(
    id="resnet18_torchvision",
    title="ResNet-18, torchvision's own",
    summary="ResNet-18 with the stem for 224 pixels: fast at 32 pixels, but weaker, because the stem shrinks an "
    "image by four.",
    weights=11_181_642,
    roles=ROLES.model_copy(update={"maps": tuple(name for name in ROLES.layers if "layer4" not in name)[:-1]}),
    recipe=Recipe(epochs=40, batch=256, peak=0.01, weight_decay=1e-4, augment="none", optimiser="adamw"),
    smallest=32,
    source="torchvision's resnet18 (He et al. 2016, table 1), as Tarun et al., Fast Yet Effective Machine Unlearning, "
    "2023, use it at 32 pixels. Their recipe is Adam at 0.01, reduced on plateaus; here the rate rises and falls once.",
)


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A ResNet-18; it averages over all places at the end, so any size from 32 pixels works."""
    from torchvision.models import resnet18

    return with_normalization(normalize, resnet18(num_classes=classes))
