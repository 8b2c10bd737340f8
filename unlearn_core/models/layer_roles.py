"""Infer the roles of the layers of an unknown model from a forward and a backward pass of one image."""

from math import isqrt
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from unlearn_core.domain.cards import LayerRoles
from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.models.spatial import to_spatial

MAX_LAYERS = 36
"""A chart with more layers than this is unreadable."""
MIN_CAM_SIDE = 4
"""Smallest width of the recommended heat map in places, if the model has any layer that fine."""
WEIGHT_LAYERS = (nn.Linear, nn.Conv2d)
PROJECTION_SUFFIXES = ("downsample", "shortcut", "proj")
"""The names that libraries give the 1x1 projection beside a block."""


class ModuleTrace(NamedTuple):
    """The output of one module, and its width in places; 0 if its places do not differ or do not affect the logits."""

    output: Tensor
    map_side: int


def infer_roles(model: nn.Module, size: int, *, heads: tuple[str, ...] = ()) -> LayerRoles:
    """The roles of a library's model, wrapped by `with_normalization`, that takes images (N, 3, size, size).

    Layers are stages or blocks in the order in which an image passes them, divided further while there are not too
    many. `heads` are the last layers if the library provides them; otherwise the head is the last linear layer with as
    many outputs as there are classes. Raises NotSupportedError if there is none, or if the images are too small. The
    model is changed by this: pass one with fresh weights that is not needed afterwards.
    """
    draw = torch.Generator().manual_seed(0)
    for weight in model.eval().requires_grad_(False).parameters():
        if not weight.any():  # Weights that begin at zero would give no gradient, unlike trained ones.
            weight.normal_(0, 0.1, generator=draw)
    outputs, logits = _last_outputs(model, torch.rand(1, 3, size, size, generator=draw))
    heads = heads or _head(model, outputs, logits.shape[1])
    logits.backward(torch.randn(logits.shape, generator=draw))
    prefix = _prefix(model, outputs)
    seen = {name: ModuleTrace(output, _places(output, prefix)) for name, output in outputs.items()}
    layers = tuple(sorted(_layers(model, seen, heads), key=list(seen).index))
    return LayerRoles(
        layers=layers,
        head=heads,
        shortcuts=tuple(name for name in seen if _is_projection(model, name)),
        cam=_cam(model, seen, layers, inside=prefix is not None),
        maps=tuple(name for name in layers if seen[name].map_side),
        prefix_tokens=prefix,
    )


def _last_outputs(model: nn.Module, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """The last output of every module by name, in order of completion, and the logits."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            outputs.pop(name, None)
            if isinstance(module, nn.Conv2d) and _halves_one_place(module, given[0]):
                raise NotSupportedError(
                    f"The images are too small: they shrink to one place before {name}, which would halve that again. "
                    "Choose larger images or another architecture."
                )
            if isinstance(output, Tensor) and output.requires_grad:
                output.retain_grad()
                outputs[name] = output

        return hook

    hooks = [part.register_forward_hook(keep(name)) for name, part in model.named_modules() if name.startswith("net.")]
    try:
        with torch.enable_grad():
            return outputs, model(image.requires_grad_())
    finally:
        for hook in hooks:
            hook.remove()


def _halves_one_place(part: nn.Conv2d, given: Tensor) -> bool:
    """Whether it has a stride over a single place: pointless, and its bfloat16 gradients are garbage on a CPU."""
    return given.shape[2:].numel() == 1 and max(part.stride) > 1 and max(part.kernel_size) > 1


def _head(model: nn.Module, outputs: dict[str, Tensor], classes: int) -> tuple[str, ...]:
    for name in reversed(outputs):
        part = model.get_submodule(name)
        if isinstance(part, WEIGHT_LAYERS) and len(part.weight) == classes:
            return (name,)
    raise NotSupportedError("This model does not end in a linear layer with one output per class. Choose another one.")


def _prefix(model: nn.Module, outputs: dict[str, Tensor]) -> int | None:
    """The number of tokens before those of the image: from timm, or what remains beside a square.

    None if most outputs have height and width, so that three axes would mean something else.
    """
    tokens = [output.shape[1] for output in outputs.values() if output.ndim == 3]
    if len(tokens) <= sum(output.ndim == 4 for output in outputs.values()):
        return None
    declared = [part.num_prefix_tokens for part in model.modules() if hasattr(part, "num_prefix_tokens")]
    most = max(set(tokens), key=tokens.count)
    return declared[0] if declared and isinstance(declared[0], int) else most - isqrt(most) ** 2


def _places(output: Tensor, prefix: int | None) -> int:
    """Width in places of a layer's output; 0 if they are all equal or at most one affects the logits."""
    laid_out = to_spatial(output.detach(), prefix_tokens=prefix)
    slopes = None if output.grad is None else to_spatial(output.grad, prefix_tokens=prefix)
    if laid_out is None or slopes is None:
        return 0
    varies = (laid_out != laid_out[:, :, :1, :1]).any()
    heard = (slopes != 0).flatten(2).any(1).sum() > 1
    return min(laid_out.shape[2:]) if varies and heard else 0


def _layers(model: nn.Module, seen: dict[str, ModuleTrace], heads: tuple[str, ...]) -> list[str]:
    """The modules with weights that make up the model, divided one level further while there are not too many."""
    parts = _with_outputs(model, ["net"], {name: one for name, one in seen.items() if name != "net"})
    while True:
        finer = [name for part in parts for name in _finer(model, part, seen, heads)]
        if finer == parts or len(finer) > MAX_LAYERS:
            return parts
        parts = finer


def _with_outputs(model: nn.Module, modules: list[str], seen: dict[str, ModuleTrace]) -> list[str]:
    """These modules; one that returned no tensor, such as a list of blocks, is replaced by its children."""
    found = []
    for name in modules:
        part = model.get_submodule(name)
        if not _has_weights(part):
            continue
        if name in seen:
            found.append(name)
        else:
            found += _with_outputs(model, [f"{name}.{child}" for child, _ in part.named_children()], seen)
    return found


def _finer(model: nn.Module, name: str, seen: dict[str, ModuleTrace], heads: tuple[str, ...]) -> list[str]:
    """The parts of a module: its children if it is a sequence of layers or blocks, or contains one; else itself."""
    part = model.get_submodule(name)
    plain = type(part) is nn.Sequential and (_weighty(part) > 1 or any(head.startswith(f"{name}.") for head in heads))
    if not (plain or _is_row(part) or any(_is_row(child) for child in part.children())):
        return [name]
    return _with_outputs(model, [f"{name}.{child}" for child, _ in part.named_children()], seen) or [name]


def _is_row(part: nn.Module) -> bool:
    """Whether it is a sequence of blocks, each of at least two convolutions or linear layers."""
    if not isinstance(part, nn.Sequential | nn.ModuleList | nn.ModuleDict):
        return False
    blocks = [child for child in part.children() if _has_weights(child)]
    return bool(blocks) and all(_weighty(block) > 1 for block in blocks)


def _weighty(part: nn.Module) -> int:
    return sum(isinstance(each, WEIGHT_LAYERS) for each in part.modules())


def _has_weights(part: nn.Module) -> bool:
    return any(True for _ in part.parameters())


def _is_projection(model: nn.Module, name: str) -> bool:
    kernels = {each.kernel_size for each in model.get_submodule(name).modules() if isinstance(each, nn.Conv2d)}
    return name.rsplit(".", 1)[-1] in PROJECTION_SUFFIXES and kernels == {(1, 1)} and not _in_attention(model, name)


def _cam(model: nn.Module, seen: dict[str, ModuleTrace], layers: tuple[str, ...], *, inside: bool) -> str | None:
    """The last layer whose output has places, and not too few if any layer has more.

    With `inside`, parts of blocks count too: a transformer that predicts from one token mixes places there last.
    """
    inner = [name for name in seen if not _in_attention(model, name) and _has_weights(model.get_submodule(name))]
    usable = [name for name in (inner if inside else layers) if seen[name].map_side]
    fine = [name for name in usable if seen[name].map_side >= MIN_CAM_SIDE] or usable
    if not fine:
        return None
    return next((name for name in layers if seen[name].output is seen[fine[-1]].output), fine[-1])


def _in_attention(model: nn.Module, name: str) -> bool:
    """Whether it is part of an attention, whose places are queries, keys and values."""
    above = [name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)]
    return any("att" in type(model.get_submodule(one)).__name__.lower() for one in above)
