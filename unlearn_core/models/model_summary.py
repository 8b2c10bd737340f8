"""Summarise a library's model without computing anything: its size, its cost, its published weights.

The model is built without memory for its weights (torch's device "meta"), so that a page can do it; the roles of its
layers are inferred later, when it is trained (see models/external.py).
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import architectures, external, weight_cache
from unlearn_core.models.external import ModelName
from unlearn_core.models.normalize import Normalize

MAX_WEIGHTS = 8
"""Largest number of sets of published weights to offer per model; timm has dozens for some."""


class ForwardCost(NamedTuple):
    """What a forward pass of one image takes: multiplications and additions, and the values that its layers return.

    Where layers compute little per value, as depthwise convolutions do, time goes with the values.
    """

    operations: float
    values: float

    def relative_to(self, other: "ForwardCost") -> float:
        """How many times as long it takes as another, roughly."""
        return max(self.operations / other.operations, self.values / other.values)


class ModelSummary(NamedTuple):
    """A model's id, title and summary, its number of weights, its default recipe, and its cost.

    `cost` is None if it cannot be counted in advance.
    """

    id: str
    title: str
    summary: str
    weights: int | None
    recipe: Recipe
    cost: ForwardCost | None


class PretrainedWeights(NamedTuple):
    """Weights to start from: their full name, and whether their file is on this machine."""

    name: str
    is_local: bool


@cache
def summarize(name: str, size: int) -> ModelSummary:
    """The summary of a library's model for images of `size` pixels.

    Raises NotFoundError, and NotSupportedError if it is already clear that it does not support them.
    """
    model_name = external.parse(name)
    model = _build_on_meta(model_name, size)
    title = f"{model_name.architecture} ({model_name.library})"
    made_for = f"made for images of {external.native_size(model_name)} pixels"
    if model is None:
        summary = (
            f"{model_name.library}'s {model_name.architecture}, {made_for}. Its size is known only after it is built."
        )
        return ModelSummary(str(model_name), title, summary, None, external.DEFAULT_RECIPE_WITHOUT_NORM, None)
    count = sum(weight.numel() for weight in model.parameters())
    normed = any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in model.modules())
    return ModelSummary(
        id=str(model_name),
        title=title,
        summary=f"{model_name.library}'s {model_name.architecture}, {count / 1e6:,.1f} million weights, {made_for}.",
        weights=count,
        recipe=external.DEFAULT_RECIPE if normed else external.DEFAULT_RECIPE_WITHOUT_NORM,
        cost=_cost(model_name, model, size),
    )


def pretrained_weights(name: str) -> list[PretrainedWeights]:
    """The published weights of a library's model, by the names for models/pretrained.py; without network access."""
    model_name = external.parse(name)
    if model_name.library == "torchvision":
        import torchvision.models

        every = torchvision.models.get_model_weights(model_name.architecture)
        return [
            PretrainedWeights(f"{model_name}:{one.name}", (weight_cache.cache_dir() / _file(one.url)).exists())
            for one in every
        ]
    import timm

    found = []
    for one in timm.list_pretrained(f"{model_name.architecture}.*")[:MAX_WEIGHTS]:
        config = timm.get_pretrained_cfg(one)
        if config is None or not config.num_classes:
            continue
        file = f"{one}.safetensors" if config.hf_hub_id else _file(str(config.url))
        found.append(PretrainedWeights(f"timm:{one}", (weight_cache.cache_dir() / file).exists()))
    return found


def _file(url: str) -> str:
    return Path(urlsplit(url).path).name


def _build_on_meta(model_name: ModelName, size: int) -> nn.Module | None:
    """The model without memory for its weights; None if the library must compute something to build it."""
    try:
        with torch.device("meta"):
            return external.build_backbone(model_name, 10, size).eval()
    except NotSupportedError as problem:
        if "meta" in str(problem):
            return None
        raise


def forward_cost(model: nn.Module, size: int) -> ForwardCost:
    """The cost of one image of `size` pixels for a model on the meta device, which computes nothing."""
    values = 0

    def count(_module: nn.Module, _inputs: object, output: object) -> None:
        nonlocal values
        values += output.numel() if isinstance(output, Tensor) else 0

    hooks = [part.register_forward_hook(count) for part in model.modules() if not any(part.children())]
    try:
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, 3, size, size))
    finally:
        for hook in hooks:
            hook.remove()
    return ForwardCost(float(counter.get_total_flops()), float(values))


def architecture_cost(architecture: str, size: int) -> ForwardCost | None:
    """The cost of one image of `size` pixels for a model by name; None if it reads values on the way.

    Raises NotFoundError, and NotSupportedError if it does not support such images.
    """
    if external.is_external(architecture):
        return summarize(architecture, size).cost
    try:
        with torch.device("meta"):
            model = architectures.build(architecture, 10, size, Normalize((0.0,) * 3, (1.0,) * 3)).eval()
        return forward_cost(model, size)
    except RuntimeError:  # A model of a plug-in may read values, and the meta device has none.
        return None


def _cost(model_name: ModelName, model: nn.Module, size: int) -> ForwardCost | None:
    """Counts the cost of one image. Raises NotSupportedError if the model does not support such images."""
    try:
        with external.translate_errors(model_name, size):
            return forward_cost(model, size)
    except NotSupportedError as problem:
        if "meta" in str(problem):
            return None
        raise
