"""`bench`: measure how long a run takes here, relative to bare training steps on this machine.

With `--architecture`, it measures what a model costs on images of a size instead, before there are any; with
`--neighbours`, how much slower a run is beside other programs.

Seconds depend on the machine and its load; ratios are measured within one process and compare better.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from unlearn_core.cli import _neighbours

HELP = "Measure a warm run, its parts, and how much slower it is than bare optimiser steps on this machine."

BARE_STEPS = 30

MAX_SIDE = 1024
"""The largest images to measure an architecture on, in pixels."""

STACKED = {"cpu": 4, "cuda": 64}
"""Trials trained stacked, by kind of device."""

BATCHED, ONE_BY_ONE = 64, 8
"""Images processed in one batch, and one by one, to compare the two."""

LABELS = {
    "method: pictures a second": "method: images per second",
    "bare training steps: pictures a second": "bare training steps: images per second",
    "one pass over all pictures (s)": "one pass over all images (s)",
    "trials side by side vs one by one (times as fast)": "trials stacked vs one by one (times as fast)",
}
"""What is printed for the keys of --json that older releases have fixed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classifier", default="resnet20", metavar="ID", help="the classifier (resnet20)")
    parser.add_argument("--forget-class", default="cat", metavar="NAME", help="the class to forget (cat)")
    parser.add_argument("--method", default="unsir", metavar="ID", help="the unlearning method (unsir)")
    parser.add_argument(
        "--architecture",
        metavar="NAME",
        help="measure training, evaluation and memory of this architecture instead, such as torchvision:mobilenet_v2",
    )
    parser.add_argument("--size", type=int, default=224, metavar="PIXELS", help="with --architecture: image size (224)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument(
        "--verdict",
        action="store_true",
        help="measure only the seconds from the end of forgetting to the verdict and to the whole report",
    )
    parser.add_argument(
        "--neighbours", action="store_true", help="measure a run on the CPU alone and beside busy programs instead"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.engine.build_spec import run_spec
    from unlearn_core.engine.devices import describe_device, resolve_device

    device = resolve_device(args.device)
    figures: dict[str, Any] = {"device": describe_device(device)}
    if args.architecture:
        figures |= _measure_architecture(args.architecture, args.size, device)
    else:
        spec = run_spec(args.classifier, method=args.method, classes=[args.forget_class])
        if args.neighbours:
            figures |= {"device": "CPU"} | _neighbours.measure(spec)
        else:
            with tempfile.TemporaryDirectory(prefix="unlearn-bench-") as folder:
                figures |= (measure_report if args.verdict else measure)(spec, device, Path(folder))
    if args.json:
        print(json.dumps(figures, indent=1))
    else:
        for name, value in figures.items():
            print(f"{LABELS.get(name, name):<44} {value if isinstance(value, str) else f'{value:,.2f}'}")
    return 0


def _measure_architecture(name: str, size: int, device: str) -> dict[str, float]:
    """Return what it costs on images of that size. Raises InvalidRequestError, NotFoundError and NotSupportedError."""
    import torch

    from unlearn_core.benchmarks import image_size
    from unlearn_core.domain.errors import InvalidRequestError

    if not 1 <= size <= MAX_SIDE:
        raise InvalidRequestError(f"--size can be 1 to {MAX_SIDE} pixels, not {size}.")
    return {"threads": float(torch.get_num_threads())} | image_size.measure(name, size, torch.device(device))


def measure_report(run_spec: Any, device: str, data_dir: Path) -> dict[str, float]:
    """Time a run from the end of forgetting, in a process that has loaded its data and models as a worker has."""
    from unlearn_core.engine.execute import ModelCache, execute_job
    from unlearn_core.engine.listener import NullListener
    from unlearn_core.store.queue.run_store import RunStore

    store, model_cache = RunStore(data_dir), ModelCache(device, data_dir)
    model_cache.prepare()
    run = store.get(store.register_running(run_spec, title="bench", device=device))
    began = time.perf_counter()
    seconds = execute_job(run, model_cache, NullListener()).seconds
    wall = time.perf_counter() - began
    return _after_forgetting(seconds, wall)


def _after_forgetting(seconds: Any, wall: float) -> dict[str, float]:
    """Return the seconds from the end of forgetting, of a run that took `wall` seconds."""
    return {
        "from forgetting to the verdict (s)": seconds.verdict,
        "from forgetting to the whole report (s)": wall - seconds.load - seconds.forget,
    }


def measure(run_spec: Any, device: str, data_dir: Path) -> dict[str, float]:
    """Time a first and a second run in one process, then bare training and evaluation on the same data."""
    import torch

    from unlearn_core.domain.results.course import TimingsResult
    from unlearn_core.engine.execute import ModelCache, execute_job
    from unlearn_core.engine.listener import NullListener
    from unlearn_core.store.files import reports
    from unlearn_core.store.queue.run_store import RunStore
    from unlearn_core.training import evaluate

    store, model_cache = RunStore(data_dir), ModelCache(device, data_dir)
    walls, run = [], 0
    for seed in (0, 1):
        spec = run_spec.model_copy(update={"seed": seed})
        run = store.register_running(spec, title="bench", device=device)
        began = time.perf_counter()
        execute_job(store.get(run), model_cache, NullListener())
        walls.append(time.perf_counter() - began)
    timings = reports.read(data_dir, run)[TimingsResult]
    seconds = timings.seconds
    data = model_cache.dataset(run_spec.request.dataset)
    bare = _bare(model_cache, run_spec, torch.device(device))
    began = time.perf_counter()
    evaluate.logits(model_cache.new_model(_card(run_spec), 0), data.images)
    once = time.perf_counter() - began
    rate = timings.images / seconds.forget
    return {
        "threads": float(torch.get_num_threads()),
        "first run, everything cold (s)": walls[0],
        "warm run (s)": walls[1],
        "  forgetting (s)": seconds.forget,
        "  evaluating (s)": seconds.evaluate,
        "  measuring (s)": seconds.probes,
        **_after_forgetting(seconds, walls[1]),
        **_probes(run, model_cache),
        "method: pictures a second": rate,
        "bare training steps: pictures a second": bare,
        "bare steps / method": bare / rate,
        "bare steps / training a classifier here": bare * _training_pace(run_spec, device, data_dir),
        "one pass over all pictures (s)": once,
        "evaluating / one pass": seconds.evaluate / once,
        "PGD batched vs one by one (times as fast)": _pgd_gain(model_cache, run_spec),
        "importance vectorised vs loop (times as fast)": _importance_gain(model_cache, run_spec),
        "trials side by side vs one by one (times as fast)": _stack_gain(model_cache, run_spec, bare),
    }


def _training_pace(run_spec: Any, device: str, data_dir: Path) -> float:
    """Return the seconds per image of an epoch as `train` trains it: augmented, monitored and saved."""
    from unlearn_core.domain.jobs import TrainSpec
    from unlearn_core.engine.jobs.train_classifier import train_locally
    from unlearn_core.engine.listener import NullListener

    card = _card(run_spec)
    recipe = card.required_recipe.model_copy(update={"epochs": 1})
    spec = TrainSpec(architecture=card.architecture, dataset=card.dataset, recipe=recipe)
    _, metrics = train_locally(spec, device=device, data_dir=data_dir, listener=NullListener())
    assert metrics.seconds_per_image is not None
    return metrics.seconds_per_image


def _probes(run: int, model_cache: Any) -> dict[str, float]:
    """Return the seconds of each measurement alone, slowest first."""
    from unlearn_core.engine import measure
    from unlearn_core.probes import probes

    _, report, resolved, after = measure.load_run(run, model_cache)
    models = measure.collect_models(report.spec, resolved, model_cache, after, {})
    seconds = {}
    for name in probes():
        began = time.perf_counter()
        measure.run_probes(report.spec, resolved, models, report.evaluations, {}, only=(name,))
        seconds[f"    {name} (s)"] = time.perf_counter() - began
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def _card(run_spec: Any) -> Any:
    from unlearn_core.models import classifiers

    return classifiers.card(run_spec.request.classifier)


def _bare(model_cache: Any, run_spec: Any, device: Any) -> float:
    """Return the images per second of forward, backward and step alone, at the recipe's batch size."""
    import torch
    from torch.nn import functional as F

    from unlearn_core.training.batches import to_floats
    from unlearn_core.training.precision import autocast

    card, data = _card(run_spec), model_cache.dataset(run_spec.request.dataset)
    batch = card.recipe.batch
    model = model_cache.new_model(card, 0).train()
    optimizer = torch.optim.SGD(model.parameters(), 0.01, 0.9)
    images, labels = to_floats(data.images[:batch]), data.labels[:batch]
    began = 0.0
    for step in range(-3, BARE_STEPS):
        if step == 0:
            _synchronize(device)
            began = time.perf_counter()
        with autocast(device):
            loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    _synchronize(device)
    return BARE_STEPS * len(labels) / (time.perf_counter() - began)


def _pgd_gain(model_cache: Any, run_spec: Any) -> float:
    """Return the speed-up per image of a PGD attack on a batch over attacks one by one."""
    import torch

    from unlearn_core.training.attacks import pgd_l2
    from unlearn_core.training.batches import to_floats

    data, model = model_cache.dataset(run_spec.request.dataset), model_cache.new_model(_card(run_spec), 0)
    images, targets = to_floats(data.images[:BATCHED]), data.labels[:BATCHED].flip(0)
    start = torch.rand_like(images)

    def attack(rows: slice) -> None:
        pgd_l2(model, images[rows], targets[rows], radius=1.0, step=0.1, steps=10, start=start[rows])

    return _gain(attack, model_cache.device)


def _importance_gain(model_cache: Any, run_spec: Any) -> float:
    """Return the speed-up per image of weight importance from a batch over one image at a time."""
    import torch

    from unlearn_core.training.batches import to_floats
    from unlearn_core.training.importance import output_sensitivity

    data, model = model_cache.dataset(run_spec.request.dataset), model_cache.new_model(_card(run_spec), 0).eval()
    images = to_floats(data.images[:BATCHED])

    def measure_importance(rows: slice) -> None:
        if len(images[rows]) > 1:
            output_sensitivity(model, images[rows])
        else:
            for gradient in torch.autograd.grad(model(images[rows]).norm(), list(model.parameters())):
                gradient.abs_()

    return _gain(measure_importance, model_cache.device)


def _stack_gain(model_cache: Any, run_spec: Any, bare_pace: float) -> float:
    """Return the speed-up of stacked trials over bare training steps of one model after another."""
    from unlearn_core.domain.tracker import NullTracker
    from unlearn_core.training.batches import to_floats
    from unlearn_core.training.stacked import StackedTrial, train_stacked

    card, data, steps = _card(run_spec), model_cache.dataset(run_spec.request.dataset), 3
    batch = card.recipe.batch
    one_batch = to_floats(data.images[:batch]), data.labels[:batch]
    models = [model_cache.new_model(card, number) for number in range(STACKED[model_cache.device.type])]

    def train(count: int) -> None:
        trials = [StackedTrial(model, NullTracker(), [one_batch] * count, 0.01, 0.9, 0.0) for model in models]
        train_stacked(trials, steps=count, linear_decay=False)
        _synchronize(model_cache.device)

    train(1)  # Exclude one-time costs.
    began = time.perf_counter()
    train(steps)
    return len(models) * steps * batch / (time.perf_counter() - began) / bare_pace


def _gain(work: Any, device: Any) -> float:
    """Return the time per image one by one over that in a batch; `work` takes a slice of the images."""
    seconds = []
    for parts in ([slice(row, row + 1) for row in range(ONE_BY_ONE)], [slice(BATCHED)]):
        work(parts[0])  # Exclude one-time costs.
        _synchronize(device)
        began = time.perf_counter()
        for part in parts:
            work(part)
        _synchronize(device)
        seconds.append(time.perf_counter() - began)
    return (seconds[0] / ONE_BY_ONE) / (seconds[1] / BATCHED)


def _synchronize(device: Any) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
