"""The two orders in which code joins the channels of a DenseNet's block: the newest ones last, or first.

The tensors have the same names and shapes in both. torchvision, whose order ours is, puts what a layer adds behind its
input; other repositories (Liu's pytorch-cifar) put it in front.
"""

import re
from collections.abc import Mapping

from unlearn_core.models.matching.target import Shapes

_FIRST_NORM = re.compile(r"(.*)denseblock(\d+)\.denselayer(\d+)\.norm1\.weight")
_NORM = ("weight", "bias", "running_mean", "running_var")


def newest_first(shapes: Shapes) -> Mapping[str, list[int]]:
    """For each tensor that reads joined channels: where each of our channels is if the newest ones come first.

    Empty for an architecture without dense blocks.
    """
    widths: dict[tuple[str, int], list[int]] = {}
    for name, shape in shapes.items():
        found = _FIRST_NORM.fullmatch(name)
        if found:
            widths.setdefault((found[1], int(found[2])), []).append(shape[0])
    places: dict[str, list[int]] = {}
    for (parent, block), (start, *others) in widths.items():
        growth = others[0] - start if others else 0
        for layer, width in enumerate((start, *others), 1):
            at = f"{parent}denseblock{block}.denselayer{layer}"
            places |= _readers(shapes, f"{at}.norm1", f"{at}.conv1", _places(start, growth, width))
        behind = f"{parent}transition{block}"
        norm, reader = f"{behind}.norm", f"{behind}.conv"
        if f"{norm}.weight" not in shapes:
            norm, reader = f"{parent}norm5", f"{parent.removesuffix('features.')}classifier"
        places |= _readers(shapes, norm, reader, _places(start, growth, shapes[f"{norm}.weight"][0]))
    return places


def _places(start: int, growth: int, width: int) -> list[int]:
    """Where each of `width` channels is: `start` channels that a block reads, and `growth` from each layer so far."""
    layers = (width - start) // growth if growth else 0
    added = [(layers - 1 - layer) * growth + channel for layer in range(layers) for channel in range(growth)]
    return [*range(layers * growth, width), *added]


def _readers(shapes: Shapes, norm: str, reader: str, places: list[int]) -> dict[str, list[int]]:
    """These places for a norm and for the layer that reads its output."""
    tensors = [*(f"{norm}.{leaf}" for leaf in _NORM), f"{reader}.weight"]
    return {name: places for name in tensors if name in shapes}
