"""Load models from the Hugging Face hub, if the operator allows it: timm's architectures only.

Only two files of a repository are read: a few checked fields of config.json, and the weights as safetensors.
"""

import re
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from unlearn_core.domain.errors import InvalidCheckpointError, NotFoundError, NotSupportedError
from unlearn_core.models import external, weight_cache
from unlearn_core.models.external import ModelName
from unlearn_core.models.pretrained_common import RGB, Pretrained, estimated_megabytes, first_line, from_timm
from unlearn_core.settings import settings

HUB_PATTERN = re.compile(r"hf_hub:([A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})")
_LONGEST = 100
"""Longest class name in characters; the rest is cut off."""


_Spread = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Side = Annotated[int, Field(ge=8, le=1024)]


class _HubWeights(BaseModel):
    """The fields that are read of a hub repository's pretrained configuration."""

    mean: RGB
    std: tuple[_Spread, _Spread, _Spread]
    input_size: tuple[int, _Side, _Side]
    label_names: list[str] | None = None
    license: str | None = None


class _HubConfig(BaseModel):
    architecture: str
    num_classes: int = Field(ge=2, le=100_000)
    model_args: dict[str, Any] | None = None
    pretrained_cfg: _HubWeights
    label_names: list[str] | None = None


def load(name: str, classes: int | None, size: int | None) -> Pretrained:
    """The model of a repository such as "hf_hub:owner/name"; see models/pretrained.py for the rest.

    Raises NotFoundError, NotSupportedError, FileUnavailableError, and InvalidCheckpointError if the repository contains
    something else.
    """
    found = HUB_PATTERN.fullmatch(name)
    if not settings().allow_hub:
        raise NotSupportedError(
            "Models of the hub are not allowed here. The operator of this lab can set UNLEARN_ALLOW_HUB=1."
        )
    if found is None:
        raise NotFoundError("hub repository", name[:_LONGEST], ["names such as hf_hub:owner/name"])
    repository, folder = found.group(1), weight_cache.cache_dir() / found.group(1).replace("/", "--")
    described = weight_cache.from_hub(
        repository, "config.json", title=name, megabytes=0, manual_path=folder / "config.json"
    )
    try:
        config = _HubConfig.model_validate_json(described.read_bytes())
    except (OSError, ValidationError) as problem:
        raise InvalidCheckpointError(
            f"{name} is not a classifier of timm ({first_line(problem)}). Choose another."
        ) from None
    if config.architecture not in external.architectures("timm") or config.model_args:
        raise NotSupportedError(f"{name} is not a model that timm can build by name alone. Choose another.")
    model_name, own = ModelName("timm", config.architecture, None), config.pretrained_cfg
    model = external.build_backbone(model_name, config.num_classes, size or own.input_size[-1])
    by_hand = folder / "model.safetensors"
    path = weight_cache.from_hub(
        repository, by_hand.name, title=name, megabytes=estimated_megabytes(model), manual_path=by_hand
    )
    try:
        model.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError) as problem:
        raise InvalidCheckpointError(
            f"The weights of {name} do not fit {model_name} ({first_line(problem)}). Choose another."
        ) from None
    names = [label[:_LONGEST] for label in config.label_names or own.label_names or []]
    fits = len(names) == config.num_classes
    return from_timm(
        model_name,
        model,
        tuple(names) if fits else tuple(f"class {number}" for number in range(config.num_classes)),
        classes,
        mean=own.mean,
        std=own.std,
        size=size or own.input_size[-1],
        license=(own.license or "None is stated.")[:_LONGEST],
        source=f"https://huggingface.co/{repository}",
    )
