"""From the names that a person types to a RunSpec: the way in for a notebook and the command line."""

from collections.abc import Mapping, Sequence
from typing import Any

from unlearn_core.data import datasets
from unlearn_core.domain.errors import InvalidRequestError, NotFoundError
from unlearn_core.domain.forget_request import MAX_IMAGES, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.engine.setup import check_support, preset_params
from unlearn_core.methods import method as find_method
from unlearn_core.models import classifiers

MAX_SEED = 2**31 - 1


def forget_request(classifier: str, *, classes: Sequence[str] = (), images: Sequence[int] = ()) -> ForgetRequest:
    """A forget request: class names, or picture numbers.

    Raises UnknownName for a classifier or class that does not exist, BadRequest where not one of the two is given.
    """
    dataset = datasets.card(classifiers.card(classifier).dataset)
    if bool(classes) == bool(images):
        raise InvalidRequestError("Say what to forget: either whole classes, or single pictures.")
    if len(images) > MAX_IMAGES:
        raise InvalidRequestError(f"More than {MAX_IMAGES:,} pictures cannot be forgotten at once.")
    if images:
        forget = ForgetImages(images=tuple(images))
    else:
        forget = ForgetClasses(classes=tuple(_class_index(name, dataset.classes) for name in classes))
    return ForgetRequest(classifier=classifier, dataset=dataset.id, forget=forget)


def run_spec(
    classifier: str,
    *,
    method: str,
    classes: Sequence[str] = (),
    images: Sequence[int] = (),
    preset: str | None = None,
    seed: int = 0,
    overrides: Mapping[str, Any] | None = None,
) -> UnlearnSpec:
    """All that is needed to unlearn. `knobs` are turned on top of the preset, which by default is the method's first.

    Raises UnknownName, BadKnob, BadRequest or NotSupported, with a sentence that says what would be right.
    """
    if not 0 <= seed <= MAX_SEED:
        raise InvalidRequestError(f"The seed cannot be {seed}: it is a whole number from 0 to {MAX_SEED:,}.")
    chosen = find_method(method)
    wish = forget_request(classifier, classes=classes, images=images)
    check_support(chosen, wish.forget.kind)
    params = preset_params(chosen, preset or next(iter(chosen.presets)), wish.forget, dict(overrides or {}))
    return UnlearnSpec(request=wish, method=chosen.id, params=params.model_dump(), seed=seed)


def _class_index(name: str, known: Sequence[str]) -> int:
    if name not in known:
        raise NotFoundError("class", name, list(known))
    return known.index(name)
