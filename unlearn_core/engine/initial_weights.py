"""The initial weights of a training run: random ones, another classifier's, or published ones by name.

Gold starts from the same weights as its classifier, unless these were trained on the forget set: then no gold exists.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from torch import Tensor, nn

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import architectures, classifiers
from unlearn_core.models.pretrained import pretrained


class InitialWeights(NamedTuple):
    """Weights to start from, by name as in a state dict, and the pixel normalisation that they were trained with."""

    title: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    state: dict[str, Tensor]


def load_initial_weights(
    start: str | None, architecture: str, *, size: int, model_cache: ModelCache
) -> InitialWeights | None:
    """Return the weights that `start` names, for an architecture and images of this size; None for random weights.

    `start` is the id of a classifier or, with a colon, published weights, which may be downloaded now (for its errors
    see models/pretrained.py). Raises NotFoundError, and InvalidRequestError if it is another architecture.
    """
    if start is None:
        return None
    kind = architectures.card(architecture, size)
    if ":" in start:
        found = pretrained(start, size=size)
        if found.architecture.split(":")[:2] != kind.id.split(":")[:2]:
            raise InvalidRequestError(
                f"{start} is no {kind.title}, so training cannot start from its weights. "
                f"Train {found.architecture} instead, or start from random weights."
            )
        return InitialWeights(start, found.mean, found.std, found.model.state_dict())
    base = classifiers.card(start)
    if base.architecture != architecture:
        raise InvalidRequestError(
            f"{base.title} is no {kind.title}, so training cannot start from its weights. "
            f"Train its own architecture, {base.architecture}, or start from random weights."
        )
    original = model_cache.original(base)
    if original is None:
        raise InvalidRequestError(f"{base.title} has no weights here to start from. Choose another classifier.")
    return InitialWeights(base.title, base.mean, base.std, original.module.state_dict())


def apply_initial_weights(model: nn.Module, initial: InitialWeights, *, heads: tuple[str, ...]) -> None:
    """Copy all initial weights except the heads into a model. Raises InvalidRequestError if they do not fit."""
    state, head_prefixes = model.state_dict(), tuple(f"{head}." for head in heads)
    copied = {name: value for name, value in initial.state.items() if not name.startswith(head_prefixes)}
    mismatched = [name for name, value in copied.items() if name not in state or state[name].shape != value.shape]
    if mismatched:
        raise InvalidRequestError(
            f"{initial.title} has another architecture ({mismatched[0]} does not fit). Choose weights of this one."
        )
    model.load_state_dict(state | copied)


def was_trained_on(start: str | None, dataset: str) -> bool:
    """Return whether the initial weights were trained on this data set, or started from weights that were.

    For published weights this is unknown; they count as not trained on it.
    """
    while start is not None and ":" not in start:
        base = classifiers.card(start)
        if base.dataset == dataset:
            return True
        start = base.start
    return False


def initial_model(card: ClassifierCard, seed: int, model_cache: ModelCache) -> nn.Module:
    """Return a classifier's model before the first step of its recipe, on the device; its gold starts from it too."""
    return _with_weights(card, model_cache.new_model(card, seed), _recipe_weights(card, model_cache))


def naive_model_factory(card: ClassifierCard, model_cache: ModelCache) -> Callable[..., nn.Module]:
    """Return a function that makes models not trained on the classifier's data, as its gold is before its first step.

    It takes a seed and purposes, one random stream for each. If the classifier's initial weights were trained on its
    data, they would contain what is to be forgotten, so all weights are random then. The first call raises what
    `load_initial_weights` raises.
    """
    initial = cache(lambda: None if was_trained_on(card.start, card.dataset) else _recipe_weights(card, model_cache))
    return lambda seed, *purpose: _with_weights(card, model_cache.new_model(card, seed, *purpose), initial())


def _recipe_weights(card: ClassifierCard, model_cache: ModelCache) -> InitialWeights | None:
    """Return the initial weights of a classifier's recipe; a recipe confirmed later starts from random weights."""
    start, size = card.start if card.original_recipe else None, model_cache.dataset_card(card.dataset).size
    return load_initial_weights(start, card.architecture, size=size, model_cache=model_cache)


def _with_weights(card: ClassifierCard, model: nn.Module, initial: InitialWeights | None) -> nn.Module:
    if initial is not None:
        apply_initial_weights(model, initial, heads=card.roles.head)
    return model
