"""From the names that a person types to a RunSpec: the way in for a notebook and the command line."""

from collections.abc import Mapping, Sequence
from typing import Any

from unlearn_core.data import datasets
from unlearn_core.domain.errors import BadRequest, UnknownName
from unlearn_core.domain.forget_request import MAX_IMAGES, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import RunSpec
from unlearn_core.engine.setup import check_support, params_of
from unlearn_core.methods import method as find_method
from unlearn_core.models import classifiers

MAX_SEED = 2**31 - 1


def request(classifier: str, *, classes: Sequence[str] = (), images: Sequence[int] = ()) -> ForgetRequest:
    """A forget request: class names, or picture numbers.

    Raises UnknownName for a classifier or class that does not exist, BadRequest where not one of the two is given.
    """
    dataset = datasets.card(classifiers.card(classifier).dataset)
    if bool(classes) == bool(images):
        raise BadRequest("Say what to forget: either whole classes, or single pictures.")
    if len(images) > MAX_IMAGES:
        raise BadRequest(f"More than {MAX_IMAGES:,} pictures cannot be forgotten at once.")
    if images:
        forget = ForgetImages(images=tuple(images))
    else:
        forget = ForgetClasses(classes=tuple(_class(name, dataset.classes) for name in classes))
    return ForgetRequest(classifier=classifier, dataset=dataset.id, forget=forget)


def spec(
    classifier: str,
    *,
    method: str,
    classes: Sequence[str] = (),
    images: Sequence[int] = (),
    preset: str | None = None,
    seed: int = 0,
    knobs: Mapping[str, Any] | None = None,
) -> RunSpec:
    """All that is needed to unlearn. `knobs` are turned on top of the preset, which by default is the method's first.

    Raises UnknownName, BadKnob, BadRequest or NotSupported, with a sentence that says what would be right.
    """
    if not 0 <= seed <= MAX_SEED:
        raise BadRequest(f"The seed cannot be {seed}: it is a whole number from 0 to {MAX_SEED:,}.")
    chosen = find_method(method)
    wish = request(classifier, classes=classes, images=images)
    check_support(chosen, wish.forget.kind)
    params = params_of(chosen, preset or next(iter(chosen.presets)), wish.forget, dict(knobs or {}))
    return RunSpec(request=wish, method=chosen.id, params=params.model_dump(), seed=seed)


def _class(name: str, known: Sequence[str]) -> int:
    if name not in known:
        raise UnknownName("class", name, list(known))
    return known.index(name)
