"""ResNet-20 for 32-pixel pictures (He et al. 2016, section 4.2) with projection shortcuts, on the bundled sample."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.catalog.normalise import Normalise
from unlearn_core.domain.cards import ClassifierCard, LayerRoles
from unlearn_core.domain.recipes import Recipe

_STAGES = ("stage1", "stage2", "stage3")

CARD = ClassifierCard(
    id="resnet20",
    title="ResNet-20 · CIFAR-10 sample",
    summary="A residual net of 20 layers and 275,000 weights, small enough to be retrained here in minutes.",
    dataset="cifar10-sample",
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    roles=LayerRoles(
        layers=("stem", *(f"{stage}.{block}" for stage in _STAGES for block in range(3)), "head"),
        head=("head",),
        shortcuts=("stage2.0.shortcut", "stage3.0.shortcut"),
        cam="stage3.2",
    ),
    recipe=Recipe(epochs=40, batch=128, peak=0.3),
    seed=0,
    licence="MIT, as this project; trained on CIFAR-10 pictures (see the data set's terms).",
    source="Trained by `make bundle` on exactly the 10,000 training pictures of the bundled sample.",
)


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 projection where the shape changes.

    No ReLU here works in place: GradCAM keeps a view of what a block returns.
    """

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut = (
            nn.Identity()
            if width_in == width and stride == 1
            else nn.Sequential(nn.Conv2d(width_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet20(nn.Module):
    """Pictures (N, 3, 32, 32) float in [0, 1] to logits (N, 10); the normalisation is the first layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.normalise = Normalise(CARD.mean, CARD.std)
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.stage1 = nn.Sequential(_Block(16, 16, 1), _Block(16, 16, 1), _Block(16, 16, 1))
        self.stage2 = nn.Sequential(_Block(16, 32, 2), _Block(32, 32, 1), _Block(32, 32, 1))
        self.stage3 = nn.Sequential(_Block(32, 64, 2), _Block(64, 64, 1), _Block(64, 64, 1))
        self.head = nn.Linear(64, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage3(self.stage2(self.stage1(self.stem(self.normalise(x)))))
        return self.head(torch.mean(x, dim=(2, 3)))


def build(classes: int) -> nn.Module:
    """A ResNet-20 with fresh weights, drawn from torch's current random state."""
    return ResNet20(classes)
