"""Builds an UnlearnSpec from names: the entry for notebooks and the command line."""

from collections.abc import Mapping, Sequence
from typing import Any

from unlearn_core.data import datasets
from unlearn_core.data.class_lists import class_number
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import MAX_IMAGES, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import Method, ProblemSize
from unlearn_core.domain.split import trainable_split
from unlearn_core.engine.setup import check_support
from unlearn_core.methods import method as find_method
from unlearn_core.methods import preset as find_preset
from unlearn_core.models import classifiers

MAX_SEED = 2**31 - 1


def forget_request(classifier: str, *, classes: Sequence[str | int] = (), images: Sequence[int] = ()) -> ForgetRequest:
    """Return a forget request for classes, by name or number, or for image numbers.

    Raises NotFoundError for an unknown classifier or class, InvalidRequestError if not exactly one of the two is given.
    """
    dataset = datasets.card(classifiers.card(classifier).dataset)
    if bool(classes) == bool(images):
        raise InvalidRequestError("Choose what to forget: either whole classes or single images.")
    if len(images) > MAX_IMAGES:
        raise InvalidRequestError(f"At most {MAX_IMAGES:,} images can be forgotten at once: choose fewer.")
    if images:
        forget = ForgetImages(images=tuple(images))
    else:
        forget = ForgetClasses(classes=tuple(class_number(name, dataset.classes) for name in classes))
    return ForgetRequest(classifier=classifier, dataset=dataset.id, forget=forget)


def run_spec(
    classifier: str,
    *,
    method: str,
    classes: Sequence[str | int] = (),
    images: Sequence[int] = (),
    preset: str | None = None,
    seed: int = 0,
    overrides: Mapping[str, Any] | None = None,
    start: int | None = None,
) -> UnlearnSpec:
    """Return the spec of an unlearning run; `overrides` change hyperparameters of the preset.

    The default preset is `auto`, which leaves hyperparameters that are not overridden to the run; for the classifier on
    which presets were tuned it is `bundled`.

    `start` is the number of an earlier run of the data folder whose unlearned model is the starting point.
    Raises NotFoundError, InvalidHyperparameterError, InvalidRequestError or NotSupportedError, which say what is valid.
    """
    chosen = find_method(method)
    request = forget_request(classifier, classes=classes, images=images)
    return request_spec(request, chosen, preset=preset, seed=seed, overrides=overrides, start=start)


def request_spec(
    request: ForgetRequest,
    method: Method,
    *,
    preset: str | None = None,
    seed: int = 0,
    overrides: Mapping[str, Any] | None = None,
    start: int | None = None,
) -> UnlearnSpec:
    """Return the spec of `run_spec` for a request, whose classifier need not exist yet. Raises as that does."""
    if not 0 <= seed <= MAX_SEED:
        raise InvalidRequestError(f"The seed cannot be {seed}: it must be a whole number from 0 to {MAX_SEED:,}.")
    check_support(method, request.forget.kind)
    base, changes = find_preset(method, request.classifier, preset or ""), dict(overrides or {})
    params = base.for_request(request.forget).updated(changes)
    auto = tuple(name for name in base.auto if name not in changes)
    return UnlearnSpec(request=request, start=start, method=method.id, params=params.model_dump(), seed=seed, auto=auto)


def caution(spec: UnlearnSpec) -> str | None:
    """Return why the run of a spec is expected to fail, or None. Raises as `run_spec` does."""
    method, request = find_method(spec.method), spec.request
    dataset = datasets.card(request.dataset)
    split = trainable_split(dataset, datasets.load(dataset.id).labels, request.forget)
    sizes = ProblemSize.of(split, dataset, request.forget, classifiers.card(request.classifier))
    return method.caution(method.params.parse(spec.params), sizes, bool(spec.auto))
