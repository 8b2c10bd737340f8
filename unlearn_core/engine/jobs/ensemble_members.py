"""Many nets of one kind: golds of a request, or what a method makes of a classifier from seed after seed.

Each is trained, asked and thrown away; only its answers are kept, a file a net, so that nothing is done twice. On two
CPU cores two trainings of one thread each are faster than one of two threads, and than several nets stacked in one
(5,100 against 3,700 and 4,300 pictures a second for a ResNet-8 of width 8, bfloat16).
"""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.split import Split, make_split
from unlearn_core.domain.tracker import NullTracker, Tracker
from unlearn_core.engine.initial_weights import initial_model
from unlearn_core.engine.model_cache import DeviceDataset, FrozenModel, ModelCache, freeze_result
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.probes.common.neurips_score import Score, neurips_score, phi
from unlearn_core.training import evaluate
from unlearn_core.training.loops import train


class EnsembleTask(NamedTuple):
    """One net of a population: a gold of a request, or what a spec's method makes from that many seeds on."""

    source: ForgetRequest | UnlearnSpec
    number: int
    folder: Path
    """Where its answers are kept."""
    data_dir: Path
    device: str
    threads: int


def build_all(tasks: list[EnsembleTask], jobs: int) -> Iterator[EnsembleTask]:
    """Makes those nets that are missing, `jobs` of them side by side, and gives each order as it is done, in order."""
    todo = [order for order in tasks if not _file(order.folder, order.number).exists()]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_build, todo)


def _build(task: EnsembleTask) -> EnsembleTask:
    if torch.get_num_threads() != task.threads:
        torch.set_num_threads(task.threads)
    cache, tracker = _warm(task.device, task.data_dir), NullTracker()
    if isinstance(task.source, ForgetRequest):
        outputs = gold_outputs(task.source, task.number, cache, tracker)
    else:
        outputs = unlearned_outputs(task.source, task.number, cache, tracker)
    save_outputs(task.folder, task.number, outputs)
    return task


@cache
def _warm(device: str, data_dir: Path) -> ModelCache:
    """One a process, so that data and nets are loaded once."""
    return ModelCache(device, data_dir)


def gold_outputs(request: ForgetRequest, number: int, model_cache: ModelCache, tracker: Tracker) -> EnsembleOutputs:
    """One gold's answers; the very net that the run of kind gold with this number would give."""
    card = classifiers.card(request.classifier)
    data = model_cache.dataset(card.dataset)
    split = make_split(data.card, data.image_dataset.labels, request.forget)
    return outputs_of(
        _trained(card, split.retain_train, bundled_models.GOLD_SEED_OFFSET + number, model_cache, tracker), data, split
    )


def train_original(request: ForgetRequest, number: int, model_cache: ModelCache, tracker: Tracker) -> nn.Module:
    """A net that the classifier's recipe makes of all training pictures from another seed than the classifier's."""
    card = classifiers.card(request.classifier)
    data = model_cache.dataset(card.dataset)
    split = make_split(data.card, data.image_dataset.labels, request.forget)
    rows = np.sort(np.concatenate([split.forget_train, split.retain_train]))
    return _trained(card, rows, bundled_models.SHADOW_SEED_OFFSET + number, model_cache, tracker)


def _trained(card: ClassifierCard, rows: np.ndarray, seed: int, model_cache: ModelCache, tracker: Tracker) -> nn.Module:
    data, net = model_cache.dataset(card.dataset), initial_model(card, seed, model_cache)
    where = torch.from_numpy(rows).to(model_cache.device)
    train(net, card.required_recipe, data.images, data.labels, where, seed=seed, tracker=tracker)
    return net.eval()


def unlearned_outputs(
    spec: UnlearnSpec, number: int, model_cache: ModelCache, tracker: Tracker, before: FrozenModel | None = None
) -> EnsembleOutputs:
    """The answers of what the spec's method makes of its classifier, or of `before`, `number` seeds on."""
    layout = resolve_run(spec.model_copy(update={"seed": spec.seed + number}), model_cache)
    if before is not None:
        layout = layout._replace(before=before)
    problem = build_problem(layout, model_cache)
    layout.method.forget(problem, layout.params, tracker)
    return outputs_of(freeze_result(problem.model).module, layout.data, layout.split)


def outputs_of(model: nn.Module, data: DeviceDataset, split: Split) -> EnsembleOutputs:
    """What one net answers to the forgotten pictures, and how often it is right about the kept ones."""

    def answers(rows: np.ndarray) -> np.ndarray:
        return evaluate.logits(model, data.images[torch.from_numpy(rows).to(data.images.device)])

    labels = data.image_dataset.labels
    right = [
        float((answers(rows).argmax(1) == labels[rows]).mean()) for rows in (split.retain_train, split.retain_test)
    ]
    return EnsembleOutputs(answers(split.forget_train)[None], *(np.array([share], np.float32) for share in right))


def ensemble_score(ours: EnsembleOutputs, golds: EnsembleOutputs, labels: np.ndarray) -> Score:
    """The challenge's score of nets against equally many golds; labels (S,) are the forgotten pictures'."""
    return neurips_score(
        phi(ours.logits, labels),
        phi(golds.logits, labels),
        retain=(float(ours.retain.mean()), float(golds.retain.mean())),
        test=(float(ours.test.mean()), float(golds.test.mean())),
    )


def load_outputs(folder: Path, number: int) -> EnsembleOutputs | None:
    """The answers of a net that were kept there; None where nobody has made it yet."""
    path = _file(folder, number)
    return EnsembleOutputs.from_bytes(path.read_bytes()) if path.exists() else None


def save_outputs(folder: Path, number: int, outputs: EnsembleOutputs) -> EnsembleOutputs:
    """Keeps a net's answers, and gives them as they were kept: in 16 bits."""
    data = outputs.to_bytes()
    atomic_write(_file(folder, number), data)
    return EnsembleOutputs.from_bytes(data)


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:03d}.npz"
