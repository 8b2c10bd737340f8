"""Makes what ships with the project: the originals, their golds, and what each of them answers.

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

from unlearn_core.catalog.classifiers import resnet20
from unlearn_core.catalog.datasets import cifar10_sample
from unlearn_core.catalog.files import sha256, write_whole
from unlearn_core.domain.tracker import Silent
from unlearn_core.training import evaluate, weights
from unlearn_core.training.loops import State, train
from unlearn_core.training.seeding import seeded

GOLD_SEED = 1000
"""The first gold's seed; a second gold of the same class takes the next."""


class Net(NamedTuple):
    """One net to ship: its name, the classes that it never saw, and its seed."""

    name: str
    forget: tuple[int, ...]
    seed: int


def plan(golds: int = 1) -> list[Net]:
    """All nets of the bundle, the most needed first."""
    classes = cifar10_sample.CARD.classes
    first = ["cat", "airplane", "dog"]
    order = first + [name for name in classes if name not in first]
    originals = [Net(f"original-{seed}", (), seed) for seed in (resnet20.CARD.seed, resnet20.CARD.seed + 1)]
    cats, *others = [
        Net(f"gold-{name}-{k}", (classes.index(name),), GOLD_SEED + k) for k in range(golds) for name in order
    ]
    return [originals[0], cats, *others, originals[1]]


def make_all(assets: Path, scratch: Path, *, golds: int, jobs: int, device: str) -> None:
    """Makes every net that is missing, `jobs` of them side by side (on a CPU, one thread each is fastest)."""
    todo = [net for net in plan(golds) if not (_folder(assets) / f"{net.name}.json").exists()]
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for line in pool.map(make, todo, *zip(*[(assets, scratch, threads, device)] * len(todo), strict=True)):
            print(line, flush=True)


def make(net: Net, assets: Path, scratch: Path, threads: int, device: str) -> str:
    """Trains one net, writes its weights, its logits and its facts, and says how good it is."""
    torch.set_num_threads(threads)
    where, began = torch.device(device), time.time()
    pictures, recipe = cifar10_sample.load(assets), resnet20.CARD.recipe
    images = torch.from_numpy(pictures.images).to(where)
    labels = torch.from_numpy(pictures.labels).to(where)
    rows = torch.from_numpy(np.flatnonzero(~np.isin(pictures.labels[: pictures.train], net.forget))).to(where)
    state_file = scratch / f"{net.name}.pt"
    state = torch.load(state_file, weights_only=True, map_location=where) if state_file.exists() else None
    spent = 0.0 if state is None else state["seconds"]

    def keep(state: State) -> None:
        buffer = io.BytesIO()
        torch.save(state | {"seconds": spent + time.time() - began}, buffer)
        write_whole(state_file, buffer.getvalue())
        print(f"{net.name}: epoch {state['epochs']} of {recipe.epochs}", flush=True)

    with seeded(net.seed, "init"):
        model = resnet20.build(len(cifar10_sample.CARD.classes)).to(where, memory_format=torch.channels_last)
    train(model, recipe, images, labels, rows, seed=net.seed, track=Silent(), state=state, after_epoch=keep)
    seconds = spent + time.time() - began

    # What ships is the 16-bit net, so that is the one to be judged.
    data = weights.to_bytes(model, half=True)
    weights.from_bytes(model, data)
    answers = evaluate.logits(model, images).astype(np.float16)
    buffer = io.BytesIO()
    np.save(buffer, answers)
    right = answers.argmax(1) == pictures.labels
    kept = ~np.isin(pictures.labels, net.forget)
    test = slice(pictures.train + pictures.val, None)
    accuracy = float(right[test][kept[test]].mean())
    facts = {
        "forget": net.forget,
        "seed": net.seed,
        "recipe": recipe.model_dump(),
        "weights": weights.checksum(model),
        "files": {f"{net.name}.safetensors": sha256(data), f"{net.name}.npy": sha256(buffer.getvalue())},
        "test accuracy on kept classes": accuracy,
        "seconds": round(seconds, 1),
        "made with": {"torch": torch.__version__, "device": _name(where), "threads": torch.get_num_threads()},
    }
    write_whole(_folder(assets) / f"{net.name}.safetensors", data)
    write_whole(_folder(assets) / f"{net.name}.npy", buffer.getvalue())
    write_whole(_folder(assets) / f"{net.name}.json", json.dumps(facts, indent=1).encode())
    return f"{net.name}: {accuracy:.1%} of unseen pictures of its classes, {seconds:.0f} s"


def _folder(assets: Path) -> Path:
    return assets / "classifiers" / resnet20.CARD.id


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
