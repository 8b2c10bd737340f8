"""Build any classifier of torchvision or timm by name: "torchvision:resnet18", "timm:resnet26".

A name may include the weights ("torchvision:resnet18:IMAGENET1K_V1", "timm:resnet26.bt_in1k"), which only
models/pretrained.py uses: a model that is built here has fresh weights. Names are looked up in the libraries' own
lists; nothing here downloads, and no name is used as a path or a URL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import nn

from unlearn_core.domain.cards import ArchitectureCard, LayerRoles
from unlearn_core.domain.errors import NotFoundError, NotSupportedError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import layer_roles
from unlearn_core.models.normalize import Normalize
from unlearn_core.models.torchvision_stem import with_normalization

LIBRARIES = {"torchvision": "https://docs.pytorch.org/vision/stable/models.html", "timm": "https://huggingface.co/timm"}
"""Where each library describes its models."""
DEFAULT_RECIPE = Recipe(epochs=30, batch=128, peak=0.1)
DEFAULT_RECIPE_WITHOUT_NORM = Recipe(epochs=30, batch=128, peak=1e-3, weight_decay=0.05, optimiser="adamw")
"""Recipes for models without a better one: with batch norm, and without."""
_MISFITS = (RuntimeError, ValueError, AssertionError, TypeError, IndexError, ZeroDivisionError, NotImplementedError)
"""What libraries raise if a model does not support images of a size."""


class ModelName(NamedTuple):
    """A library, one of its architectures, and a set of its weights; None for the library's default ones."""

    library: str
    architecture: str
    weights: str | None

    def __str__(self) -> str:
        return f"{self.library}:{self.architecture}"


def is_external(name: str) -> bool:
    """Whether a name is that of a library's model, as opposed to one of `models/architectures`."""
    return ":" in name


def parse(name: str) -> ModelName:
    """Parses a name. Raises NotFoundError if the library has no such model, or the model no such weights."""
    library, _, rest = name.partition(":")
    if library == "torchvision":
        architecture, _, weights = rest.partition(":")
        model_name = ModelName(library, _checked_name(library, architecture, architectures(library)), weights or None)
        if weights:
            _checked_name(str(model_name), weights, tuple(_torchvision_weights(architecture)))
        return model_name
    if library == "timm":
        architecture, _, tag = rest.partition(".")
        model_name = ModelName(library, _checked_name(library, architecture, architectures(library)), tag or None)
        if tag:
            _checked_name(str(model_name), tag, _timm_tags(architecture))
        return model_name
    raise NotFoundError("library", library, list(LIBRARIES))


@cache
def architectures(library: str) -> tuple[str, ...]:
    """The names of all classifiers that a library can build."""
    if library == "torchvision":
        import torchvision.models

        return tuple(torchvision.models.list_models(module=torchvision.models))
    import timm

    return tuple(timm.list_models())


@cache
def card(name: str, size: int | None = None) -> ArchitectureCard:
    """An architecture's card; its roles are inferred from one image of that size (its native size if None).

    Raises NotFoundError, and NotSupportedError if it does not support such images. The first call is slow.
    """
    model_name = parse(name)
    side = size or native_size(model_name)
    model = _probe_model(model_name, side)
    found = _roles(model_name, model, side)
    weights = sum(weight.numel() for weight in model.parameters())
    normed = any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in model.modules())
    return ArchitectureCard(
        id=str(model_name),
        title=f"{model_name.architecture} ({model_name.library})",
        summary=f"{model_name.library}'s {model_name.architecture}, {weights / 1e6:,.1f} million weights with a head "
        "for ten classes.",
        weights=weights,
        roles=found,
        recipe=DEFAULT_RECIPE if normed else DEFAULT_RECIPE_WITHOUT_NORM,
        smallest=side,
        source=f"{model_name.library}, {LIBRARIES[model_name.library]}",
    )


def build(name: str, classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A model with fresh weights from torch's current random state, for square images of `size` pixels.

    Raises NotFoundError, and NotSupportedError if it does not support such images.
    """
    model_name = parse(name)
    card(name, size)  # A model that does not support such images is refused here, not during training.
    return with_normalization(normalize, build_backbone(model_name, classes, size))


def build_backbone(model_name: ModelName, classes: int, size: int) -> nn.Module:
    """The library's own model, without a normalising layer. Raises NotSupportedError."""
    with translate_errors(model_name, size):
        if model_name.library == "timm":
            import timm

            return timm.create_model(model_name.architecture, num_classes=classes, **timm_options(model_name, size))
        import torchvision.models

        options = torchvision_options(model_name)
        if model_name.architecture.startswith("vit_"):
            options["image_size"] = size
        if model_name.architecture in ("googlenet", "inception_v3"):
            options["init_weights"] = True
        return torchvision.models.get_model(model_name.architecture, num_classes=classes, **options)


def torchvision_options(model_name: ModelName) -> dict[str, Any]:
    """Options for torchvision so that the model returns only logits and matches its weights."""
    if model_name.architecture not in ("googlenet", "inception_v3"):
        return {}
    return {"aux_logits": False, "transform_input": model_name.weights is not None}


def timm_options(model_name: ModelName, size: int) -> dict[str, Any]:
    """Options for timm: models with a fixed input size need the images' size."""
    return {"img_size": size} if timm_config(model_name).fixed_input_size else {}


def native_size(model_name: ModelName) -> int:
    """Height and width of the images that a model was made for, in pixels."""
    if model_name.library == "timm":
        return timm_config(model_name).input_size[-1]
    return torchvision_weights(model_name).transforms().crop_size[0]


def torchvision_weights(model_name: ModelName) -> Any:
    """Torchvision's description of the weights in a name, or of its default ones."""
    every = _torchvision_weights(model_name.architecture)
    return every[model_name.weights or "DEFAULT"]


def timm_config(model_name: ModelName) -> Any:
    """Timm's description of the weights in a name, or of its default ones."""
    import timm

    return timm.get_pretrained_cfg(
        f"{model_name.architecture}.{model_name.weights}" if model_name.weights else model_name.architecture
    )


def classifier_layers(model_name: ModelName, model: nn.Module) -> tuple[str, ...]:
    """The names of the last layers within a library's model, if the library provides them; else none."""
    if model_name.library != "timm":
        return ()
    found = model.get_classifier()  # pyright: ignore[reportCallIssue]
    parts = found if isinstance(found, tuple | list) else (found,)
    names = {id(part): name for name, part in model.named_modules()}
    return tuple(names[id(part)] for part in parts if id(part) in names and not isinstance(part, nn.Identity))


def _probe_model(model_name: ModelName, size: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return with_normalization(Normalize((0.5,) * 3, (0.25,) * 3), build_backbone(model_name, 10, size))


def _roles(model_name: ModelName, model: nn.Module, size: int) -> LayerRoles:
    heads = tuple(f"net.{name}" for name in classifier_layers(model_name, model.get_submodule("net")))
    with translate_errors(model_name, size):
        return layer_roles.infer_roles(model, size, heads=heads)


@contextmanager
def translate_errors(model_name: ModelName, size: int) -> Iterator[None]:
    """Turns what a library raises for images that a model does not support into NotSupportedError."""
    try:
        yield
    except _MISFITS as problem:
        reason = str(problem).strip().splitlines()[:1] or [type(problem).__name__]
        raise NotSupportedError(
            f"{model_name} does not support images of {size} pixels ({reason[0][:200]}). It was made for "
            f"{native_size(model_name)}: choose images of another size or another architecture."
        ) from None


def _torchvision_weights(architecture: str) -> dict[str, Any]:
    import torchvision.models

    return dict(torchvision.models.get_model_weights(architecture).__members__)


def _timm_tags(architecture: str) -> tuple[str, ...]:
    import timm

    return tuple(name.partition(".")[2] for name in timm.list_pretrained(f"{architecture}.*"))


def _checked_name(what: str, name: str, candidates: tuple[str, ...]) -> str:
    """The name itself. Raises NotFoundError, which lists the closest matches."""
    if name in candidates:
        return name
    near = get_close_matches(name, candidates, 6, 0.4) if len(candidates) > 12 else list(candidates)
    more = [f"{len(candidates) - len(near):,} others"] if len(candidates) > len(near) else []
    raise NotFoundError(f"model of {what}" if what in LIBRARIES else f"set of weights of {what}", name, near + more)
