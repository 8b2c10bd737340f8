"""Trains the models that ship with a classifier, originals and golds, and stores their weights and outputs.

Resumable: a finished model is not trained again, and an interrupted one continues from its last epoch.
"""

import io
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from unlearn_core.data import datasets
from unlearn_core.data.atomic_files import atomic_write, sha256
from unlearn_core.data.standard_requests import ENSEMBLE_REQUEST, ENSEMBLE_SIZE, bundled_requests, standard_requests
from unlearn_core.domain.forget_request import Forget, ForgetRequest
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.domain.split import make_split
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.jobs.common import ensemble_members
from unlearn_core.models import bundled_models, classifiers, ensembles, further_golds
from unlearn_core.models.bundled_models import GOLD_SEED_OFFSET
from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.training import evaluate, weights
from unlearn_core.training.loops import TrainingState, train
from unlearn_core.training.seeding import seeded

WITHOUT_OUTPUTS = ("resnet8-mislabelled",)
"""Classifiers of which weights ship and no outputs, to save space: these are computed where they are first needed."""


class BuildTask(NamedTuple):
    """One model to train: its name, what it must not be trained on, its seed, and its folder."""

    classifier: str
    name: str
    forget: Forget | None
    seed: int
    assets: Path
    scratch: Path
    device: str
    threads: int


def plan_tasks(
    classifier: str, *, num_golds: int, assets: Path, scratch: Path, device: str, jobs: int
) -> list[BuildTask]:
    """Return all models that ship with a classifier, the most needed first.

    They are the original, the golds of the bundled requests, the original from another seed, and then further golds.
    Of the latter only outputs ship (`pack_outputs`), so they are built in `scratch`.
    """
    card = classifiers.card(classifier)
    dataset = datasets.card(card.dataset)
    requests = bundled_requests(card, dataset)
    threads = max(1, (os.cpu_count() or 1) // jobs)
    folder = assets / "classifiers" / classifier

    def task(name: str, forget: Forget | None, seed: int, folder: Path = folder) -> BuildTask:
        return BuildTask(classifier, name, forget, seed, folder, scratch, device, threads)

    tasks = [task("original-0", None, card.seed)]
    if num_golds:
        tasks += [task(f"gold-{name}-0", forget, GOLD_SEED_OFFSET) for name, forget in requests.items()]
        tasks += [] if classifier in WITHOUT_OUTPUTS else [task("original-1", None, card.seed + 1)]
    for k in range(1, num_golds):
        for name, forget in requests.items():
            packed = further_golds.bundled_outputs(
                ForgetRequest(classifier=classifier, dataset=card.dataset, forget=forget)
            )
            if packed is None or k not in packed.numbers:
                built = scratch / "further-golds" / classifier
                tasks.append(task(f"gold-{name}-{k}", forget, GOLD_SEED_OFFSET + k, built))
    return tasks


def build_all(tasks: list[BuildTask], jobs: int) -> None:
    """Train every missing model, `jobs` of them in parallel, and print the accuracy of each.

    On a CPU, one job per core with one thread each is fastest.
    """
    missing = [task for task in tasks if not (task.assets / f"{task.name}.json").exists()]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for line in pool.map(build, missing):
            print(line, flush=True)


def pack_outputs(tasks: Sequence[BuildTask], assets: Path) -> None:
    """Add the outputs of further golds that were built to those that ship, on the images that verdicts need."""
    for task in tasks:
        if task.forget is None or task.seed <= GOLD_SEED_OFFSET:
            continue
        card = classifiers.card(task.classifier)
        request = ForgetRequest(classifier=task.classifier, dataset=card.dataset, forget=task.forget)
        facts = json.loads((task.assets / f"{task.name}.json").read_text())
        logits = bundled_models.unpack_logits((task.assets / f"{task.name}{bundled_models.PACKED}").read_bytes())
        data = datasets.load(card.dataset)
        split = make_split(datasets.card(card.dataset), data.labels, task.forget)
        rows = np.union1d(split.forget_train, np.arange(data.train, len(data.labels)))
        own = FurtherGolds(
            numbers=[task.seed - GOLD_SEED_OFFSET], rows=rows.astype(np.int32), logits=logits[None, rows]
        )
        further_golds.add_outputs(
            assets / "classifiers" / task.classifier, task.name.rpartition("-")[0], request, own, facts
        )


def make_ensemble(*, assets: Path, scratch: Path, device: str, jobs: int) -> None:
    """Train the missing members of the bundled ensemble of golds, and print the progress."""
    classifier, name = ENSEMBLE_REQUEST
    card = classifiers.card(classifier)
    forget = standard_requests(datasets.card(card.dataset))[name]
    request = ForgetRequest(classifier=classifier, dataset=card.dataset, forget=forget)
    known, folder = ensembles.bundled_golds(request), scratch / f"population-{classifier}"
    there = 0 if known is None else len(known)
    if there >= ENSEMBLE_SIZE:
        return
    threads = max(1, (os.cpu_count() or 1) // jobs)
    tasks = [
        ensemble_members.EnsembleTask(request, k, folder, scratch, device, threads) for k in range(there, ENSEMBLE_SIZE)
    ]
    for task in ensemble_members.build_all(tasks, jobs):
        print(f"Retrained model {task.number + 1} of {ENSEMBLE_SIZE} of {classifier}.", flush=True)
    outputs = [ensemble_members.load_outputs(folder, task.number) for task in tasks]
    whole = EnsembleOutputs.concatenate([member for member in (known, *outputs) if member is not None])
    ensembles.write_golds(assets, request, whole, {"torch": torch.__version__, "device": describe_device(device)})
    print(f"{len(whole)} retrained models: mean test accuracy {whole.test.mean():.1%}.", flush=True)


def build(task: BuildTask) -> str:
    """Train one model, write its weights, logits and facts, and return a line with its accuracy."""
    torch.set_num_threads(task.threads)
    card, where, began = classifiers.card(task.classifier), torch.device(task.device), time.time()
    data = datasets.load(card.dataset)
    images, labels = (torch.from_numpy(array).to(where) for array in (data.images, data.labels))
    retain = np.ones(len(data.labels), bool)
    if task.forget is not None:
        split = make_split(datasets.card(card.dataset), data.labels, task.forget)
        retain[np.concatenate([split.forget_train, split.forget_val, split.forget_test])] = False
    state_file = task.scratch / f"{task.classifier}-{task.name}.pt"
    state = torch.load(state_file, weights_only=True, map_location=where) if state_file.exists() else None
    spent = state["seconds"] if state else 0.0

    def save(state: TrainingState) -> None:
        buffer = io.BytesIO()
        torch.save(state | {"seconds": spent + time.time() - began}, buffer)
        atomic_write(state_file, buffer.getvalue())
        print(f"{task.name}: epoch {state['epochs']} of {card.required_recipe.epochs}", flush=True)

    with seeded(task.seed, "init"):
        model = classifiers.build(card, datasets.card(card.dataset))
    model = model.to(where).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    rows = torch.from_numpy(np.flatnonzero(retain[: data.train])).to(where)
    train(
        model,
        card.required_recipe,
        images,
        labels,
        rows,
        seed=task.seed,
        tracker=NullTracker(),
        state=state,
        after_epoch=save,
    )
    seconds = spent + time.time() - began

    # The 16-bit model ships, so it is the one that is evaluated.
    stored = weights.to_bytes(model, half=True)
    weights.from_bytes(model, stored)
    logits = evaluate.logits(model, images).astype(np.float16)
    test = slice(data.train + data.val, None)
    accuracy = float((logits.argmax(1) == data.labels)[test][retain[test]].mean())
    packs = task.classifier not in WITHOUT_OUTPUTS
    outputs = {f"{task.name}{bundled_models.PACKED}": bundled_models.pack_logits(logits)} if packs else {}
    files = {f"{task.name}.safetensors": stored, **outputs}
    facts = {
        "forget": task.forget and task.forget.model_dump(mode="json"),
        "seed": task.seed,
        "recipe": card.required_recipe.model_dump(),
        "weights": weights.checksum(model),
        "files": {name: sha256(content) for name, content in files.items()},
        "test accuracy on kept classes": accuracy,
        "seconds": round(seconds, 1),
        "made with": {"torch": torch.__version__, "device": describe_device(task.device), "threads": task.threads},
    }
    for name, content in files.items():
        atomic_write(task.assets / name, content)
    atomic_write(task.assets / f"{task.name}.json", json.dumps(facts, indent=1).encode())
    state_file.unlink(missing_ok=True)
    return f"{task.name}: test accuracy {accuracy:.1%} on its classes, {seconds:.0f} s"
