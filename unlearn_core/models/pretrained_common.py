"""Pretrained, a loaded model with published weights, and what all ways of loading one share."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open
from torch import nn

from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.models.external import ModelName
from unlearn_core.models.normalize import Normalize
from unlearn_core.models.torchvision_stem import with_normalization

RGB = tuple[float, float, float]


class Pretrained(NamedTuple):
    """A trained model and what is needed to use it.

    `model` takes images (N, 3, size, size) float in [0, 1], with `mean` and `std` in its first layer, and is in eval
    mode; its logits are in the order of `classes`, whose names are empty if the head is new. `architecture` is the
    name by which models/architectures builds such a model again.
    """

    architecture: str
    model: nn.Module
    classes: tuple[str, ...]
    mean: RGB
    std: RGB
    size: int
    license: str
    source: str


def from_timm(
    model_name: ModelName,
    model: nn.Module,
    labels: tuple[str, ...],
    classes: int | None,
    *,
    mean: RGB,
    std: RGB,
    **facts: Any,
) -> Pretrained:
    """A model of timm, as published, or with a fresh head for so many `classes`."""
    if classes is not None:
        model.reset_classifier(classes)  # pyright: ignore[reportCallIssue]
        labels = ("",) * classes
    return Pretrained(str(model_name), wrap_for_eval(model, mean, std), labels, mean=mean, std=std, **facts)


def wrap_for_eval(model: nn.Module, mean: RGB, std: RGB) -> nn.Module:
    """The library's model in eval mode, behind the layer that normalises pixels as in its training."""
    return with_normalization(Normalize(mean, std), model).eval()


def estimated_megabytes(model: nn.Module) -> float:
    """The approximate size of a file with a model's weights, in MB."""
    return sum(weight.numel() for weight in model.parameters()) * 4 / 1e6


def assert_weights_only(path: Path) -> None:
    """Checks that a file contains only weights and no code. Raises CorruptAssetError."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                file.keys()
        else:
            torch.load(path, map_location="meta", weights_only=True)
    except Exception as problem:  # noqa: BLE001 (a file can make the reader raise anything; all of it is a refusal)
        raise damaged_file_error(path, problem) from None


def damaged_file_error(path: Path, problem: Exception) -> CorruptAssetError:
    """The error for a file that contains something else."""
    return CorruptAssetError(
        f"{path} does not contain weights of that model ({first_line(problem)}). Remove it and get it again."
    )


def first_line(problem: Exception) -> str:
    """The first line of a library's error message."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]
