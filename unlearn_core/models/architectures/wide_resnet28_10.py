"""WideResNet-28-10: few layers, ten times as wide as those of a ResNet for small images."""

from torch import Tensor, nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.recipe import Recipe

BLOCKS, WIDTHS = 4, (16, 160, 320, 640)
STAGES = ("block1", "block2", "block3")
PLACES = ("conv1", *(f"{stage}.{block}" for stage in STAGES for block in range(BLOCKS)))

CARD = ArchitectureCard(
    id="wide_resnet28_10",
    title="WideResNet-28-10",
    summary="A residual network with 28 layers, ten times as wide as usual, and 36 million weights. Meant for a GPU.",
    weights=36_479_194,
    roles=LayerRoles(
        layers=(*PLACES, "bn1", "fc"),
        head=("fc",),
        shortcuts=tuple(f"{stage}.0.shortcut" for stage in STAGES),
        cam="relu",
        maps=(*PLACES, "relu"),
    ),
    recipe=Recipe(epochs=30, batch=128, peak=0.1),
    smallest=8,
    source="Zagoruyko and Komodakis, Wide Residual Networks, 2016, table 1 and section 3 (WRN-28-10), without dropout.",
)


class WideBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, each behind batch norm and ReLU.

    Where the shape changes, the shortcut is a 1x1 projection, behind the first of these, too. No ReLU works in place,
    because Grad-CAM holds a view of a block's output.
    """

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(width_in)
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.shortcut = None if width_in == width else nn.Conv2d(width_in, width, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(x).relu()
        beside = x if self.shortcut is None else self.shortcut(y)
        return self.conv2(self.bn2(self.conv1(y)).relu()) + beside


class WideResNet(nn.Module):
    """Images (N, 3, H, W) float in [0, 1] to logits (N, classes): three stages of four blocks."""

    def __init__(self, classes: int, normalize: nn.Module) -> None:
        super().__init__()
        self.normalise = normalize
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, 1, 1, bias=False)
        self.block1 = _stage(WIDTHS[0], WIDTHS[1], 1)
        self.block2 = _stage(WIDTHS[1], WIDTHS[2], 2)
        self.block3 = _stage(WIDTHS[2], WIDTHS[3], 2)
        self.bn1 = nn.BatchNorm2d(WIDTHS[3])
        self.relu = nn.ReLU()
        self.fc = nn.Linear(WIDTHS[3], classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = self.block3(self.block2(self.block1(self.conv1(self.normalise(x)))))
        return self.fc(self.relu(self.bn1(x)).mean((2, 3)))


def build(classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A WideResNet; it averages over all places at the end, so any size works."""
    return WideResNet(classes, normalize)


def _stage(width_in: int, width: int, stride: int) -> nn.Sequential:
    return nn.Sequential(WideBlock(width_in, width, stride), *(WideBlock(width, width, 1) for _ in range(BLOCKS - 1)))
