"""Measures a warm run and its parts, and how much slower it is than bare training steps: what `bench` prints."""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional as F

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.jobs import TrainSpec, UnlearnSpec
from unlearn_core.domain.results.course import RunSeconds, TimingsResult
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.execute import ModelCache, execute_job
from unlearn_core.engine.jobs.train_classifier import train_locally
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measuring import measure as engine_measure
from unlearn_core.models import classifiers
from unlearn_core.probes import probes
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import evaluate
from unlearn_core.training.attacks import pgd_l2
from unlearn_core.training.batches import to_floats
from unlearn_core.training.importance import output_sensitivity
from unlearn_core.training.precision import autocast
from unlearn_core.training.stacked import StackedTrial, train_stacked

BARE_STEPS = 30

STACKED = {"cpu": 4, "cuda": 64}
"""Trials trained stacked, by kind of device."""

BATCHED, ONE_BY_ONE = 64, 8
"""Images processed in one batch, and one by one, to compare the two."""


def measure_report(spec: UnlearnSpec, device: str, data_dir: Path) -> dict[str, float]:
    """Time a run from the end of forgetting, in a process that has loaded its data and models as a worker has."""
    store, model_cache = RunStore(data_dir), ModelCache(device, data_dir)
    model_cache.prepare()
    run = store.get(store.execution.register_running(spec, title="bench", device=device))
    began = time.perf_counter()
    execute_job(run, model_cache, NullListener())
    wall = time.perf_counter() - began
    return _after_forgetting(reports.read(data_dir, run.id)[TimingsResult].seconds, wall)


def _after_forgetting(seconds: RunSeconds, wall: float) -> dict[str, float]:
    """Return the seconds from the end of forgetting, of a run that took `wall` seconds."""
    assert seconds.verdict is not None, "a new run records it"
    return {
        "from forgetting to the verdict (s)": seconds.verdict,
        "from forgetting to the whole report (s)": wall - seconds.load - seconds.forget,
    }


def measure(spec: UnlearnSpec, device: str, data_dir: Path) -> dict[str, float]:
    """Time a first and a second run in one process, then bare training and evaluation on the same data."""
    store, model_cache = RunStore(data_dir), ModelCache(device, data_dir)
    walls, run = [], 0
    for seed in (0, 1):
        run = store.execution.register_running(spec.model_copy(update={"seed": seed}), title="bench", device=device)
        began = time.perf_counter()
        execute_job(store.get(run), model_cache, NullListener())
        walls.append(time.perf_counter() - began)
    timings = reports.read(data_dir, run)[TimingsResult]
    seconds = timings.seconds
    data = model_cache.dataset(spec.request.dataset)
    bare = _bare(model_cache, spec, torch.device(device))
    began = time.perf_counter()
    evaluate.logits(model_cache.new_model(_card(spec), 0), data.images)
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
        "bare steps / training a classifier here": bare * _training_pace(spec, device, data_dir),
        "one pass over all pictures (s)": once,
        "evaluating / one pass": seconds.evaluate / once,
        "PGD batched vs one by one (times as fast)": _pgd_gain(model_cache, spec),
        "importance vectorised vs loop (times as fast)": _importance_gain(model_cache, spec),
        "trials side by side vs one by one (times as fast)": _stack_gain(model_cache, spec, bare),
    }


def _training_pace(spec: UnlearnSpec, device: str, data_dir: Path) -> float:
    """Return the seconds per image of an epoch as `train` trains it: augmented, monitored and saved."""
    card = _card(spec)
    recipe = card.required_recipe.model_copy(update={"epochs": 1})
    training = TrainSpec(architecture=card.architecture, dataset=card.dataset, recipe=recipe)
    _, metrics = train_locally(training, device=device, data_dir=data_dir, listener=NullListener())
    assert metrics.seconds_per_image is not None
    return metrics.seconds_per_image


def _probes(run: int, model_cache: ModelCache) -> dict[str, float]:
    """Return the seconds of each measurement alone, slowest first."""
    _, report, resolved, after = engine_measure.load_run(run, model_cache)
    models = engine_measure.collect_models(report.spec, resolved, model_cache, after, {})
    seconds = {}
    for name in probes():
        began = time.perf_counter()
        engine_measure.run_probes(report.spec, resolved, models, report.evaluations, {}, only=(name,))
        seconds[f"    {name} (s)"] = time.perf_counter() - began
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def _card(spec: UnlearnSpec) -> ClassifierCard:

    return classifiers.card(spec.request.classifier)


def _bare(model_cache: ModelCache, spec: UnlearnSpec, device: torch.device) -> float:
    """Return the images per second of forward, backward and step alone, at the recipe's batch size."""
    card, data = _card(spec), model_cache.dataset(spec.request.dataset)
    batch = card.required_recipe.batch
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


def _pgd_gain(model_cache: ModelCache, spec: UnlearnSpec) -> float:
    """Return the speed-up per image of a PGD attack on a batch over attacks one by one."""
    data, model = model_cache.dataset(spec.request.dataset), model_cache.new_model(_card(spec), 0)
    images, targets = to_floats(data.images[:BATCHED]), data.labels[:BATCHED].flip(0)
    start = torch.rand_like(images)

    def attack(rows: slice) -> None:
        pgd_l2(model, images[rows], targets[rows], radius=1.0, step=0.1, steps=10, start=start[rows])

    return _gain(attack, model_cache.device)


def _importance_gain(model_cache: ModelCache, spec: UnlearnSpec) -> float:
    """Return the speed-up per image of weight importance from a batch over one image at a time."""
    data, model = model_cache.dataset(spec.request.dataset), model_cache.new_model(_card(spec), 0).eval()
    images = to_floats(data.images[:BATCHED])

    def measure_importance(rows: slice) -> None:
        if len(images[rows]) > 1:
            output_sensitivity(model, images[rows])
        else:
            for gradient in torch.autograd.grad(model(images[rows]).norm(), list(model.parameters())):
                gradient.abs_()

    return _gain(measure_importance, model_cache.device)


def _stack_gain(model_cache: ModelCache, spec: UnlearnSpec, bare_pace: float) -> float:
    """Return the speed-up of stacked trials over bare training steps of one model after another."""
    card, data, steps = _card(spec), model_cache.dataset(spec.request.dataset), 3
    batch = card.required_recipe.batch
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


def _gain(work: Callable[[slice], None], device: torch.device) -> float:
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


def _synchronize(device: torch.device) -> None:

    if device.type == "cuda":
        torch.cuda.synchronize(device)
