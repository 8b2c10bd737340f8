"""Makes what ships with a classifier: its originals, their golds, and what each of them answers.

Resumable: a net that is finished is not trained again, and an interrupted one goes on from its last epoch.
"""

import io
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from unlearn_core.data import datasets
from unlearn_core.data.atomic_files import atomic_write, sha256
from unlearn_core.data.standard_requests import ENSEMBLE_REQUEST, ENSEMBLE_SIZE, bundled_requests, standard_requests
from unlearn_core.domain.forget_request import Forget, ForgetRequest
from unlearn_core.domain.split import make_split
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.jobs import ensemble_members
from unlearn_core.models import classifiers, ensembles
from unlearn_core.models.bundled_models import GOLD_SEED_OFFSET
from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.training import evaluate, weights
from unlearn_core.training.loops import TrainingState, train
from unlearn_core.training.seeding import seeded


class BuildTask(NamedTuple):
    """One net to make: its name, what it never sees, its seed, and where to put it."""

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
    """All nets that ship with a classifier, the most needed first.

    Original, golds of the requests whose golds ship, the original's twin from another seed; then as many more golds of
    each.
    """
    card = classifiers.card(classifier)
    dataset = datasets.card(card.dataset)
    requests = bundled_requests(card, dataset)
    wanted: list[tuple[str, Forget | None, int]] = [("original-0", None, card.seed)]
    for k in range(num_golds):
        wanted += [(f"gold-{name}-{k}", forget, GOLD_SEED_OFFSET + k) for name, forget in requests.items()]
        wanted += [("original-1", None, card.seed + 1)] if k == 0 else []
    threads = max(1, (os.cpu_count() or 1) // jobs)
    folder = assets / "classifiers" / classifier
    return [BuildTask(classifier, *what, folder, scratch, device, threads) for what in wanted]


def build_all(tasks: list[BuildTask], jobs: int) -> None:
    """Makes every net that is missing, `jobs` of them side by side, and prints how good each is.

    On a CPU one job a core, of one thread each, is fastest.
    """
    todo = [order for order in tasks if not (order.assets / f"{order.name}.json").exists()]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for line in pool.map(build, todo):
            print(line, flush=True)


def make_ensemble(*, assets: Path, scratch: Path, device: str, jobs: int) -> None:
    """Makes the population of golds that ships, in so far as it is missing, and prints how far it is."""
    classifier, name = ENSEMBLE_REQUEST
    card = classifiers.card(classifier)
    forget = standard_requests(datasets.card(card.dataset))[name]
    request = ForgetRequest(classifier=classifier, dataset=card.dataset, forget=forget)
    known, folder = ensembles.bundled_golds(request), scratch / f"population-{classifier}"
    there = 0 if known is None else len(known)
    if there >= ENSEMBLE_SIZE:
        return
    threads = max(1, (os.cpu_count() or 1) // jobs)
    orders = [
        ensemble_members.EnsembleTask(request, k, folder, scratch, device, threads) for k in range(there, ENSEMBLE_SIZE)
    ]
    for order in ensemble_members.build_all(orders, jobs):
        print(f"Gold {order.number + 1} of {ENSEMBLE_SIZE} of {classifier}.", flush=True)
    every = [ensemble_members.load_outputs(folder, order.number) for order in orders]
    whole = EnsembleOutputs.concatenate([one for one in (known, *every) if one is not None])
    ensembles.write_golds(assets, request, whole, {"torch": torch.__version__, "device": describe_device(device)})
    print(f"{len(whole)} golds: {whole.test.mean():.1%} of the unseen pictures on average.", flush=True)


def build(task: BuildTask) -> str:
    """Trains one net, writes its weights, its logits and its facts, and says how good it is."""
    torch.set_num_threads(task.threads)
    card, where, began = classifiers.card(task.classifier), torch.device(task.device), time.time()
    pictures = datasets.load(card.dataset)
    images, labels = (torch.from_numpy(array).to(where) for array in (pictures.images, pictures.labels))
    kept = np.ones(len(pictures.labels), bool)
    if task.forget is not None:
        split = make_split(datasets.card(card.dataset), pictures.labels, task.forget)
        kept[np.concatenate([split.forget_train, split.forget_val, split.forget_test])] = False
    state_file = task.scratch / f"{task.classifier}-{task.name}.pt"
    state = torch.load(state_file, weights_only=True, map_location=where) if state_file.exists() else None
    spent = state["seconds"] if state else 0.0

    def keep(state: TrainingState) -> None:
        buffer = io.BytesIO()
        torch.save(state | {"seconds": spent + time.time() - began}, buffer)
        atomic_write(state_file, buffer.getvalue())
        print(f"{task.name}: epoch {state['epochs']} of {card.required_recipe.epochs}", flush=True)

    with seeded(task.seed, "init"):
        net = classifiers.build(card, datasets.card(card.dataset))
    net = net.to(where).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    rows = torch.from_numpy(np.flatnonzero(kept[: pictures.train])).to(where)
    train(
        net,
        card.required_recipe,
        images,
        labels,
        rows,
        seed=task.seed,
        tracker=NullTracker(),
        state=state,
        after_epoch=keep,
    )
    seconds = spent + time.time() - began

    # What ships is the 16-bit net, so that is the one to be judged.
    data = weights.to_bytes(net, half=True)
    weights.from_bytes(net, data)
    answers = evaluate.logits(net, images).astype(np.float16)
    test = slice(pictures.train + pictures.val, None)
    accuracy = float((answers.argmax(1) == pictures.labels)[test][kept[test]].mean())
    buffer = io.BytesIO()
    np.save(buffer, answers)
    files = {f"{task.name}.safetensors": data, f"{task.name}.npy": buffer.getvalue()}
    facts = {
        "forget": task.forget and task.forget.model_dump(mode="json"),
        "seed": task.seed,
        "recipe": card.required_recipe.model_dump(),
        "weights": weights.checksum(net),
        "files": {name: sha256(content) for name, content in files.items()},
        "test accuracy on kept classes": accuracy,
        "seconds": round(seconds, 1),
        "made with": {"torch": torch.__version__, "device": describe_device(task.device), "threads": task.threads},
    }
    for name, content in files.items():
        atomic_write(task.assets / name, content)
    atomic_write(task.assets / f"{task.name}.json", json.dumps(facts, indent=1).encode())
    state_file.unlink(missing_ok=True)
    return f"{task.name}: {accuracy:.1%} of the unseen pictures of its classes, {seconds:.0f} s"
