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
from unlearn_core.domain.errors import NotSupported, UnknownName
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import layer_roles
from unlearn_core.models.normalize import Normalise
from unlearn_core.models.torchvision_stem import behind

LIBRARIES = {"torchvision": "https://docs.pytorch.org/vision/stable/models.html", "timm": "https://huggingface.co/timm"}
"""Where each of them describes its nets."""
USUAL = Recipe(epochs=30, batch=128, peak=0.1)
USUAL_WITHOUT_NORM = Recipe(epochs=30, batch=128, peak=1e-3, weight_decay=0.05, optimiser="adamw")
"""How a net is trained for which nobody has found anything better: with batch norm, and without."""
_MISFITS = (RuntimeError, ValueError, AssertionError, TypeError, IndexError, ZeroDivisionError, NotImplementedError)
"""What libraries raise where a net does not take pictures of a size."""


class Name(NamedTuple):
    """A library, one of its architectures, and which of its weights; None for those that it takes by itself."""

    library: str
    architecture: str
    weights: str | None

    def __str__(self) -> str:
        return f"{self.library}:{self.architecture}"


def is_library(name: str) -> bool:
    """Whether a name is of the kind that this module knows, rather than one of the shelf."""
    return ":" in name


def parse(name: str) -> Name:
    """What a name means. Raises UnknownName where the library has no such net, or it no such weights."""
    library, _, rest = name.partition(":")
    if library == "torchvision":
        architecture, _, weights = rest.partition(":")
        known = Name(library, _known(library, architecture, architectures(library)), weights or None)
        if weights:
            _known(str(known), weights, tuple(_torchvision_weights(architecture)))
        return known
    if library == "timm":
        architecture, _, tag = rest.partition(".")
        known = Name(library, _known(library, architecture, architectures(library)), tag or None)
        if tag:
            _known(str(known), tag, _timm_tags(architecture))
        return known
    raise UnknownName("library", library, list(LIBRARIES))


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
    side = size or own_size(known)
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
        recipe=USUAL if normed else USUAL_WITHOUT_NORM,
        smallest=side,
        source=f"{known.library}, {LIBRARIES[known.library]}",
    )


def build(name: str, classes: int, size: int, normalise: nn.Module) -> nn.Module:
    """A net with fresh weights from torch's current random state, for square pictures of that many pixels a side.

    Raises UnknownName, and NotSupported where it does not take such pictures.
    """
    known = parse(name)
    card(name, size)  # So that a net that takes no such pictures is refused here, not in the middle of a training.
    return behind(normalise, bare(known, classes, size))


def bare(known: Name, classes: int, size: int) -> nn.Module:
    """The library's own net, without a normalising layer. Raises NotSupported."""
    with misfits(known, size):
        if known.library == "timm":
            import timm

            return timm.create_model(known.architecture, num_classes=classes, **timm_options(known, size))
        import torchvision.models

        options = torchvision_options(known)
        if known.architecture.startswith("vit_"):
            options["image_size"] = size
        if known.architecture in ("googlenet", "inception_v3"):
            options["init_weights"] = True
        return torchvision.models.get_model(known.architecture, num_classes=classes, **options)


def torchvision_options(known: Name) -> dict[str, Any]:
    """What torchvision has to be told so that the net gives logits alone, and works with its weights as meant."""
    if known.architecture not in ("googlenet", "inception_v3"):
        return {}
    return {"aux_logits": False, "transform_input": known.weights is not None}


def timm_options(known: Name, size: int) -> dict[str, Any]:
    """What timm has to be told of the pictures' size: only nets that are made for one size ask."""
    return {"img_size": size} if timm_config(known).fixed_input_size else {}


def own_size(known: Name) -> int:
    """Height and width of the pictures that a net was made for, in pixels."""
    if known.library == "timm":
        return timm_config(known).input_size[-1]
    return torchvision_weights(known).transforms().crop_size[0]


def torchvision_weights(known: Name) -> Any:
    """Torchvision's description of the weights that a name means, those that it recommends where it names none."""
    every = _torchvision_weights(known.architecture)
    return every[known.weights or "DEFAULT"]


def timm_config(known: Name) -> Any:
    """Timm's description of the weights that a name means, those that it takes by itself where it names none."""
    import timm

    return timm.get_pretrained_cfg(f"{known.architecture}.{known.weights}" if known.weights else known.architecture)


def head_of(known: Name, net: nn.Module) -> tuple[str, ...]:
    """The names within a library's net of its last layers, where the library tells; else none."""
    if known.library != "timm":
        return ()
    told = net.get_classifier()  # pyright: ignore[reportCallIssue]
    parts = told if isinstance(told, tuple | list) else (told,)
    names = {id(part): name for name, part in net.named_modules()}
    return tuple(names[id(part)] for part in parts if id(part) in names and not isinstance(part, nn.Identity))


def _looked_at(known: Name, size: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return behind(Normalise((0.5,) * 3, (0.25,) * 3), bare(known, 10, size))


def _roles(known: Name, net: nn.Module, size: int) -> LayerRoles:
    heads = tuple(f"net.{name}" for name in head_of(known, net.get_submodule("net")))
    with misfits(known, size):
        return layer_roles.find(net, size, heads=heads)


@contextmanager
def misfits(known: Name, size: int) -> Iterator[None]:
    """Turns what a library raises for pictures that a net does not take into NotSupported, in a sentence."""
    try:
        yield
    except _MISFITS as problem:
        said = str(problem).strip().splitlines()[:1] or [type(problem).__name__]
        raise NotSupported(
            f"{known} does not take pictures of {size} pixels ({said[0][:200]}). It was made for {own_size(known)}: "
            "choose pictures of another size or another architecture."
        ) from None


def _torchvision_weights(architecture: str) -> dict[str, Any]:
    import torchvision.models

    return dict(torchvision.models.get_model_weights(architecture).__members__)


def _timm_tags(architecture: str) -> tuple[str, ...]:
    import timm

    return tuple(name.partition(".")[2] for name in timm.list_pretrained(f"{architecture}.*"))


def _known(what: str, name: str, names: tuple[str, ...]) -> str:
    """The name itself. Raises UnknownName, which tells the likeliest of many."""
    if name in names:
        return name
    near = get_close_matches(name, names, 6, 0.4) if len(names) > 12 else list(names)
    more = [f"{len(names) - len(near):,} others"] if len(names) > len(near) else []
    raise UnknownName(f"net of {what}" if what in LIBRARIES else f"set of weights of {what}", name, near + more)
