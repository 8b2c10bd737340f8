"""One match of a file's tensors with an architecture's, and the weights that follow from it."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from unlearn_core.domain.results.checkpoint import BY_ORDER, ShapeMismatch
from unlearn_core.models import small_resnet
from unlearn_core.models.matching.layer_order import match_by_order
from unlearn_core.models.matching.target import Shape, Shapes, Target, is_weight


class StateDictMatch(NamedTuple):
    """Which of a file's tensors is which of the architecture's, and which names of either side have no partner."""

    target: Target
    sources: Mapping[str, tuple[str, ...]]
    """The file's tensors by those of the architecture; several are joined along their first dimension; none: zeros."""
    how: str
    """By which spelling the names match, or by order and shape."""
    missing: Sequence[str]
    shape_mismatches: Sequence[ShapeMismatch]
    leftover: Sequence[str]
    """The file's tensors that found no place, in the order of the file."""
    channels: Mapping[str, Sequence[int]] = {}
    """For tensors whose channels are in another order in the file: the place of each of ours among theirs."""
    zeros_last: bool = False
    """Whether the file's model pads its shortcuts with zeros after the channels, not on either side as ours do."""

    @property
    def complete(self) -> bool:
        """Whether the file has every weight of the architecture; it may have others."""
        return not self.missing and not self.shape_mismatches

    @property
    def is_larger(self) -> bool:
        """Whether the file is a larger model: it has further layers like those that found a place, or these have more.

        Layers have more if they have a weight or bias that the architecture's do not.
        """
        placed = [name for names in self.sources.values() for name in names]
        known, modules = set(map(_without_numbers, placed)), {_module(name) for name in placed} - {""}
        return any(_without_numbers(name) in known or _module(name) in modules for name in self.leftover)

    def head_mismatches(self, classes: int) -> list[ShapeMismatch]:
        """The tensors of the head whose shape is another one with so many classes."""
        right = self.target.with_classes(classes).shapes
        return [
            ShapeMismatch(name, list(right[name]), list(self.target.shapes[name]))
            for name in self.target.head
            if right[name] != self.target.shapes[name]
        ]

    def state(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The architecture's state dict from the file's tensors.

        A first convolution over one channel is repeated over three and divided by three: on grey images, whose three
        channels are equal, it gives the same.
        """
        found = {}
        for name, parts in self.sources.items():
            values = [tensors[part] for part in parts] or [torch.zeros(self.target.shapes[name])]
            value = (torch.cat(values) if len(values) > 1 else values[0]).reshape(self.target.shapes[name])
            if name in self.channels:
                value = value.index_select(min(1, value.ndim - 1), torch.tensor(self.channels[name]))
            found[name] = value.float().repeat(1, 3, 1, 1) / 3 if name == self.target.one_channel else value
        return small_resnet.reorder_channels(found) if self.zeros_last else found


def match_spelled(
    target: Target, file: Shapes, spelled: Mapping[str, tuple[str, ...]], ours: Mapping[str, tuple[str, ...]], how: str
) -> StateDictMatch:
    """Match tensors that have the same spelling; `spelled` and `ours` are the names of both sides by spelling."""
    sources: dict[str, tuple[str, ...]] = {}
    missing, mismatches = [], []
    for spelling, (name,) in ours.items():
        parts = spelled.get(spelling)
        if parts is None:
            if _is_zero_bias(name, spelling, target, spelled):
                sources[name] = ()
            elif is_weight(name):
                missing.append(name)
            continue
        shape = _joined([file[part] for part in parts])
        if shape is not None and _is_same(shape, target.shapes[name]):
            sources[name] = parts
        elif is_weight(name):
            mismatches.append(ShapeMismatch(name, list(target.shapes[name]), list(shape or file[parts[0]])))
    paired = {part for spelling in ours for part in spelled.get(spelling, ())}
    leftover = [name for name in file if name not in paired and is_weight(name)]
    return StateDictMatch(target, sources, how, missing, mismatches, leftover)


def match_order(target: Target, file: Shapes) -> list[StateDictMatch]:
    """Every way in which all layers of both match by order and shape, the most reliable one first."""
    return [
        StateDictMatch(target, {ours: (theirs,) for ours, theirs in pairs.items()}, BY_ORDER, (), (), ())
        for pairs in match_by_order(file, target.shapes)
    ]


def _is_zero_bias(name: str, spelling: str, target: Target, spelled: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether this is the bias of a convolution or linear layer that has none in the file: the same as one of zeros."""
    weight = target.shapes.get(f"{name.removesuffix('bias')}weight", ())
    return name.endswith(".bias") and len(weight) > 1 and f"{spelling.removesuffix('bias')}weight" in spelled


def _joined(shapes: Sequence[Shape]) -> Shape | None:
    """The shape of tensors joined along their first dimension; None if they do not fit together."""
    first = shapes[0]
    if len(shapes) == 1:
        return first
    if not all(shape and shape[1:] == first[1:] for shape in shapes):
        return None
    return (sum(shape[0] for shape in shapes), *first[1:])


def _is_same(shape: Shape, ours: Shape) -> bool:
    """Whether the shapes are equal but for ones at the end: a 1x1 convolution is a linear layer."""
    return _without_ones(shape) == _without_ones(ours)


def _without_ones(shape: Shape) -> Shape:
    while shape[-1:] == (1,):
        shape = shape[:-1]
    return shape


def _module(name: str) -> str:
    """The layer of a weight or bias; "" for other tensors, which may be parameters of the whole model."""
    module, _, leaf = name.rpartition(".")
    return module if leaf in ("weight", "bias") else ""


def _without_numbers(name: str) -> str:
    return re.sub(r"\d+", "#", name)
