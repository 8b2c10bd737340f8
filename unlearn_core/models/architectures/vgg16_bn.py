"""VGG-16 with batch norm as unlearning research uses it: a mean over all places and a linear head.

The names of its tensors are those of public code.
"""

from torch import Tensor, nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.recipe import Recipe

WIDTHS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512)
"""The channels of each convolution; 0 is a max-pool, which halves width and height."""


def _layer_roles() -> LayerRoles:
    """Each convolution and each norm is a layer; heat maps are of the ReLU behind them, where it has enough places."""
    convolutions, place = [], 0
    for width in WIDTHS:
        convolutions += [place] if width else []
        place += 3 if width else 1
    return LayerRoles(
        layers=(*(f"features.{place + part}" for place in convolutions for part in (0, 1)), "classifier"),
        head=("classifier",),
        shortcuts=(),
        cam=f"features.{convolutions[-4] + 2}",  # The last of 4x4 places at 32 pixels; those behind it have 2x2.
        maps=tuple(f"features.{place + 2}" for place in convolutions[:-3]),
    )


CARD = ArchitectureCard(
    id="vgg16_bn",
    title="VGG-16-BN",
    summary="Thirteen convolutions in a row with batch norm and 15 million weights: no shortcuts. Slow without a GPU.",
    weights=14_728_266,
    roles=_layer_roles(),
    recipe=Recipe(epochs=40, batch=128, peak=0.1),
    smallest=16,
    source="Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2015, table 1, "
    "configuration D, with the changes in the code of Jia et al. 2023 and of SalUn: batch norm, no fifth max-pool, and "
    "one linear layer behind the mean over all places.",
)


class Vgg(nn.Module):
    """Images (N, 3, H, W) float in [0, 1] to logits (N, classes): thirteen convolutions and a linear head.

    With `max_pool`, a fifth max-pool stands in front of the mean over all places. No ReLU works in place, because
    Grad-CAM holds a view of its output.
    """

    def __init__(self, classes: int, normalize: nn.Module, *, max_pool: bool = False) -> None:
        super().__init__()
        self.normalise = normalize
        layers: list[nn.Module] = []
        width_in = 3
        for width in (*WIDTHS, *([0] if max_pool else [])):
            layers += _convolution(width_in, width) if width else [nn.MaxPool2d(2)]
            width_in = width or width_in
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(width_in, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(self.normalise(x)).mean((2, 3)))


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A VGG-16; it averages over all places at the end, so any size works."""
    return Vgg(classes, normalize)


def _convolution(width_in: int, width: int) -> list[nn.Module]:
    convolution = nn.Conv2d(width_in, width, 3, padding=1)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return [convolution, nn.BatchNorm2d(width), nn.ReLU()]
