"""Lays a RunSpec out as a Problem: the nets, the split, and only those pictures that the method may see."""

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
from unlearn_core.methods import method as find_method
from unlearn_core.methods import methods
from unlearn_core.models import classifiers
from unlearn_core.plugins import lookup
from unlearn_core.store.files import artifacts
from unlearn_core.training.problem import ImageSubset, Problem


class ResolvedRun(NamedTuple):
    """A spec with everything that it names found and checked."""

    spec: UnlearnSpec
    method: Method
    params: BaseHyperparameters
    card: ClassifierCard
    data: DeviceDataset
    split: Split
    before: FrozenModel
    previously_forgotten: tuple[Forget, ...] = ()
    """What the runs before this one, from which it goes on, forgot already."""


def resolve_run(spec: UnlearnSpec, model_cache: ModelCache) -> ResolvedRun:
    """Finds what a spec names. Raises UnknownName, BadKnob, BadRequest, NotSupported or BadAsset, before any work."""
    method = find_method(spec.method)
    knobs = method.params.parse(spec.params)
    check_support(method, spec.request.forget.kind)
    card = classifiers.card(spec.request.classifier)
    if spec.request.dataset != card.dataset:
        raise InvalidRequestError(
            f"{card.title} was trained on {card.dataset}, not on {spec.request.dataset}: take that."
        )
    data = model_cache.dataset(card.dataset)
    split = make_split(data.card, data.image_dataset.labels, spec.request.forget)
    before = _start_model(spec, card, model_cache)
    return ResolvedRun(spec, method, knobs, card, data, split, before, _forgotten_before(spec, model_cache))


def check_support(method: Method, kind: str) -> None:
    """Raises NotSupported, naming the methods that can, where a method cannot serve this kind of request."""
    if kind in method.supports:
        return
    able = [other.title for other in methods().values() if kind in other.supports]
    what = {"classes": "whole classes", "images": "single pictures"}[kind]
    raise NotSupportedError(f"{method.title} cannot forget {what}. These can: {', '.join(able)}.")


def build_problem(resolved: ResolvedRun, model_cache: ModelCache) -> Problem:
    """What the method is handed: a copy to change, and the pools that it declared it needs."""
    spec, data, split = resolved.spec, resolved.data, remaining_split(resolved)
    wish = spec.request.forget
    classes = wish.classes if isinstance(wish, ForgetClasses) else ()
    gone_classes = {
        own for forget in resolved.previously_forgotten if isinstance(forget, ForgetClasses) for own in forget.classes
    }
    needs, recipe = resolved.method.needs(resolved.params), resolved.card.recipe
    height, width, channels = data.images.shape[1:]

    def pool(*ids: np.ndarray) -> ImageSubset:
        rows = np.sort(np.concatenate(ids))
        return ImageSubset(data.images, data.labels, torch.from_numpy(rows).to(model_cache.device))

    fresh = naive_model_factory(resolved.card, model_cache)
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
        make_fresh_model=lambda number: fresh(spec.seed, "fresh", number),
        forget_subset=pool(split.forget_train) if needs.forget else None,
        retain_subset=pool(split.retain_train) if needs.retain else None,
        validation_subset=pool(split.forget_val, split.retain_val) if needs.validation else None,
        previously_forgotten=tuple(sorted(gone_classes - set(classes))),
    )


def original_model(card: ClassifierCard, model_cache: ModelCache) -> FrozenModel:
    """The classifier itself. Raises BadAsset where it does not ship."""
    found = model_cache.original(card)
    if found is None:
        raise CorruptAssetError(
            f"The weights of {card.title} are not in assets. Restore them: `git checkout -- assets`."
        )
    return found


def why_no_gold(request: ForgetRequest, start: int | None, card: ClassifierCard) -> str:
    """The sentence that stands where gold should."""
    if card.recipe is None:
        return f"No gold: nobody has said how {card.title} was trained, so it cannot be trained anew. Confirm a recipe."
    if start is not None:
        return "No gold: this run goes on from an earlier one, so gold would have to be trained without either's data."
    return "There is no gold for this request yet: nobody has retrained the classifier without this data here."


def _start_model(spec: UnlearnSpec, card: ClassifierCard, model_cache: ModelCache) -> FrozenModel:
    if spec.start is None:
        return original_model(card, model_cache)
    path = artifacts.run_dir(model_cache.data_dir, spec.start) / artifacts.WEIGHTS_FILE
    if not path.exists():
        raise InvalidRequestError(
            f"Run {spec.start}, from which this one should go on, kept no weights. Choose a finished run."
        )
    return model_cache.load_model(card, f"run {spec.start}", path.read_bytes())


def remaining_split(resolved: ResolvedRun) -> Split:
    """The split without what earlier runs forgot: to learn that anew would undo them."""
    before = [
        make_split(resolved.data.card, resolved.data.image_dataset.labels, forget)
        for forget in resolved.previously_forgotten
    ]
    gone = [ids for one in before for ids in (one.forget_train, one.forget_val, one.forget_test)]
    kept = {name: ids for name, ids in resolved.split._asdict().items() if name.startswith("retain")}
    kept = {name: np.setdiff1d(ids, np.concatenate(gone)) if gone else ids for name, ids in kept.items()}
    if not len(kept["retain_train"]):
        raise InvalidRequestError(
            "Nothing would be left: earlier runs forgot all that this one does not. Keep something."
        )
    return resolved.split._replace(**kept)


def _forgotten_before(spec: UnlearnSpec, model_cache: ModelCache) -> tuple[Forget, ...]:
    """What the runs from which this one goes on were asked to forget, the last one first."""
    found: list[Forget] = []
    while spec.start is not None:
        head = json.loads((artifacts.run_dir(model_cache.data_dir, spec.start) / artifacts.REPORT_FILE).read_text())
        spec = UnlearnSpec.model_validate(head["spec"])
        found.append(spec.request.forget)
    return tuple(found)


def preset_params(method: Method, preset: str, forget: Forget, overrides: dict[str, Any]) -> BaseHyperparameters:
    """A preset as it fits the request, with some knobs turned. Raises UnknownName or BadKnob."""
    return lookup("preset", dict(method.presets), preset).for_request(forget).updated(overrides)
