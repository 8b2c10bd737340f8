"""`doctor`: check this machine, and say how to fix what does not work."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import NamedTuple

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.installation import HOW_TO_RESTORE, IS_CHECKOUT, ROOT, VERSION

HELP = "Check the installation, devices, assets and data folder, and say how to fix what does not work."

REQUIREMENTS = ROOT / "requirements.txt"
MIN_PYTHON = (3, 11)
MIN_DISK_GB = 1.0
"""Gigabytes that should be free on the disk of the data folder."""


class CheckResult(NamedTuple):
    """The result of one check: `ok`, a `problem` that stops the lab, or a `note` that does not."""

    what: str
    state: str
    words: str


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")


def run(args: argparse.Namespace) -> int:
    results = []
    for check in CHECKS:
        for result in _run_check(check):
            results.append(result)
            if not args.json:
                print(f"{result.state:<8} {result.what:<22} {result.words}", flush=True)
    problems = sum(result.state == "problem" for result in results)
    if args.json:
        print(json.dumps([result._asdict() for result in results], indent=1))
    else:
        found = "1 problem" if problems == 1 else f"{problems} problems"
        print(f"\n{found} found: see above how to fix it." if problems else "\nNo problems found.")
    return 1 if problems else 0


def _run_check(check: Callable[[], Iterator[CheckResult]]) -> Iterator[CheckResult]:
    """Run a check; if the check itself fails, that is a problem too."""
    try:
        yield from check()
    except UnlearnError as problem:
        yield CheckResult(check.__name__.strip("_"), "problem", str(problem))
    except Exception as problem:  # noqa: BLE001 (a broken library may raise anything)
        again = "make clean run" if IS_CHECKOUT else "pip install --force-reinstall unlearn-lab"
        words = f"{type(problem).__name__}: {problem}. Set up the environment again: `{again}`."
        yield CheckResult(check.__name__.strip("_"), "problem", words)


def _version() -> Iterator[CheckResult]:
    yield CheckResult("unlearn-lab", "ok", f"{VERSION}, {'in the checkout' if IS_CHECKOUT else 'installed in'} {ROOT}")


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
            words = f"not installed ({wanted}). Install it: `pip install '{wanted}'`."
            yield CheckResult(wanted.name, "problem", words)
            continue
        if wanted.specifier.contains(version, prereleases=True):
            yield CheckResult(wanted.name, "ok", version)
        else:
            words = f"{version} does not match {wanted.specifier}. Install: `pip install '{wanted}'`."
            yield CheckResult(wanted.name, "problem", words)


def _torchvision_fits() -> Iterator[CheckResult]:
    import torch
    from torchvision.ops import nms

    nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    yield CheckResult("torch and torchvision", "ok", "compatible")


def _devices() -> Iterator[CheckResult]:
    import torch

    from unlearn_core.engine.devices import describe_device, list_devices, resolve_device

    for name in list_devices():
        words = describe_device(name)
        if name == "cpu":
            words = f"{torch.get_num_threads()} threads"
        else:
            words += f", {torch.cuda.get_device_properties(name).total_memory / 2**30:.0f} GiB"
        chosen = "; `auto` selects it" if resolve_device("auto") == name else ""
        yield CheckResult(f"device {name}", "ok", f"{words}; {_bfloat16(name)}{chosen}")


def _bfloat16(device: str) -> str:
    """Return the measured speed-up of a training step in bfloat16, the two precisions in turn."""
    import torch
    from torch import nn

    from unlearn_core.models import architectures

    target = torch.device(device)
    model = architectures.build("resnet20", 10, 32, nn.Identity()).to(target).to(memory_format=torch.channels_last)
    images = torch.rand(128, 3, 32, 32, device=target).contiguous(memory_format=torch.channels_last)
    best = {True: float("inf"), False: float("inf")}
    for enabled in (True, False) * 2:
        began = time.perf_counter()
        with torch.autocast(target.type, dtype=torch.bfloat16, enabled=enabled):
            loss = model(images).float().square().mean()
        loss.backward()
        loss.item()
        best[enabled] = min(best[enabled], time.perf_counter() - began)
    return f"a training step in bfloat16 is {best[False] / best[True]:.1f} times as fast as in float32"


def _assets() -> Iterator[CheckResult]:
    from unlearn_core.data import datasets
    from unlearn_core.models import bundled_models, classifiers, further_golds

    for card in datasets.cards().values():
        images = datasets.load(card.id)
        unit = "points" if card.is_points else "images"
        yield CheckResult(f"data set {card.id}", "ok", f"{len(images.labels):,} {unit}, checksums correct")
    for card in classifiers.cards().values():
        bundled = bundled_models.bundled(card.id)
        for model in bundled:
            bundled_models.read_weights(model)
            if model.has_outputs:
                bundled_models.read_logits(model)
        what, golds = f"classifier {card.id}", sum(model.forget is not None for model in bundled)
        more = sum(len(outputs.numbers) for outputs in further_golds.every_output(card.id))
        if bundled_models.find_bundled(card.id, None, card.seed) is None:
            yield CheckResult(what, "problem", f"has no weights. Restore them: {HOW_TO_RESTORE}.")
        else:
            found = f"{len(bundled)} bundled models, {golds} of them retrained"
            found += f"; outputs of {more} more retrained models" if more else ""
            yield CheckResult(what, "ok", f"{found}; checksums correct")


def _data_folder() -> Iterator[CheckResult]:
    from unlearn_core.store.data_folder import open_data_dir

    folder = open_data_dir()
    yield CheckResult("data folder", "ok", f"{folder} is writable")
    free = shutil.disk_usage(folder).free / 1e9
    if free >= MIN_DISK_GB:
        yield CheckResult("disk", "ok", f"{free:.0f} GB free")
    else:
        words = f"only {free:.1f} GB free: delete runs in the history, or set UNLEARN_HOME to another folder."
        yield CheckResult("disk", "note", words)


def _database() -> Iterator[CheckResult]:
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files.restore import notice
    from unlearn_core.store.queue.run_store import RunStore

    store = RunStore(open_data_dir())
    count = len(store.list_runs(limit=1_000_000))
    yield CheckResult("database", "ok", f"opens, with {count:,} {'run' if count == 1 else 'runs'} in the history")
    restored = notice(store.data_dir)
    if restored:
        yield CheckResult("history", "note", restored)
    workers = store.workers()
    for worker in workers:
        yield CheckResult("worker", "ok", f"{worker.name} on {worker.device} is {worker.state} (process {worker.pid})")
    if not workers:
        words = "no worker is running. Start one with `python -m unlearn_core serve` or `worker`."
        yield CheckResult("worker", "note", words)


CHECKS = (_version, _python, _libraries, _torchvision_fits, _devices, _assets, _data_folder, _database)
