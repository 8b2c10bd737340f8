"""What can be said of a library's net before anything of it is computed: its size, its cost, its published weights.

A net is laid out without memory for its weights (torch's device "meta"), so that a page may ask; its layers' roles are
found later, where it is trained (see models/external.py).
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import external, weight_cache
from unlearn_core.models.external import ModelName

MAX_WEIGHTS = 8
"""Sets of published weights of one net that are offered; timm has dozens of some."""


class ModelSummary(NamedTuple):
    """A net's id and title, a sentence on it, its weights' number, the recipe that it usually takes, and its cost.

    `multiplications` are those and the additions for one picture; None where they cannot be counted beforehand.
    """

    id: str
    title: str
    summary: str
    weights: int | None
    recipe: Recipe
    multiplications: float | None


class PretrainedWeights(NamedTuple):
    """Weights that can be begun with: their full name, and whether their file lies on this machine."""

    name: str
    is_local: bool


@cache
def summarize(name: str, size: int) -> ModelSummary:
    """A library's net for pictures of so many pixels a side. Raises UnknownName, and NotSupported where it is plain
    already that it does not take them."""
    known = external.parse(name)
    net = _laid_out(known, size)
    title = f"{known.architecture} ({known.library})"
    made_for = f"made for pictures of {external.native_size(known)} pixels"
    if net is None:
        summary = f"{known.library}'s {known.architecture}, {made_for}. How large it is shows when it is built."
        return ModelSummary(str(known), title, summary, None, external.DEFAULT_RECIPE_WITHOUT_NORM, None)
    count = sum(weight.numel() for weight in net.parameters())
    normed = any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in net.modules())
    return ModelSummary(
        id=str(known),
        title=title,
        summary=f"{known.library}'s {known.architecture}, {count / 1e6:,.1f} million weights, {made_for}.",
        weights=count,
        recipe=external.DEFAULT_RECIPE if normed else external.DEFAULT_RECIPE_WITHOUT_NORM,
        multiplications=_counted(known, net, size),
    )


def pretrained_weights(name: str) -> list[PretrainedWeights]:
    """The published weights of a library's net, by the names that models/pretrained.py takes; asks nobody."""
    known = external.parse(name)
    if known.library == "torchvision":
        import torchvision.models

        every = torchvision.models.get_model_weights(known.architecture)
        return [
            PretrainedWeights(f"{known}:{one.name}", (weight_cache.cache_dir() / _file(one.url)).exists())
            for one in every
        ]
    import timm

    found = []
    for one in timm.list_pretrained(f"{known.architecture}.*")[:MAX_WEIGHTS]:
        config = timm.get_pretrained_cfg(one)
        if config is None or not config.num_classes:
            continue
        file = f"{one}.safetensors" if config.hf_hub_id else _file(str(config.url))
        found.append(PretrainedWeights(f"timm:{one}", (weight_cache.cache_dir() / file).exists()))
    return found


def _file(address: str) -> str:
    return Path(urlsplit(address).path).name


def _laid_out(model_name: ModelName, size: int) -> nn.Module | None:
    """The net without memory for its weights; None where the library must compute something to make it."""
    try:
        with torch.device("meta"):
            return external.build_backbone(model_name, 10, size).eval()
    except NotSupportedError as problem:
        if "meta" in str(problem):
            return None
        raise


def _counted(model_name: ModelName, model: nn.Module, size: int) -> float | None:
    """Raises NotSupported where the net does not take such pictures."""
    try:
        with (
            external.translate_errors(model_name, size),
            torch.device("meta"),
            torch.no_grad(),
            FlopCounterMode(display=False) as cost,
        ):
            model(torch.zeros(1, 3, size, size))
    except NotSupportedError as problem:
        if "meta" in str(problem):
            return None
        raise
    return float(cost.get_total_flops())
