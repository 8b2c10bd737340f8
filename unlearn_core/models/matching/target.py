"""What a checkpoint is matched with: names and shapes of an architecture's tensors, without their values."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import torch

from unlearn_core.models import architectures
from unlearn_core.models.normalize import Normalize
from unlearn_core.models.small_resnet import PadShortcut

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
"""Shapes by tensor name, in the order in which a file or a state dict has them."""

NOT_WEIGHTS = ("num_batches_tracked", "total_ops", "total_params", "position_ids", "relative_position_index")
"""The last parts of names on which no output depends: counters of batch norm and of profilers, and fixed indices."""


def is_weight(name: str) -> bool:
    """Whether outputs can depend on a tensor of this name."""
    return name.rpartition(".")[2] not in NOT_WEIGHTS


class Target(NamedTuple):
    """The tensors of an architecture for a number of classes and a size of images."""

    architecture: str
    title: str
    shapes: Shapes
    head: tuple[str, ...]
    """The tensors whose first dimension is the number of classes."""
    classes: int
    padded: bool = False
    """Whether its shortcuts pad with channels of zeros, for which there are two conventions."""
    one_channel: str | None = None
    """The weights of the first convolution, if it takes one channel instead of three."""

    @property
    def first_convolution(self) -> str | None:
        """The first weights of a convolution over three channels; None if there are none."""
        return next((name for name, shape in self.shapes.items() if len(shape) == 4 and shape[1] == 3), None)

    def with_classes(self, classes: int) -> "Target":
        """The same architecture with another number of outputs."""
        head = {name: (classes, *self.shapes[name][1:]) for name in self.head}
        return self._replace(shapes={**self.shapes, **head}, classes=classes)

    def with_one_channel(self) -> "Target":
        """The same architecture with a first convolution over one channel, if it has one over three."""
        first = self.first_convolution
        if first is None:
            return self
        width, _, *kernel = self.shapes[first]
        return self._replace(shapes={**self.shapes, first: (width, 1, *kernel)}, one_channel=first)


def build_target(architecture: str, classes: int, size: int) -> Target:
    """The tensors of one architecture, built without memory for weights.

    Raises NotFoundError, and NotSupportedError if it does not support images of this size.
    """
    card = architectures.card(architecture, size)
    shapes, padded = _shapes(architecture, classes, size)
    head = tuple(
        name
        for module in card.roles.head
        for name in (f"{module}.weight", f"{module}.bias")
        if name in shapes and shapes[name][0] == classes
    )
    return Target(architecture, card.title, shapes, head, classes, padded)


@cache
def _shapes(architecture: str, classes: int, size: int) -> tuple[Shapes, bool]:
    """The shapes of its tensors, and whether it has padded shortcuts."""
    with torch.device("meta"):
        model = architectures.build(architecture, classes, size, Normalize((0.5,) * 3, (0.25,) * 3))
    padded = any(isinstance(module, PadShortcut) for module in model.modules())
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}, padded
