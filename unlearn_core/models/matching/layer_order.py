"""Match whole layers by their order and the shapes of their tensors, where no spelling is known.

The k-th layer of the file with certain shapes is the k-th of the architecture with these shapes. A convolution and the
normalisation behind it are one unit, so it does not matter whether code defines a block's shortcut first or last.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from unlearn_core.models.matching.target import NOT_WEIGHTS, Shape, Shapes, is_weight

LEAVES = ("weight", "bias", "running_mean", "running_var", *NOT_WEIGHTS)
"""The tensors of usual layers; every other one is a layer of its own."""

_SHORTCUT = re.compile(r"(?:^|\.)(?:down_?sample|conv_?)?(?:shortcut|downsample|skip|proj(?:ection)?|identity)", re.I)


class Layer(NamedTuple):
    """The tensors of one layer, or of a convolution and its normalisation: names by their role, and their shapes."""

    module: str
    tensors: dict[str, str]
    signature: tuple[tuple[str, Shape], ...]

    @property
    def is_shortcut(self) -> bool:
        return bool(_SHORTCUT.search(self.module))

    @property
    def is_norm(self) -> bool:
        return "running_mean" in self.tensors

    @property
    def width(self) -> int:
        """The number of outputs, or 0 for a layer without weights."""
        shapes = dict(self.signature)
        return (shapes.get("weight") or shapes.get("running_mean") or (0,))[0]

    def with_norm(self, norm: "Layer") -> "Layer":
        """This convolution and its normalisation as one unit."""
        tensors = {f"norm.{leaf}": name for leaf, name in norm.tensors.items()}
        shapes = tuple((f"norm.{leaf}", shape) for leaf, shape in norm.signature)
        return Layer(self.module, self.tensors | tensors, self.signature + shapes)


def match_by_order(file: Shapes, model: Shapes) -> list[dict[str, str]]:
    """The tensors of a file by those of a model, in every way in which all layers match, the most reliable way first.

    Counters may be missing. Returns nothing where the two have not equally many layers of each shape, or where the
    order of the file's layers is unknown because it is not that of the code.
    """
    if Counter(shape for name, shape in file.items() if is_weight(name)) != Counter(
        shape for name, shape in model.items() if is_weight(name)
    ):
        return []
    by_name = not is_in_code_order(file)
    theirs, ours = _layers(sorted(file, key=_natural) if by_name else list(file), file), _layers(list(model), model)
    found: list[dict[str, str]] = []
    for own, other in ((_paired(ours), _paired(theirs, adjacent=not by_name)), (ours, theirs)):
        # Without shortcuts that are known by name, they are distinguished by shape alone.
        for with_shortcuts in (True,) if any(layer.is_shortcut for layer in theirs) else (True, False):
            match = _match(other, own, with_shortcuts=with_shortcuts, by_name=by_name)
            if match and match not in found:
                found.append(match)
        if found:
            break
    return found


def is_in_code_order(file: Shapes) -> bool:
    """Whether the tensors are in the order in which code defines them, as far as can be seen.

    Then those of a layer stand together, and its weight before its bias. Safetensors sorts names or has no order.
    """
    layers: dict[str, list[str]] = {}
    runs = 0
    last = ""
    for name in filter(is_weight, file):
        module, _, leaf = name.rpartition(".")
        runs += module != last or not layers
        last = module
        layers.setdefault(module, []).append(leaf)
    both = [leaves for leaves in layers.values() if {"weight", "bias"} <= set(leaves)]
    return runs == len(layers) and bool(both) and all(one.index("weight") < one.index("bias") for one in both)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which layer2 comes before layer10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name)]


def _layers(ordered: Sequence[str], shapes: Shapes) -> list[Layer]:
    layers: dict[str, dict[str, str]] = {}
    for name in ordered:
        module, _, leaf = name.rpartition(".")
        layers.setdefault(module if leaf in LEAVES else name, {})[leaf if leaf in LEAVES else ""] = name
    return [
        Layer(module, tensors, tuple(sorted((leaf, shapes[name]) for leaf, name in tensors.items() if is_weight(leaf))))
        for module, tensors in layers.items()
    ]


def _paired(layers: Sequence[Layer], *, adjacent: bool = True) -> list[Layer]:
    """The layers, each convolution joined with its normalisation.

    That is the one with the same number beside it (conv1 and bn1), the next one of a sequence (0 and 1), or else, if
    `adjacent`, the layer that follows.
    """
    norms = {layer.module: layer for layer in layers if layer.is_norm}
    by_place = {_place(module): module for module in reversed(norms)}
    following = {before.module: layer.module for before, layer in pairwise(layers)}
    partners: dict[str, str] = {}
    for way in (lambda module: by_place.get(_norm_place(module)), following.get if adjacent else lambda module: None):
        for layer in layers:
            norm = way(layer.module)
            fits = norm in norms and norms[norm].width == layer.width and norm not in partners.values()
            if not layer.is_norm and layer.width and layer.module not in partners and norm is not None and fits:
                partners[layer.module] = norm
    joined = set(partners.values())
    return [
        layer.with_norm(norms[partners[layer.module]]) if layer.module in partners else layer
        for layer in layers
        if layer.module not in joined
    ]


def _place(module: str) -> tuple[str, str, bool]:
    """The parent of a module, the number at its end, and whether it is nothing else, as in a sequence."""
    parent, _, own = module.rpartition(".")
    number = re.search(r"\d*$", own)
    return parent, number[0] if number else "", own.isdecimal()


def _norm_place(module: str) -> tuple[str, str, bool]:
    """Where the normalisation of a convolution is by its name."""
    parent, number, in_sequence = _place(module)
    return (parent, str(int(number) + 1), True) if in_sequence else (parent, number, False)


def _match(theirs: Sequence[Layer], ours: Sequence[Layer], *, with_shortcuts: bool, by_name: bool) -> dict[str, str]:
    """A file's tensors by those of the model; empty where the layers differ or their order is unknown."""
    waiting: dict[tuple[bool, tuple[tuple[str, Shape], ...]], list[Layer]] = {}
    for layer in theirs:
        waiting.setdefault((with_shortcuts and layer.is_shortcut, layer.signature), []).append(layer)
    # By their names, layers are in order only if nothing but numbers distinguishes them.
    if by_name and any(len({re.sub(r"\d+", "#", layer.module) for layer in same}) > 1 for same in waiting.values()):
        return {}
    found: dict[str, str] = {}
    for layer in ours:
        same = waiting.get((with_shortcuts and layer.is_shortcut, layer.signature))
        if not same:
            return {}
        partner = same.pop(0)
        found |= {name: partner.tensors[leaf] for leaf, name in layer.tensors.items() if leaf in partner.tensors}
    return {} if any(waiting.values()) else found
