"""`doctor`: what works on this machine, and what to do about what does not."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from unlearn_core.domain.errors import UnlearnError

HELP = "Say what works here and what to do about what does not."

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements.txt"
LEAST_PYTHON = (3, 11)
LEAST_DISK = 1.0
"""Gigabytes that the data folder's disk should have free."""


class Finding(NamedTuple):
    """One thing that was looked at: `ok`, or a `problem` that stops the lab, or a `note` that does not."""

    what: str
    state: str
    words: str


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")


def run(args: argparse.Namespace) -> int:
    findings = []
    for check in CHECKS:
        for finding in _careful(check):
            findings.append(finding)
            if not args.json:
                print(f"{finding.state:<8} {finding.what:<22} {finding.words}", flush=True)
    problems = sum(finding.state == "problem" for finding in findings)
    if args.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=1))
    else:
        print("\nEverything that the lab needs works." if not problems else f"\n{problems} to mend: see above.")
    return 1 if problems else 0


def _careful(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """A check whose own failure is a finding too: a doctor that falls ill helps nobody."""
    try:
        yield from check()
    except UnlearnError as problem:
        yield Finding(check.__name__.strip("_"), "problem", str(problem))
    except Exception as problem:  # noqa: BLE001 (a broken library may raise anything)
        words = f"{type(problem).__name__}: {problem}"
        yield Finding(check.__name__.strip("_"), "problem", f"{words}. Set the environment up again: `make clean run`.")


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= LEAST_PYTHON:
        yield Finding("python", "ok", version)
    else:
        yield Finding("python", "problem", f"{version} is too old: install Python 3.11 or newer.")


def _libraries() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    lines = [line.split("#")[0].strip() for line in REQUIREMENTS.read_text().splitlines()]
    for wanted in (Requirement(line) for line in lines if line):
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            words = f"is not installed ({wanted}). Install it: `pip install -r requirements.txt`."
            yield Finding(wanted.name, "problem", words)
            continue
        if wanted.specifier.contains(version, prereleases=True):
            yield Finding(wanted.name, "ok", version)
        else:
            words = f"{version} does not fit {wanted.specifier}. Install: `pip install -r requirements.txt`."
            yield Finding(wanted.name, "problem", words)


def _torchvision_fits() -> Iterator[Finding]:
    import torch
    from torchvision.ops import nms

    nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    yield Finding("torch and torchvision", "ok", "fit together")


def _devices() -> Iterator[Finding]:
    import torch

    from unlearn_core.engine.devices import available, describe, resolve

    for name in available():
        words = describe(name)
        if name == "cpu":
            words = f"{torch.get_num_threads()} threads"
        else:
            words += f", {torch.cuda.get_device_properties(name).total_memory / 2**30:.0f} GiB"
        chosen = "; `auto` means this one" if resolve("auto") == name else ""
        yield Finding(f"device {name}", "ok", f"{words}; {_bfloat16(name)}{chosen}")


def _bfloat16(device: str) -> str:
    """What bfloat16 is worth there, measured: the same training step in both precisions, by turns."""
    import torch
    from torch import nn

    from unlearn_core.models import architectures

    where = torch.device(device)
    net = architectures.build("resnet20", 10, 32, nn.Identity()).to(where).to(memory_format=torch.channels_last)
    pictures = torch.rand(128, 3, 32, 32, device=where).contiguous(memory_format=torch.channels_last)
    best = {True: float("inf"), False: float("inf")}
    for enabled in (True, False) * 2:
        began = time.perf_counter()
        with torch.autocast(where.type, dtype=torch.bfloat16, enabled=enabled):
            loss = net(pictures).float().square().mean()
        loss.backward()
        loss.item()
        best[enabled] = min(best[enabled], time.perf_counter() - began)
    return f"a step in bfloat16 is {best[False] / best[True]:.1f} times as fast as in float32"


def _assets() -> Iterator[Finding]:
    from unlearn_core.data import datasets
    from unlearn_core.models import bundled_models, classifiers

    for card in datasets.cards().values():
        pictures = datasets.load(card.id)
        yield Finding(f"data set {card.id}", "ok", f"{len(pictures.labels):,} pictures, checksums right")
    for card in classifiers.cards().values():
        shipped = bundled_models.shipped(card.id)
        for net in shipped:
            bundled_models.weights_of(net)
            bundled_models.logits_of(net)
        what, golds = f"classifier {card.id}", sum(net.forget is not None for net in shipped)
        if bundled_models.find(card.id, None, card.seed) is None:
            yield Finding(what, "problem", "has no weights. Restore them: `git checkout -- assets`, or `make bundle`.")
        else:
            yield Finding(what, "ok", f"{len(shipped)} nets, {golds} of them golds, checksums right")


def _data_folder() -> Iterator[Finding]:
    from unlearn_core.store.data_folder import HOME, home

    folder = home()
    yield Finding("data folder", "ok", f"{folder} can be written to")
    free = shutil.disk_usage(folder).free / 1e9
    if free >= LEAST_DISK:
        yield Finding("disk", "ok", f"{free:.0f} GB free")
    else:
        words = f"only {free:.1f} GB free: delete runs in the history, or name another folder in {HOME}."
        yield Finding("disk", "note", words)


def _database() -> Iterator[Finding]:
    from unlearn_core.store.data_folder import home
    from unlearn_core.store.files.restore import notice
    from unlearn_core.store.queue.run_store import RunStore

    store = RunStore(home())
    yield Finding("database", "ok", f"opens; {len(store.list(limit=1_000_000)):,} runs in the history")
    told = notice(store.home)
    if told:
        yield Finding("history", "note", told)
    workers = store.workers()
    for worker in workers:
        yield Finding("worker", "ok", f"{worker.name} on {worker.device} is {worker.state} (process {worker.pid})")
    if not workers:
        words = "none is at work. `make run` starts one by itself; by hand: `python -m unlearn_core worker`."
        yield Finding("worker", "note", words)


CHECKS = (_python, _libraries, _torchvision_fits, _devices, _assets, _data_folder, _database)
