"""The models of a playground run: an original, an unlearned and a retrained one, each with its frames.

On a bundled data set they are those of the lab: the bundled classifier, and a retrained model that is bundled or
trained by the same recipe from the same seed. Drawn points have a classifier of their own, trained here.
"""

import time
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from unlearn_core.data import pixel_statistics, playground_points
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import CorruptAssetError, DivergedError, InvalidRequestError
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.recipe import adapt_to_size
from unlearn_core.domain.results.boundary_frames import BoundaryFrames
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.domain.split import Split, trainable_split
from unlearn_core.engine.initial_weights import initial_model
from unlearn_core.engine.listener import NullListener, RunListener
from unlearn_core.engine.model_cache import DeviceDataset, FrozenModel, ModelCache
from unlearn_core.engine.playground.boundary_recorder import BoundaryRecorder, EvaluationPoints
from unlearn_core.engine.setup import ResolvedRun, build_problem, check_support
from unlearn_core.engine.tracking.tracker import CancelOnlyTracker
from unlearn_core.methods import method as find_method
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.models.architectures import mlp
from unlearn_core.store.files import playground_results
from unlearn_core.training import loops, weights
from unlearn_core.training.seeding import seeded

ARCHITECTURE = "mlp"


class PointData(NamedTuple):
    """The points of a run with their classifier."""

    card: ClassifierCard
    data: DeviceDataset


def classifier_of(dataset: str) -> ClassifierCard:
    """Return the bundled classifier of a data set of points. Raises InvalidRequestError if there is none."""
    for card in classifiers.cards().values():
        if card.dataset == dataset and card.architecture == ARCHITECTURE:
            return card
    raise InvalidRequestError(f"There is no bundled classifier for {dataset!r}: choose another data set of points.")


def prepare_points(model_cache: ModelCache) -> None:
    """Load the bundled data sets of points with their classifiers, and make one run, whose frames are dropped."""
    for name in playground_points.point_datasets():
        forget = ForgetClasses(classes=(0,))
        spec = PointsSpec(part="unlearn", dataset=name, forget=forget, method="finetune")
        make_frames(spec, model_cache, NullListener())


def make_frames(spec: PointsSpec, model_cache: ModelCache, listener: RunListener) -> BoundaryFrames:
    """Make the model of a spec and return its frames.

    Raises InvalidRequestError, NotFoundError, NotSupportedError or InvalidHyperparameterError if it cannot be made.
    """
    points = point_data(spec, model_cache)
    if spec.part == "train":
        split = Split(*[np.arange(0)] * 6)._replace(
            retain_train=np.arange(points.data.card.train),
            retain_test=np.arange(points.data.card.train + points.data.card.val, len(points.data.labels)),
        )
        began = time.perf_counter()
        model = original(spec, points, model_cache, listener)
        return _recorder(model.module, points, split, listener).frames(time.perf_counter() - began)
    if spec.forget is None:
        raise InvalidRequestError("Nothing is selected to be forgotten: circle some points, or choose a class.")
    split = trainable_split(points.data.card, points.data.image_dataset.labels, spec.forget)
    if spec.part == "retrain":
        began = time.perf_counter()
        model = retrained(spec, points, split, model_cache, listener)
        return _recorder(model, points, split, listener).frames(time.perf_counter() - began)
    return _unlearned(spec, points, split, model_cache, listener)


def original(spec: PointsSpec, points: PointData, model_cache: ModelCache, listener: RunListener) -> FrozenModel:
    """Return the classifier of all points: the bundled one, or of drawn points the stored one or one trained now."""
    if not spec.drawn:
        found = model_cache.original(points.card)
        if found is None:
            raise CorruptAssetError(f"The weights of {points.card.title} are not in assets.")
        return found
    file = playground_results.weights_path(model_cache.data_dir, spec.original)
    if file.exists():
        return model_cache.load_model(points.card, "original", file.read_bytes())
    rows = np.arange(points.data.card.train)
    model = _trained(points, rows, points.card.seed, model_cache, listener)
    atomic_write(file, weights.to_bytes(model))
    return model_cache.load_model(points.card, "original", weights.to_bytes(model))


def _unlearned(
    spec: PointsSpec, points: PointData, split: Split, model_cache: ModelCache, listener: RunListener
) -> BoundaryFrames:
    resolved = resolve_points(spec, points, split, original(spec, points, model_cache, listener))
    problem = build_problem(resolved, model_cache)
    recorder = _recorder(problem.model, points, split, listener)
    recorder.phase("before")
    began, note = time.perf_counter(), ""
    try:
        with seeded(spec.seed, "noise", device=model_cache.device):
            resolved.method.forget(problem, resolved.params, recorder)
    except DivergedError as problem_found:
        note = str(problem_found)
    return recorder.frames(time.perf_counter() - began, note)


def resolve_points(spec: PointsSpec, points: PointData, split: Split, before: FrozenModel) -> ResolvedRun:
    """Return a playground run as one of the lab, checked. Raises the errors of `make_frames`."""
    assert spec.forget is not None
    method = find_method(spec.method)
    check_support(method, spec.forget.kind)
    params = method.params.parse(spec.params)
    request = ForgetRequest(classifier=points.card.id, dataset=points.data.card.id, forget=spec.forget)
    run = UnlearnSpec(request=request, method=spec.method, params=params.model_dump(), seed=spec.seed)
    return ResolvedRun(run, method, params, points.card, points.data, split, before)


def retrained(
    spec: PointsSpec, points: PointData, split: Split, model_cache: ModelCache, listener: RunListener
) -> nn.Module:
    assert spec.forget is not None
    if not spec.drawn:
        request = ForgetRequest(classifier=points.card.id, dataset=spec.dataset, forget=spec.forget)
        found = model_cache.gold(points.card, request, 0)
        if found is not None:
            return found.module
    return _trained(points, split.retain_train, bundled_models.GOLD_SEED_OFFSET, model_cache, listener)


def _trained(
    points: PointData, rows: np.ndarray, seed: int, model_cache: ModelCache, listener: RunListener
) -> nn.Module:
    model = initial_model(points.card, seed, model_cache)
    tracker = CancelOnlyTracker(listener)
    images, labels, recipe = points.data.images, points.data.labels, points.card.required_recipe
    loops.train(model, recipe, images, labels, torch.from_numpy(rows), seed=seed, tracker=tracker)
    return model.eval()


def point_data(spec: PointsSpec, model_cache: ModelCache) -> PointData:
    if not spec.drawn:
        playground_points.load_points(spec)
        card = classifier_of(spec.dataset)
        return PointData(card, model_cache.dataset(card.dataset))
    dataset_card, loaded = playground_points.load_points(spec)
    mean, std = pixel_statistics.channel_statistics(loaded)
    card = ClassifierCard(
        id=playground_points.DRAWN_ID,
        title="MLP · Drawn points",
        summary=dataset_card.summary,
        architecture=ARCHITECTURE,
        dataset=dataset_card.id,
        mean=mean,
        std=std,
        roles=mlp.CARD.roles,
        recipe=adapt_to_size(mlp.CARD.recipe, loaded.train),
        seed=0,
        licence=dataset_card.licence,
        source=dataset_card.source,
    )
    return PointData(card, model_cache.add_dataset(dataset_card, loaded))


def _recorder(model: nn.Module, points: PointData, split: Split, listener: RunListener) -> BoundaryRecorder:
    data = points.data

    def chosen(test: np.ndarray, train: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        rows = torch.from_numpy(test if len(test) else train)
        return data.images[rows], data.labels[rows]

    sides = EvaluationPoints(
        chosen(split.forget_test, split.forget_train), chosen(split.retain_test, split.retain_train)
    )
    return BoundaryRecorder(model, sides, mean=points.card.mean, std=points.card.std, check=listener.check)
