"""Adapt torchvision's models: a normalising layer in front, and a stem for small images."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from torch import nn

from unlearn_core.domain.cards import LayerRoles

if TYPE_CHECKING:
    from torchvision.models import ResNet

WIDTH = 64
"""Channels of the first convolution of a ResNet."""


def with_normalization(normalize: nn.Module, model: nn.Module) -> nn.Module:
    """A model that takes pixels in [0, 1]: "normalise", then the unchanged library's model under the name "net"."""
    return nn.Sequential(OrderedDict(normalise=normalize, net=model))


def with_small_stem(model: "ResNet") -> nn.Module:
    """The ResNet with a 3x3 convolution of stride 1 and no pooling in front, as is common at 32 pixels.

    The usual 7x7 stem shrinks an image by four, which is too much for a small one. Source: He et al. 2016, section
    4.2, have such a stem for CIFAR-10.
    """
    model.conv1 = nn.Conv2d(3, WIDTH, 3, 1, 1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.maxpool = nn.Identity()  # pyright: ignore[reportAttributeAccessIssue]
    return model


def resnet_roles(*blocks: int, cam: str, shortcuts: int = 2) -> LayerRoles:
    """The layer roles of one of torchvision's ResNets, with so many blocks in each of its four stages.

    `shortcuts` is the first stage whose first block has a projection: 1 if blocks widen their input.
    """
    stages = [f"net.layer{stage}.{block}" for stage, count in enumerate(blocks, 1) for block in range(count)]
    return LayerRoles(
        layers=("net.conv1", "net.bn1", *stages, "net.fc"),
        head=("net.fc",),
        shortcuts=tuple(f"net.layer{stage}.0.downsample" for stage in range(shortcuts, 5)),
        cam=cam,
    )
