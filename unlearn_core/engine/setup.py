"""Turns an UnlearnSpec into a Problem: the models, the split, and only the images that the method may use."""

import json
from typing import Any, NamedTuple

import numpy as np
import torch

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import CorruptAssetError, InvalidRequestError, NotSupportedError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import Method, ProblemSize
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.domain.split import Split, make_split
from unlearn_core.engine.initial_weights import naive_model_factory
from unlearn_core.engine.model_cache import DeviceDataset, FrozenModel, ModelCache, trainable_copy
from unlearn_core.installation import HOW_TO_RESTORE
from unlearn_core.methods import method as find_method
from unlearn_core.methods import methods
from unlearn_core.models import classifiers
from unlearn_core.plugins import lookup
from unlearn_core.store.files import artifacts
from unlearn_core.training.problem import ImageSubset, Problem


class ResolvedRun(NamedTuple):
    """A spec with everything that it names, looked up and checked."""

    spec: UnlearnSpec
    method: Method
    params: BaseHyperparameters
    card: ClassifierCard
    data: DeviceDataset
    split: Split
    before: FrozenModel
    previously_forgotten: tuple[Forget, ...] = ()
    """What the earlier runs that this one continues have already forgotten."""


def resolve_run(spec: UnlearnSpec, model_cache: ModelCache) -> ResolvedRun:
    """Look up everything that a spec names.

    Raises NotFoundError, InvalidHyperparameterError, InvalidRequestError, NotSupportedError or CorruptAssetError.
    """
    method = find_method(spec.method)
    params = method.params.parse(spec.params)
    check_support(method, spec.request.forget.kind)
    card = classifiers.card(spec.request.classifier)
    if spec.request.dataset != card.dataset:
        raise InvalidRequestError(
            f"{card.title} was trained on {card.dataset}, not on {spec.request.dataset}: choose {card.dataset}."
        )
    data = model_cache.dataset(card.dataset)
    split = make_split(data.card, data.image_dataset.labels, spec.request.forget)
    before = _start_model(spec, card, model_cache)
    return ResolvedRun(spec, method, params, card, data, split, before, _forgotten_before(spec, model_cache))


def check_support(method: Method, kind: str) -> None:
    """Raise NotSupportedError, naming the methods that can, if a method does not support this kind of request."""
    if kind in method.supports:
        return
    able = [other.title for other in methods().values() if kind in other.supports]
    what = {"classes": "whole classes", "images": "single images"}[kind]
    raise NotSupportedError(f"{method.title} cannot forget {what}. These methods can: {', '.join(able)}.")


def build_problem(resolved: ResolvedRun, model_cache: ModelCache) -> Problem:
    """Return the method's input: a copy of the model to change, and the image subsets that it declared."""
    spec, data, split = resolved.spec, resolved.data, remaining_split(resolved)
    forget = spec.request.forget
    classes = forget.classes if isinstance(forget, ForgetClasses) else ()
    gone_classes = {
        label
        for earlier in resolved.previously_forgotten
        if isinstance(earlier, ForgetClasses)
        for label in earlier.classes
    }
    needs, recipe = resolved.method.needs(resolved.params), resolved.card.recipe
    height, width, channels = data.images.shape[1:]

    def subset(*ids: np.ndarray) -> ImageSubset:
        rows = np.sort(np.concatenate(ids))
        return ImageSubset(data.images, data.labels, torch.from_numpy(rows).to(model_cache.device))

    make_model = naive_model_factory(resolved.card, model_cache)
    return Problem(
        model=trainable_copy(resolved.before.module),
        original_model=resolved.before.module,
        classifier=resolved.card,
        classes=len(data.card.classes),
        forgotten_classes=classes,
        image_shape=(channels, height, width),
        sizes=ProblemSize(
            forget=len(split.forget_train),
            retain=len(split.retain_train),
            forgotten_classes=len(classes),
            retained_classes=len(data.card.classes) - len(gone_classes | set(classes)),
            classes=len(data.card.classes),
            epochs=recipe.epochs if recipe else 0,
            batch=recipe.batch if recipe else 1,
        ),
        device=model_cache.device,
        seed=spec.seed,
        make_fresh_model=lambda number: make_model(spec.seed, "fresh", number),
        forget_subset=subset(split.forget_train) if needs.forget else None,
        retain_subset=subset(split.retain_train) if needs.retain else None,
        validation_subset=subset(split.forget_val, split.retain_val) if needs.validation else None,
        previously_forgotten=tuple(sorted(gone_classes - set(classes))),
    )


def original_model(card: ClassifierCard, model_cache: ModelCache) -> FrozenModel:
    """Return the original model of a classifier. Raises CorruptAssetError if its weights are missing."""
    found = model_cache.original(card)
    if found is None:
        raise CorruptAssetError(f"The weights of {card.title} are not in assets. Restore them: {HOW_TO_RESTORE}.")
    return found


def why_no_gold(request: ForgetRequest, start: int | None, card: ClassifierCard) -> str:
    """Return the reason why there is no gold, in a sentence."""
    if card.recipe is None:
        return (
            f"No retrained model: it is not known how {card.title} was trained, so it cannot be retrained. "
            "Confirm a recipe."
        )
    if start is not None:
        return "No retrained model: this run continues an earlier run, so retraining would leave out the data of both."
    return "There is no retrained model for this request yet: the classifier was not retrained without this data here."


def _start_model(spec: UnlearnSpec, card: ClassifierCard, model_cache: ModelCache) -> FrozenModel:
    if spec.start is None:
        return original_model(card, model_cache)
    path = artifacts.run_dir(model_cache.data_dir, spec.start) / artifacts.WEIGHTS_FILE
    if not path.exists():
        raise InvalidRequestError(
            f"Run {spec.start}, which this run should continue, has no stored weights. Choose another finished run."
        )
    return model_cache.load_model(card, f"run {spec.start}", path.read_bytes())


def remaining_split(resolved: ResolvedRun) -> Split:
    """Return the split without what earlier runs forgot: training on it again would undo them."""
    before = [
        make_split(resolved.data.card, resolved.data.image_dataset.labels, forget)
        for forget in resolved.previously_forgotten
    ]
    forgotten = [ids for split in before for ids in (split.forget_train, split.forget_val, split.forget_test)]
    retain = {name: ids for name, ids in resolved.split._asdict().items() if name.startswith("retain")}
    retain = {name: np.setdiff1d(ids, np.concatenate(forgotten)) if forgotten else ids for name, ids in retain.items()}
    if not len(retain["retain_train"]):
        raise InvalidRequestError(
            "The retain set would be empty: earlier runs have forgotten everything else. Forget less."
        )
    return resolved.split._replace(**retain)


def _forgotten_before(spec: UnlearnSpec, model_cache: ModelCache) -> tuple[Forget, ...]:
    """Return what the earlier runs that this one continues have forgotten, the last one first."""
    found: list[Forget] = []
    while spec.start is not None:
        head = json.loads((artifacts.run_dir(model_cache.data_dir, spec.start) / artifacts.REPORT_FILE).read_text())
        spec = UnlearnSpec.model_validate(head["spec"])
        found.append(spec.request.forget)
    return tuple(found)


def preset_params(method: Method, preset: str, forget: Forget, overrides: dict[str, Any]) -> BaseHyperparameters:
    """Return a preset as it fits the request, with overrides. Raises NotFoundError or InvalidHyperparameterError."""
    return lookup("preset", dict(method.presets), preset).for_request(forget).updated(overrides)
