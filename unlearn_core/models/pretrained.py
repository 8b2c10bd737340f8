"""Load models with published weights of torchvision, timm or, if the operator allows it, the Hugging Face hub.

Loading may download, so it is done in a worker or on the command line, never while a page waits. Nothing that is loaded
here can run code: torchvision's and timm's files are opened as plain weights, the hub's as safetensors only, and the
architecture of the latter must be one of timm's own. Source: torchvision's weights enums; timm's pretrained
configurations.
"""

from pathlib import Path
from typing import Any

from torch import nn

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.models import external, huggingface_hub, weight_cache
from unlearn_core.models.external import ModelName
from unlearn_core.models.pretrained_common import (
    Pretrained,
    assert_weights_only,
    damaged_file_error,
    estimated_megabytes,
    from_timm,
    wrap_for_eval,
)


def pretrained(name: str, *, classes: int | None = None, size: int | None = None) -> Pretrained:
    """The model of that name with its published weights, by default for images of its native size.

    With `classes` it gets a new head for that many classes from torch's current random state. Names are those of
    models/external.py, or "hf_hub:owner/name". Raises NotFoundError, NotSupportedError, FileUnavailableError if the
    weights cannot be downloaded, and CorruptAssetError or InvalidCheckpointError if they are damaged.
    """
    if name.startswith("hf_hub:"):
        return huggingface_hub.load(name, classes, size)
    model_name = external.parse(name)
    if size is not None:
        external.card(str(model_name), size)  # Refuses unsupported image sizes before anything is downloaded.
    return (_timm if model_name.library == "timm" else _torchvision)(model_name, classes, size)


def _torchvision(model_name: ModelName, classes: int | None, size: int | None) -> Pretrained:
    import torchvision.models

    weights = external.torchvision_weights(model_name)
    model_name = model_name._replace(weights=weights.name)
    shown, names, own = weights.transforms(), tuple(weights.meta["categories"]), weights.transforms().crop_size[0]
    if model_name.architecture.startswith("vit_") and size not in (None, own):
        raise NotSupportedError(f"{model_name} with these weights supports only images of {own} pixels, not of {size}.")
    title = f"{model_name}:{weights.name}"
    path = weight_cache.from_url(weights.url, title=title, megabytes=weights.meta["_file_size"])
    assert_weights_only(path)
    try:
        model = torchvision.models.get_model(
            model_name.architecture, weights=weights, **external.torchvision_options(model_name)
        )
    except RuntimeError as problem:
        raise damaged_file_error(path, problem) from None
    if classes is not None:
        _new_head(model, len(names), classes)
    needs_weights = "transform_input" in external.torchvision_options(model_name)
    return Pretrained(
        architecture=title if needs_weights else str(model_name),
        model=wrap_for_eval(model, tuple(shown.mean), tuple(shown.std)),
        classes=names if classes is None else ("",) * classes,
        mean=tuple(shown.mean),
        std=tuple(shown.std),
        size=size or own,
        license=weights.meta.get("license", "None is stated for the weights; torchvision's code is BSD-3-Clause.")
        + " Trained on ImageNet, whose images are for research only.",
        source=weights.url,
    )


def _timm(model_name: ModelName, classes: int | None, size: int | None) -> Pretrained:
    import timm
    from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

    config: Any = external.timm_config(model_name)
    title = f"{model_name}.{config.tag}" if config.tag else str(model_name)
    if not config.has_weights or not config.num_classes:
        raise NotSupportedError(f"timm has no weights of a classifier for {model_name}. Choose another model.")
    side = size or config.input_size[-1]
    path = _timm_file(model_name, config, title)
    assert_weights_only(path)
    try:
        model = timm.create_model(
            title.removeprefix("timm:"),
            pretrained=True,
            pretrained_cfg_overlay={"file": str(path), "custom_load": False},
            **external.timm_options(model_name, side),
        )
    except (RuntimeError, KeyError) as problem:
        raise damaged_file_error(path, problem) from None
    subset = infer_imagenet_subset(model)
    names = tuple(config.label_names or (ImageNetInfo(subset).label_descriptions() if subset else ()))
    return from_timm(
        model_name,
        model,
        names if len(names) == config.num_classes else tuple(f"class {own}" for own in range(config.num_classes)),
        classes,
        mean=tuple(config.mean),
        std=tuple(config.std),
        size=side,
        license=config.license or "None is stated for the weights; timm's code is Apache-2.0.",
        source=f"https://huggingface.co/{config.hf_hub_id}" if config.hf_hub_id else config.url,
    )


def _timm_file(model_name: ModelName, config: Any, title: str) -> Path:
    size = estimated_megabytes(external.build_backbone(model_name, config.num_classes, config.input_size[-1]))
    if config.hf_hub_id:
        by_hand = weight_cache.cache_dir() / f"{title.removeprefix('timm:')}.safetensors"
        return weight_cache.from_hub(
            config.hf_hub_id, "model.safetensors", title=title, megabytes=size, manual_path=by_hand
        )
    if not str(config.url).endswith((".pth", ".safetensors")):
        raise NotSupportedError(
            f"The weights of {title} are in a format that is not supported here. Choose another model."
        )
    return weight_cache.from_url(config.url, title=title, megabytes=size)


def _new_head(model: nn.Module, classes: int, wanted: int) -> None:
    """Replaces the last layer of torchvision's model, with `classes` outputs, by a fresh one with `wanted` outputs."""
    name, head = next(
        (name, part)
        for name, part in reversed(list(model.named_modules()))
        if isinstance(part, nn.Linear | nn.Conv2d) and len(part.weight) == classes
    )
    fresh = (
        nn.Linear(head.in_features, wanted)
        if isinstance(head, nn.Linear)
        else nn.Conv2d(head.in_channels, wanted, 1)  # Squeezenet's: one place, every channel.
    )
    owner, _, own = name.rpartition(".")
    setattr(model.get_submodule(owner), own, fresh)
