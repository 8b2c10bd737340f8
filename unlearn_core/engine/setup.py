"""Turns an UnlearnSpec into a Problem: the models, the split, and only the images that the method may use."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import (
    CorruptAssetError,
    InvalidHyperparameterError,
    InvalidRequestError,
    NotSupportedError,
    StoreError,
)
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetRequest, forgotten_classes
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import Method, ProblemSize, RequestKind, unsupported_reason
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.domain.split import Split, make_split, remaining_split, trainable_split
from unlearn_core.engine.initial_weights import naive_model_factory
from unlearn_core.engine.model_cache import DeviceDataset, FrozenModel, ModelCache, trainable_copy
from unlearn_core.installation import HOW_TO_RESTORE
from unlearn_core.methods import method as find_method
from unlearn_core.methods import methods
from unlearn_core.models import classifiers
from unlearn_core.store.data_folder import free_bytes
from unlearn_core.store.files import artifacts, reports
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

    @property
    def remaining_split(self) -> Split:
        """The split without what earlier runs forgot. Raises InvalidRequestError if the retain set would be empty."""
        labels = self.data.image_dataset.labels
        return remaining_split(
            self.split, [make_split(self.data.card, labels, forget) for forget in self.previously_forgotten]
        )


def resolve_run(spec: UnlearnSpec, model_cache: ModelCache) -> ResolvedRun:
    """Look up everything that a spec names.

    Raises NotFoundError, InvalidHyperparameterError, InvalidRequestError, NotSupportedError or CorruptAssetError.
    """
    method = find_method(spec.method)
    params = method.params.parse(spec.params)
    check_support(method, spec.request.forget.kind)
    check_auto(method, spec.auto)
    card = classifiers.card(spec.request.classifier)
    if spec.request.dataset != card.dataset:
        raise InvalidRequestError(
            f"{card.title} was trained on {card.dataset}, not on {spec.request.dataset}: choose {card.dataset}."
        )
    data = model_cache.dataset(card.dataset)
    split = trainable_split(data.card, data.image_dataset.labels, spec.request.forget)
    before = _start_model(spec, card, model_cache)
    return ResolvedRun(
        spec, method, params, card, data, split, before, reports.previously_forgotten(model_cache.data_dir, spec.start)
    )


def check_support(method: Method, kind: RequestKind) -> None:
    """Raise NotSupportedError, naming the methods that can, if a method does not support this kind of request."""
    reason = unsupported_reason(method, kind, methods().values())
    if reason is not None:
        raise NotSupportedError(reason)


def check_auto(method: Method, auto: Sequence[str]) -> None:
    """Raise InvalidHyperparameterError if a run of this method cannot find one of these hyperparameters."""
    found = method.tuning.finds if method.tuning else ()
    for name in auto:
        if name not in found:
            known = f"it finds {', '.join(found)}" if found else "there is nothing to find"
            raise InvalidHyperparameterError(f"A run of {method.title} cannot find {name} itself: {known}.")


def stored_bytes(resolved: ResolvedRun) -> int:
    """Return how many bytes a run stores at least: its weights, and its float32 outputs on all images."""
    weights = sum(value.nbytes for value in resolved.before.module.state_dict().values())
    return weights + 4 * len(resolved.data.labels) * len(resolved.data.card.classes)


def check_disk(resolved: ResolvedRun, folder: Path) -> None:
    """Check that the disk of a folder has room for what a run stores, before it computes anything. Raises StoreError.

    The folder itself need not exist yet.
    """
    needed, free = stored_bytes(resolved), free_bytes(folder)
    if needed > free:
        raise StoreError(
            f"This run stores at least {needed / 1e6:,.1f} MB (weights and outputs), and the disk with {folder} has "
            f"{free / 1e6:,.1f} MB free: {(needed - free) / 1e6:,.1f} MB are missing. Free some space, then start the "
            "run again."
        )


def build_problem(resolved: ResolvedRun, model_cache: ModelCache) -> Problem:
    """Return the method's input: a copy of the model to change, and the image subsets that it declared."""
    spec, data, split = resolved.spec, resolved.data, resolved.remaining_split
    forget = spec.request.forget
    classes = forget.classes if isinstance(forget, ForgetClasses) else ()
    gone_classes = forgotten_classes(resolved.previously_forgotten)
    needs = resolved.method.needs(resolved.params)
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
        sizes=ProblemSize.of(split, data.card, forget, resolved.card, previously_forgotten=gone_classes),
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
