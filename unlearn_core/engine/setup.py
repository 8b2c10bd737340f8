"""Lays a RunSpec out as a Problem: the nets, the split, and only those pictures that the method may see."""

import json
from typing import Any, NamedTuple

import numpy as np
import torch

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import BadAsset, BadRequest, NotSupported
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import RunSpec
from unlearn_core.domain.method import Method, Sizes
from unlearn_core.domain.params import Params
from unlearn_core.domain.split import Split, cut
from unlearn_core.engine.initial_weights import unknowing
from unlearn_core.engine.model_cache import Data, Trained, Warm, copy_of
from unlearn_core.methods import method as find_method
from unlearn_core.methods import methods
from unlearn_core.models import classifiers
from unlearn_core.plugins import entry
from unlearn_core.store.files import artifacts
from unlearn_core.training.problem import Pool, Problem


class Layout(NamedTuple):
    """A spec with everything that it names found and checked."""

    spec: RunSpec
    method: Method
    knobs: Params
    card: ClassifierCard
    data: Data
    split: Split
    before: Trained
    gone: tuple[Forget, ...] = ()
    """What the runs before this one, from which it goes on, forgot already."""


def lay_out(spec: RunSpec, warm: Warm) -> Layout:
    """Finds what a spec names. Raises UnknownName, BadKnob, BadRequest, NotSupported or BadAsset, before any work."""
    method = find_method(spec.method)
    knobs = method.params.parse(spec.params)
    check_support(method, spec.request.forget.kind)
    card = classifiers.card(spec.request.classifier)
    if spec.request.dataset != card.dataset:
        raise BadRequest(f"{card.title} was trained on {card.dataset}, not on {spec.request.dataset}: take that.")
    data = warm.data(card.dataset)
    split = cut(data.card, data.pictures.labels, spec.request.forget)
    before = _start(spec, card, warm)
    return Layout(spec, method, knobs, card, data, split, before, _forgotten_before(spec, warm))


def check_support(method: Method, kind: str) -> None:
    """Raises NotSupported, naming the methods that can, where a method cannot serve this kind of request."""
    if kind in method.supports:
        return
    able = [other.title for other in methods().values() if kind in other.supports]
    what = {"classes": "whole classes", "images": "single pictures"}[kind]
    raise NotSupported(f"{method.title} cannot forget {what}. These can: {', '.join(able)}.")


def problem_of(layout: Layout, warm: Warm) -> Problem:
    """What the method is handed: a copy to change, and the pools that it declared it needs."""
    spec, data, split = layout.spec, layout.data, still_there(layout)
    wish = spec.request.forget
    classes = wish.classes if isinstance(wish, ForgetClasses) else ()
    gone_classes = {own for forget in layout.gone if isinstance(forget, ForgetClasses) for own in forget.classes}
    needs, recipe = layout.method.needs(layout.knobs), layout.card.recipe
    height, width, channels = data.images.shape[1:]

    def pool(*ids: np.ndarray) -> Pool:
        rows = np.sort(np.concatenate(ids))
        return Pool(data.images, data.labels, torch.from_numpy(rows).to(warm.device))

    fresh = unknowing(layout.card, warm)
    return Problem(
        net=copy_of(layout.before.net),
        original=layout.before.net,
        card=layout.card,
        classes=len(data.card.classes),
        forgotten_classes=classes,
        image_shape=(channels, height, width),
        sizes=Sizes(
            forget=len(split.forget_train),
            retain=len(split.retain_train),
            forgotten_classes=len(classes),
            kept_classes=len(data.card.classes) - len(gone_classes | set(classes)),
            classes=len(data.card.classes),
            epochs=recipe.epochs if recipe else 0,
            batch=recipe.batch if recipe else 1,
        ),
        device=warm.device,
        seed=spec.seed,
        build=lambda number: fresh(spec.seed, "fresh", number),
        forget_pool=pool(split.forget_train) if needs.forget else None,
        retain_pool=pool(split.retain_train) if needs.retain else None,
        validation_pool=pool(split.forget_val, split.retain_val) if needs.validation else None,
        gone_classes=tuple(sorted(gone_classes - set(classes))),
    )


def original_of(card: ClassifierCard, warm: Warm) -> Trained:
    """The classifier itself. Raises BadAsset where it does not ship."""
    found = warm.original(card)
    if found is None:
        raise BadAsset(f"The weights of {card.title} are not in assets. Restore them: `git checkout -- assets`.")
    return found


def why_no_gold(request: ForgetRequest, start: int | None, card: ClassifierCard) -> str:
    """The sentence that stands where gold should."""
    if card.recipe is None:
        return f"No gold: nobody has said how {card.title} was trained, so it cannot be trained anew. Confirm a recipe."
    if start is not None:
        return "No gold: this run goes on from an earlier one, so gold would have to be trained without either's data."
    return "There is no gold for this request yet: nobody has retrained the classifier without this data here."


def _start(spec: RunSpec, card: ClassifierCard, warm: Warm) -> Trained:
    if spec.start is None:
        return original_of(card, warm)
    path = artifacts.folder_of(warm.home, spec.start) / artifacts.WEIGHTS
    if not path.exists():
        raise BadRequest(f"Run {spec.start}, from which this one should go on, kept no weights. Choose a finished run.")
    return warm.from_bytes(card, f"run {spec.start}", path.read_bytes())


def still_there(layout: Layout) -> Split:
    """The split without what earlier runs forgot: to learn that anew would undo them."""
    before = [cut(layout.data.card, layout.data.pictures.labels, forget) for forget in layout.gone]
    gone = [ids for one in before for ids in (one.forget_train, one.forget_val, one.forget_test)]
    kept = {name: ids for name, ids in layout.split._asdict().items() if name.startswith("retain")}
    kept = {name: np.setdiff1d(ids, np.concatenate(gone)) if gone else ids for name, ids in kept.items()}
    if not len(kept["retain_train"]):
        raise BadRequest("Nothing would be left: earlier runs forgot all that this one does not. Keep something.")
    return layout.split._replace(**kept)


def _forgotten_before(spec: RunSpec, warm: Warm) -> tuple[Forget, ...]:
    """What the runs from which this one goes on were asked to forget, the last one first."""
    found: list[Forget] = []
    while spec.start is not None:
        head = json.loads((artifacts.folder_of(warm.home, spec.start) / artifacts.HEAD).read_text())
        spec = RunSpec.model_validate(head["spec"])
        found.append(spec.request.forget)
    return tuple(found)


def params_of(method: Method, preset: str, forget: Forget, values: dict[str, Any]) -> Params:
    """A preset as it fits the request, with some knobs turned. Raises UnknownName or BadKnob."""
    return entry("preset", dict(method.presets), preset).params_for(forget).with_values(values)
