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
MIN_PYTHON = (3, 11)
MIN_DISK_GB = 1.0
"""Gigabytes that the data folder's disk should have free."""


class CheckResult(NamedTuple):
    """One thing that was looked at: `ok`, or a `problem` that stops the lab, or a `note` that does not."""

    what: str
    state: str
    words: str


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")


def run(args: argparse.Namespace) -> int:
    findings = []
    for check in CHECKS:
        for finding in _run_check(check):
            findings.append(finding)
            if not args.json:
                print(f"{finding.state:<8} {finding.what:<22} {finding.words}", flush=True)
    problems = sum(finding.state == "problem" for finding in findings)
    if args.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=1))
    else:
        print("\nEverything that the lab needs works." if not problems else f"\n{problems} to mend: see above.")
    return 1 if problems else 0


def _run_check(check: Callable[[], Iterator[CheckResult]]) -> Iterator[CheckResult]:
    """A check whose own failure is a finding too: a doctor that falls ill helps nobody."""
    try:
        yield from check()
    except UnlearnError as problem:
        yield CheckResult(check.__name__.strip("_"), "problem", str(problem))
    except Exception as problem:  # noqa: BLE001 (a broken library may raise anything)
        words = f"{type(problem).__name__}: {problem}"
        yield CheckResult(
            check.__name__.strip("_"), "problem", f"{words}. Set the environment up again: `make clean run`."
        )


def _python() -> Iterator[CheckResult]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= MIN_PYTHON:
        yield CheckResult("python", "ok", version)
    else:
        yield CheckResult("python", "problem", f"{version} is too old: install Python 3.11 or newer.")


def _libraries() -> Iterator[CheckResult]:
    from packaging.requirements import Requirement

    lines = [line.split("#")[0].strip() for line in REQUIREMENTS.read_text().splitlines()]
    for wanted in (Requirement(line) for line in lines if line):
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            words = f"is not installed ({wanted}). Install it: `pip install -r requirements.txt`."
            yield CheckResult(wanted.name, "problem", words)
            continue
        if wanted.specifier.contains(version, prereleases=True):
            yield CheckResult(wanted.name, "ok", version)
        else:
            words = f"{version} does not fit {wanted.specifier}. Install: `pip install -r requirements.txt`."
            yield CheckResult(wanted.name, "problem", words)


def _torchvision_fits() -> Iterator[CheckResult]:
    import torch
    from torchvision.ops import nms

    nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    yield CheckResult("torch and torchvision", "ok", "fit together")


def _devices() -> Iterator[CheckResult]:
    import torch

    from unlearn_core.engine.devices import describe_device, list_devices, resolve_device

    for name in list_devices():
        words = describe_device(name)
        if name == "cpu":
            words = f"{torch.get_num_threads()} threads"
        else:
            words += f", {torch.cuda.get_device_properties(name).total_memory / 2**30:.0f} GiB"
        chosen = "; `auto` means this one" if resolve_device("auto") == name else ""
        yield CheckResult(f"device {name}", "ok", f"{words}; {_bfloat16(name)}{chosen}")


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


def _assets() -> Iterator[CheckResult]:
    from unlearn_core.data import datasets
    from unlearn_core.models import bundled_models, classifiers

    for card in datasets.cards().values():
        pictures = datasets.load(card.id)
        yield CheckResult(f"data set {card.id}", "ok", f"{len(pictures.labels):,} pictures, checksums right")
    for card in classifiers.cards().values():
        shipped = bundled_models.bundled(card.id)
        for net in shipped:
            bundled_models.read_weights(net)
            bundled_models.read_logits(net)
        what, golds = f"classifier {card.id}", sum(net.forget is not None for net in shipped)
        if bundled_models.find_bundled(card.id, None, card.seed) is None:
            yield CheckResult(
                what, "problem", "has no weights. Restore them: `git checkout -- assets`, or `make bundle`."
            )
        else:
            yield CheckResult(what, "ok", f"{len(shipped)} nets, {golds} of them golds, checksums right")


def _data_folder() -> Iterator[CheckResult]:
    from unlearn_core.store.data_folder import DATA_DIR_VARIABLE, open_data_dir

    folder = open_data_dir()
    yield CheckResult("data folder", "ok", f"{folder} can be written to")
    free = shutil.disk_usage(folder).free / 1e9
    if free >= MIN_DISK_GB:
        yield CheckResult("disk", "ok", f"{free:.0f} GB free")
    else:
        words = f"only {free:.1f} GB free: delete runs in the history, or name another folder in {DATA_DIR_VARIABLE}."
        yield CheckResult("disk", "note", words)


def _database() -> Iterator[CheckResult]:
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files.restore import notice
    from unlearn_core.store.queue.run_store import RunStore

    store = RunStore(open_data_dir())
    yield CheckResult("database", "ok", f"opens; {len(store.list_runs(limit=1_000_000)):,} runs in the history")
    told = notice(store.data_dir)
    if told:
        yield CheckResult("history", "note", told)
    workers = store.workers()
    for worker in workers:
        yield CheckResult("worker", "ok", f"{worker.name} on {worker.device} is {worker.state} (process {worker.pid})")
    if not workers:
        words = "none is at work. `make run` starts one by itself; by hand: `python -m unlearn_core worker`."
        yield CheckResult("worker", "note", words)


CHECKS = (_python, _libraries, _torchvision_fits, _devices, _assets, _data_folder, _database)
