"""Any classifier that torchvision or timm can build, by name: "torchvision:resnet18", "timm:resnet26".

A name may go on with the weights that are meant ("torchvision:resnet18:IMAGENET1K_V1", "timm:resnet26.bt_in1k"), which
matter to models/pretrained.py alone: a net that is built here has fresh weights. Names are looked up in the
libraries' own lists; nothing here downloads, and no name is ever a path or an address.
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
"""Where each of them describes its nets."""
DEFAULT_RECIPE = Recipe(epochs=30, batch=128, peak=0.1)
DEFAULT_RECIPE_WITHOUT_NORM = Recipe(epochs=30, batch=128, peak=1e-3, weight_decay=0.05, optimiser="adamw")
"""How a net is trained for which nobody has found anything better: with batch norm, and without."""
_MISFITS = (RuntimeError, ValueError, AssertionError, TypeError, IndexError, ZeroDivisionError, NotImplementedError)
"""What libraries raise where a net does not take pictures of a size."""


class ModelName(NamedTuple):
    """A library, one of its architectures, and which of its weights; None for those that it takes by itself."""

    library: str
    architecture: str
    weights: str | None

    def __str__(self) -> str:
        return f"{self.library}:{self.architecture}"


def is_external(name: str) -> bool:
    """Whether a name is of the kind that this module knows, rather than one of the shelf."""
    return ":" in name


def parse(name: str) -> ModelName:
    """What a name means. Raises UnknownName where the library has no such net, or it no such weights."""
    library, _, rest = name.partition(":")
    if library == "torchvision":
        architecture, _, weights = rest.partition(":")
        known = ModelName(library, _checked_name(library, architecture, architectures(library)), weights or None)
        if weights:
            _checked_name(str(known), weights, tuple(_torchvision_weights(architecture)))
        return known
    if library == "timm":
        architecture, _, tag = rest.partition(".")
        known = ModelName(library, _checked_name(library, architecture, architectures(library)), tag or None)
        if tag:
            _checked_name(str(known), tag, _timm_tags(architecture))
        return known
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
    """An architecture's card, its roles found by showing the net one picture of that size (its own where None).

    Raises UnknownName, and NotSupported where it does not take such pictures. Takes a second or more the first time.
    """
    known = parse(name)
    side = size or native_size(known)
    net = _looked_at(known, side)
    found = _roles(known, net, side)
    weights = sum(weight.numel() for weight in net.parameters())
    normed = any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in net.modules())
    return ArchitectureCard(
        id=str(known),
        title=f"{known.architecture} ({known.library})",
        summary=f"{known.library}'s {known.architecture}, {weights / 1e6:,.1f} million weights with a head for ten "
        "classes.",
        roles=found,
        recipe=DEFAULT_RECIPE if normed else DEFAULT_RECIPE_WITHOUT_NORM,
        smallest=side,
        source=f"{known.library}, {LIBRARIES[known.library]}",
    )


def build(name: str, classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A net with fresh weights from torch's current random state, for square pictures of that many pixels a side.

    Raises UnknownName, and NotSupported where it does not take such pictures.
    """
    known = parse(name)
    card(name, size)  # So that a net that takes no such pictures is refused here, not in the middle of a training.
    return with_normalization(normalize, build_backbone(known, classes, size))


def build_backbone(model_name: ModelName, classes: int, size: int) -> nn.Module:
    """The library's own net, without a normalising layer. Raises NotSupported."""
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
    """What torchvision has to be told so that the net gives logits alone, and works with its weights as meant."""
    if model_name.architecture not in ("googlenet", "inception_v3"):
        return {}
    return {"aux_logits": False, "transform_input": model_name.weights is not None}


def timm_options(model_name: ModelName, size: int) -> dict[str, Any]:
    """What timm has to be told of the pictures' size: only nets that are made for one size ask."""
    return {"img_size": size} if timm_config(model_name).fixed_input_size else {}


def native_size(model_name: ModelName) -> int:
    """Height and width of the pictures that a net was made for, in pixels."""
    if model_name.library == "timm":
        return timm_config(model_name).input_size[-1]
    return torchvision_weights(model_name).transforms().crop_size[0]


def torchvision_weights(model_name: ModelName) -> Any:
    """Torchvision's description of the weights that a name means, those that it recommends where it names none."""
    every = _torchvision_weights(model_name.architecture)
    return every[model_name.weights or "DEFAULT"]


def timm_config(model_name: ModelName) -> Any:
    """Timm's description of the weights that a name means, those that it takes by itself where it names none."""
    import timm

    return timm.get_pretrained_cfg(
        f"{model_name.architecture}.{model_name.weights}" if model_name.weights else model_name.architecture
    )


def classifier_layers(model_name: ModelName, model: nn.Module) -> tuple[str, ...]:
    """The names within a library's net of its last layers, where the library tells; else none."""
    if model_name.library != "timm":
        return ()
    told = model.get_classifier()  # pyright: ignore[reportCallIssue]
    parts = told if isinstance(told, tuple | list) else (told,)
    names = {id(part): name for name, part in model.named_modules()}
    return tuple(names[id(part)] for part in parts if id(part) in names and not isinstance(part, nn.Identity))


def _looked_at(model_name: ModelName, size: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return with_normalization(Normalize((0.5,) * 3, (0.25,) * 3), build_backbone(model_name, 10, size))


def _roles(model_name: ModelName, model: nn.Module, size: int) -> LayerRoles:
    heads = tuple(f"net.{name}" for name in classifier_layers(model_name, model.get_submodule("net")))
    with translate_errors(model_name, size):
        return layer_roles.infer_roles(model, size, heads=heads)


@contextmanager
def translate_errors(model_name: ModelName, size: int) -> Iterator[None]:
    """Turns what a library raises for pictures that a net does not take into NotSupported, in a sentence."""
    try:
        yield
    except _MISFITS as problem:
        said = str(problem).strip().splitlines()[:1] or [type(problem).__name__]
        raise NotSupportedError(
            f"{model_name} does not take pictures of {size} pixels ({said[0][:200]}). It was made for {native_size(model_name)}: "
            "choose pictures of another size or another architecture."
        ) from None


def _torchvision_weights(architecture: str) -> dict[str, Any]:
    import torchvision.models

    return dict(torchvision.models.get_model_weights(architecture).__members__)


def _timm_tags(architecture: str) -> tuple[str, ...]:
    import timm

    return tuple(name.partition(".")[2] for name in timm.list_pretrained(f"{architecture}.*"))


def _checked_name(what: str, name: str, candidates: tuple[str, ...]) -> str:
    """The name itself. Raises UnknownName, which tells the likeliest of many."""
    if name in candidates:
        return name
    near = get_close_matches(name, candidates, 6, 0.4) if len(candidates) > 12 else list(candidates)
    more = [f"{len(candidates) - len(near):,} others"] if len(candidates) > len(near) else []
    raise NotFoundError(f"net of {what}" if what in LIBRARIES else f"set of weights of {what}", name, near + more)
