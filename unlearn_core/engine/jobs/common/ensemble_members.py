"""The members of an ensemble: golds of a request, or a classifier after unlearning, one seed per member.

Each model is trained, evaluated and discarded; only its outputs are stored, one file per model, so that nothing is done
twice. On two CPU cores, two trainings of one thread each are faster than one of two threads or several stacked models
(5,100 against 3,700 and 4,300 images per second for a ResNet-8 of width 8, bfloat16).
"""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.split import Split, make_split
from unlearn_core.domain.tracker import NullTracker, Tracker
from unlearn_core.engine.initial_weights import initial_model
from unlearn_core.engine.model_cache import DeviceDataset, FrozenModel, ModelCache, freeze_result
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.engine.tuning import early_stop
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.probes.common.neurips_score import Score, neurips_score, phi
from unlearn_core.training import evaluate, weights
from unlearn_core.training.loops import train


class EnsembleTask(NamedTuple):
    """One member to build: a gold of a request, or a spec's run `number` seeds later."""

    source: ForgetRequest | UnlearnSpec
    number: int
    folder: Path
    """Where its outputs are stored."""
    data_dir: Path
    device: str
    threads: int
    recipe: Recipe | None = None
    """How golds are trained, where that is not the classifier's own recipe."""
    original: Path | None = None
    """Weights to unlearn from, where they are not the classifier's own."""


def build_all(tasks: list[EnsembleTask], jobs: int) -> Iterator[EnsembleTask]:
    """Build the missing members, `jobs` of them in parallel, and yield each task when it is done, in order.

    A single job is done in this process, which may have all that it needs already.
    """
    missing = [task for task in tasks if not _file(task.folder, task.number).exists()]
    if jobs == 1:
        yield from map(_build, missing)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_build, missing)


def _build(task: EnsembleTask) -> EnsembleTask:
    if torch.get_num_threads() != task.threads:
        torch.set_num_threads(task.threads)
    model_cache, tracker = _model_cache(task.device, task.data_dir), NullTracker()
    if isinstance(task.source, ForgetRequest):
        outputs = gold_outputs(task.source, task.number, model_cache, tracker, recipe=task.recipe)
    else:
        own = None if task.original is None else load_original(task.source.request, task.original, model_cache)
        outputs = unlearned_outputs(task.source, task.number, model_cache, tracker, own)
    save_outputs(task.folder, task.number, outputs)
    return task


@cache
def _model_cache(device: str, data_dir: Path) -> ModelCache:
    """Return one cache per process, so that data and models are loaded once."""
    return ModelCache(device, data_dir)


def load_original(request: ForgetRequest, weights_file: Path, model_cache: ModelCache) -> FrozenModel:
    """Return a model of the request's classifier with the weights of a safetensors file."""
    model = initial_model(classifiers.card(request.classifier), 0, model_cache)
    model.load_state_dict(load_file(weights_file, device=str(model_cache.device)))
    return FrozenModel("before", weights.checksum(model), model.eval().requires_grad_(False))


def gold_outputs(
    request: ForgetRequest, number: int, model_cache: ModelCache, tracker: Tracker, *, recipe: Recipe | None = None
) -> EnsembleOutputs:
    """Return one gold's outputs; without a recipe of its own the same model as from a gold job with this seed."""
    card = _with_recipe(classifiers.card(request.classifier), recipe)
    data = model_cache.dataset(card.dataset)
    split = make_split(data.card, data.image_dataset.labels, request.forget)
    return outputs_of(
        _trained(card, split.retain_train, bundled_models.GOLD_SEED_OFFSET + number, model_cache, tracker), data, split
    )


def train_original(
    request: ForgetRequest, number: int, model_cache: ModelCache, tracker: Tracker, *, recipe: Recipe | None = None
) -> nn.Module:
    """Return a model trained on all training images from another seed, by this recipe or the classifier's own."""
    card = _with_recipe(classifiers.card(request.classifier), recipe)
    data = model_cache.dataset(card.dataset)
    split = make_split(data.card, data.image_dataset.labels, request.forget)
    rows = np.sort(np.concatenate([split.forget_train, split.retain_train]))
    return _trained(card, rows, bundled_models.SHADOW_SEED_OFFSET + number, model_cache, tracker)


def _with_recipe(card: ClassifierCard, recipe: Recipe | None) -> ClassifierCard:
    return card if recipe is None else card.model_copy(update={"recipe": recipe})


def _trained(card: ClassifierCard, rows: np.ndarray, seed: int, model_cache: ModelCache, tracker: Tracker) -> nn.Module:
    data, model = model_cache.dataset(card.dataset), initial_model(card, seed, model_cache)
    positions = torch.from_numpy(rows).to(model_cache.device)
    train(model, card.required_recipe, data.images, data.labels, positions, seed=seed, tracker=tracker)
    return model.eval()


def unlearned_outputs(
    spec: UnlearnSpec, number: int, model_cache: ModelCache, tracker: Tracker, before: FrozenModel | None = None
) -> EnsembleOutputs:
    """Return the outputs after unlearning from the spec's classifier, or from `before`, `number` seeds later."""
    resolved = resolve_run(spec.model_copy(update={"seed": spec.seed + number}), model_cache)
    if before is not None:
        resolved = resolved._replace(before=before)
    problem = build_problem(resolved, model_cache)
    early_stop.forget(resolved, problem, tracker)
    return outputs_of(freeze_result(problem.model).module, resolved.data, resolved.split)


def outputs_of(model: nn.Module, data: DeviceDataset, split: Split) -> EnsembleOutputs:
    """Return one model's logits on the forget set, and its accuracy on the retain set."""

    def logits(rows: np.ndarray) -> np.ndarray:
        return evaluate.logits(model, data.images[torch.from_numpy(rows).to(data.images.device)])

    labels = data.image_dataset.labels
    accuracies = [
        float((logits(rows).argmax(1) == labels[rows]).mean()) for rows in (split.retain_train, split.retain_test)
    ]
    return EnsembleOutputs(logits(split.forget_train)[None], *(np.array([share], np.float32) for share in accuracies))


def ensemble_score(ours: EnsembleOutputs, golds: EnsembleOutputs, labels: np.ndarray) -> Score:
    """Return the challenge's score of models against equally many golds; labels (S,) of the forget set."""
    return neurips_score(
        phi(ours.logits, labels),
        phi(golds.logits, labels),
        retain=(float(ours.retain.mean()), float(golds.retain.mean())),
        test=(float(ours.test.mean()), float(golds.test.mean())),
    )


def load_outputs(folder: Path, number: int) -> EnsembleOutputs | None:
    """Return the stored outputs of a member; None if there are none yet."""
    path = _file(folder, number)
    return EnsembleOutputs.from_bytes(path.read_bytes()) if path.exists() else None


def save_outputs(folder: Path, number: int, outputs: EnsembleOutputs) -> EnsembleOutputs:
    """Store the outputs of a member, and return them as they were stored: in 16 bits."""
    data = outputs.to_bytes()
    atomic_write(_file(folder, number), data)
    return EnsembleOutputs.from_bytes(data)


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:03d}.npz"
