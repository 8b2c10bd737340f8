"""Re-initialisation of parts of a model: whole layers or single weights, with the architecture's own initialiser."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd


def reinitializable_layers(model: nn.Module, *, spared: Iterable[str] = ()) -> list[str]:
    """Every convolution and linear layer by name, in the model's order, except those that are or lie in `spared`."""
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, _ConvNd | nn.Linear) and not any(f"{name}.".startswith(f"{one}.") for one in spared)
    ]


def following_norms(model: nn.Module) -> dict[str, str]:
    """The batch norm of each layer: the one registered directly after it, if it has the layer's channels."""
    parts = [(name, part) for name, part in model.named_modules() if isinstance(part, _ConvNd | nn.Linear | _BatchNorm)]
    return {
        name: beside
        for (name, part), (beside, norm) in pairwise(parts)
        if isinstance(norm, _BatchNorm) and not isinstance(part, _BatchNorm) and len(part.weight) == norm.num_features
    }


def random_masks(
    model: nn.Module, layers: Iterable[str], fraction: float, generator: torch.Generator
) -> dict[str, Tensor]:
    """For every weight of the named modules a mask, true for a random share (0 to 1) of its values."""
    masks = {}
    for name in layers:
        for part, weight in model.get_submodule(name).named_parameters():
            chosen = torch.randperm(weight.numel(), generator=generator)[: round(fraction * weight.numel())]
            mask = torch.zeros(weight.numel(), dtype=torch.bool).index_fill_(0, chosen, True)
            masks[f"{name}.{part}"] = mask.view(weight.shape).to(weight.device)
    return masks


@torch.no_grad()
def reinitialize(model: nn.Module, fresh: nn.Module, modules: Iterable[str]) -> None:
    """Copy the weights and statistics of the named modules from `fresh`."""
    for name in modules:
        model.get_submodule(name).load_state_dict(fresh.get_submodule(name).state_dict())


@torch.no_grad()
def reinitialize_where(model: nn.Module, fresh: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Copy the values of the named weights from `fresh` where their mask is true."""
    for name, mask in masks.items():
        weight = model.get_parameter(name)
        weight.copy_(torch.where(mask, fresh.get_parameter(name), weight))
