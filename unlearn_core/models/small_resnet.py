"""Small residual networks for small images, used by several architectures in different sizes.

Source: He et al., Deep Residual Learning for Image Recognition, 2016, section 4.2: 6n + 2 layers in three stages, with
projection shortcuts (their option B) or the plain ones of that section (option A).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.cards import LayerRoles

STAGES = ("stage1", "stage2", "stage3")
MIN_CHANNELS = 16
"""From so many channels on, oneDNN's strided 1x1 convolutions are safe (see Projection)."""


class PadShortcut(nn.Module):
    """A shortcut without weights: the input at `stride`, with channels of zeros on either side."""

    def __init__(self, added: int, stride: int) -> None:
        super().__init__()
        self.added, self.stride = added, stride

    def forward(self, x: Tensor) -> Tensor:
        less = self.added // 2
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, less, self.added - less))


class Projection(nn.Conv2d):
    """A 1x1 convolution with a stride, without the crashes of oneDNN 3.12, which torch 2.14 contains.

    With fewer than 16 channels, its backward pass writes beyond its memory: in float32, and in bfloat16 if the batch is
    odd. There, the input is strided before the convolution, which is the same function.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name in torch.nn.Conv2d)
        if self.in_channels >= MIN_CHANNELS or input.device.type != "cpu" or not torch.is_grad_enabled():
            return super().forward(input)
        if torch.is_autocast_enabled("cpu") and input.shape[0] % 2 == 0:
            return super().forward(input)
        return F.conv2d(input[:, :, :: self.stride[0], :: self.stride[1]], self.weight)


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut; where the shape changes, it is a 1x1 projection, or `plain` padding.

    No ReLU here works in place, because Grad-CAM holds a view of a block's output.
    """

    def __init__(self, width_in: int, width: int, stride: int, *, plain: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        if width_in == width and stride == 1:
            self.shortcut = nn.Identity()
        elif plain:
            self.shortcut = PadShortcut(width - width_in, stride)
        else:
            self.shortcut = nn.Sequential(Projection(width_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class SmallResNet(nn.Module):
    """Images (N, 3, H, W) float in [0, 1] to logits (N, classes): three stages of equally many blocks.

    `width` is the number of channels of the first stage; each further stage has twice as many.
    """

    def __init__(self, classes: int, *, blocks: int, width: int, normalize: nn.Module, plain: bool = False) -> None:
        super().__init__()
        self.normalise = normalize
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.stage1 = _stage(width, width, 1, blocks, plain=plain)
        self.stage2 = _stage(width, 2 * width, 2, blocks, plain=plain)
        self.stage3 = _stage(2 * width, 4 * width, 2, blocks, plain=plain)
        self.head = nn.Linear(4 * width, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage3(self.stage2(self.stage1(self.stem(self.normalise(x)))))
        return self.head(torch.mean(x, dim=(2, 3)))


def layer_roles(blocks: int, *, plain: bool = False) -> LayerRoles:
    """The layer roles of a model with so many blocks per stage; plain shortcuts are not layers."""
    return LayerRoles(
        layers=("stem", *(f"{stage}.{block}" for stage in STAGES for block in range(blocks)), "head"),
        head=("head",),
        shortcuts=() if plain else ("stage2.0.shortcut", "stage3.0.shortcut"),
        cam=f"stage3.{blocks - 1}",
    )


def reorder_channels(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a model whose plain shortcuts put all zeros after the channels, for this one: the same function.

    Much code does so, and one order of channels is as good as another: those of each stage are moved to where the
    shortcuts here leave them.
    """
    order, moved = torch.arange(len(state["stem.0.weight"])), dict(state)
    for name, value in state.items():
        stage, _, rest = name.partition(".")
        if stage in STAGES[1:] and rest.startswith("0.conv1."):
            moved[name], order = value[:, order], _padded_order(order)
        elif rest.partition(".")[2].startswith("conv1."):
            moved[name] = value[:, order]
        elif rest.partition(".")[2].startswith(("conv2.", "norm2.")) and value.ndim:
            moved[name] = value[order]
    moved["head.weight"] = state["head.weight"][:, order]
    return moved


def _padded_order(order: Tensor) -> Tensor:
    """The order of channels after a shortcut that doubles them: half of the new ones before, half of them after."""
    new = torch.arange(len(order), 2 * len(order))
    half = len(order) // 2
    return torch.cat([new[:half], order, new[half:]])


def _stage(width_in: int, width: int, stride: int, blocks: int, *, plain: bool) -> nn.Sequential:
    first = Block(width_in, width, stride, plain=plain)
    return nn.Sequential(first, *(Block(width, width, 1) for _ in range(blocks - 1)))
