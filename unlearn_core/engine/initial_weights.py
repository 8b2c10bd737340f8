"""What a training begins with, where not with fresh weights: another classifier's, or published ones by name.

Gold begins where its classifier began, unless that had seen the forgotten pictures: then its recipe gives no gold.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from torch import Tensor, nn

from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import architectures, classifiers
from unlearn_core.models.pretrained import pretrained


class InitialWeights(NamedTuple):
    """Weights to begin with, by name as in a state dict, and how the net that they are from normalises pixels."""

    title: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    state: dict[str, Tensor]


def load_initial_weights(
    start: str | None, architecture: str, *, size: int, model_cache: ModelCache
) -> InitialWeights | None:
    """What a start names, for an architecture and pictures of that size; None for fresh weights.

    A start is a classifier of the catalog or, with a colon in it, published weights, which may be downloaded now (see
    models/pretrained.py, which has more errors). Raises UnknownName, and BadRequest where that is another kind of net.
    """
    if start is None:
        return None
    kind = architectures.card(architecture, size)
    if ":" in start:
        found = pretrained(start, size=size)
        if found.architecture.split(":")[:2] != kind.id.split(":")[:2]:
            raise InvalidRequestError(
                f"{start} is no {kind.title}, so its weights cannot be the beginning of one. "
                f"Train {found.architecture} instead, or begin with fresh weights."
            )
        return InitialWeights(start, found.mean, found.std, found.model.state_dict())
    base = classifiers.card(start)
    if base.architecture != architecture:
        raise InvalidRequestError(
            f"{base.title} is no {kind.title}, so its weights cannot be the beginning of one. "
            f"Train its own architecture, {base.architecture}, or begin with fresh weights."
        )
    original = model_cache.original(base)
    if original is None:
        raise InvalidRequestError(f"{base.title} has no weights here, so nothing can begin with them. Choose another.")
    return InitialWeights(base.title, base.mean, base.std, original.module.state_dict())


def apply_initial_weights(model: nn.Module, initial: InitialWeights, *, heads: tuple[str, ...]) -> None:
    """Puts all that is given but for the heads into a net. Raises BadRequest where that does not fit."""
    own, above = model.state_dict(), tuple(f"{head}." for head in heads)
    kept = {name: value for name, value in initial.state.items() if not name.startswith(above)}
    unfit = [name for name, value in kept.items() if name not in own or own[name].shape != value.shape]
    if unfit:
        raise InvalidRequestError(
            f"{initial.title} is another kind of net ({unfit[0]} does not fit). Choose one like this one."
        )
    model.load_state_dict(own | kept)


def was_trained_on(start: str | None, dataset: str) -> bool:
    """Whether what a training would begin with was itself trained on that data set, or began with what was.

    Of published weights nobody here knows; they count as not having seen it.
    """
    while start is not None and ":" not in start:
        base = classifiers.card(start)
        if base.dataset == dataset:
            return True
        start = base.start
    return False


def initial_model(card: ClassifierCard, seed: int, model_cache: ModelCache) -> nn.Module:
    """A classifier's net before the first step of its recipe, on the device: what its gold begins with as well."""
    return _with_weights(card, model_cache.new_model(card, seed), _recipe_weights(card, model_cache))


def naive_model_factory(card: ClassifierCard, model_cache: ModelCache) -> Callable[..., nn.Module]:
    """Makes nets that know nothing of a classifier's pictures, as its gold does before its first step.

    What is made is called with a seed and, so that each has draws of its own, with purposes. Where a classifier began
    with a net that had seen its pictures, that would know what is to be forgotten: then all of a net is fresh.
    Raises as `beginning` does, when the first net is made.
    """
    given = cache(lambda: None if was_trained_on(card.start, card.dataset) else _recipe_weights(card, model_cache))
    return lambda seed, *purpose: _with_weights(card, model_cache.new_model(card, seed, *purpose), given())


def _recipe_weights(card: ClassifierCard, model_cache: ModelCache) -> InitialWeights | None:
    """What a classifier's recipe begins with; one that somebody chose for gold is for fresh weights."""
    start, size = card.start if card.original_recipe else None, datasets.card(card.dataset).size
    return load_initial_weights(start, card.architecture, size=size, model_cache=model_cache)


def _with_weights(card: ClassifierCard, model: nn.Module, initial: InitialWeights | None) -> nn.Module:
    if initial is not None:
        apply_initial_weights(model, initial, heads=card.roles.head)
    return model
