"""`bench`: how long a run takes here, beside what this machine can do at all.

Seconds depend on what else the machine is doing; the ratios are taken within one process and travel better.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

HELP = "Measure a warm run, its parts, and how much slower it is than bare optimiser steps."

BARE_STEPS = 30

STACKED = {"cpu": 4, "cuda": 64}
"""Trials that are trained side by side, by kind of device."""

TOGETHER, ALONE = 64, 8
"""Pictures that are attacked or weighed at once, and one after the other, to compare the two."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classifier", default="resnet20", metavar="ID")
    parser.add_argument("--forget-class", default="cat", metavar="NAME")
    parser.add_argument("--method", default="unsir", metavar="ID")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.engine.build_spec import run_spec
    from unlearn_core.engine.devices import describe_device, resolve_device

    device = resolve_device(args.device)
    wish = run_spec(args.classifier, method=args.method, classes=[args.forget_class])
    with tempfile.TemporaryDirectory(prefix="unlearn-bench-") as folder:
        figures = {"device": describe_device(device)} | measure(wish, device, Path(folder))
    if args.json:
        print(json.dumps(figures, indent=1))
    else:
        print(
            "\n".join(
                f"{name:<44} {value if isinstance(value, str) else f'{value:,.2f}'}" for name, value in figures.items()
            )
        )
    return 0


def measure(run_spec: Any, device: str, data_dir: Path) -> dict[str, float]:
    """A first and a second run of one process, then bare training and evaluation on the same data."""
    import torch

    from unlearn_core.engine.execute import ModelCache, execute_job
    from unlearn_core.engine.listener import NullListener
    from unlearn_core.store.files import reports
    from unlearn_core.store.queue.run_store import RunStore
    from unlearn_core.training import evaluate

    store, warm, walls, headline, run = RunStore(data_dir), ModelCache(device, data_dir), [], {}, 0
    for seed in (0, 1):
        again = run_spec.model_copy(update={"seed": seed})
        run = store.register_running(again, title="bench", device=device)
        began = time.perf_counter()
        headline = execute_job(store.get(run), warm, NullListener())
        walls.append(time.perf_counter() - began)
    seconds, timings = headline["seconds"], reports.read(data_dir, run).parts["timings"].facts
    data = warm.dataset(run_spec.request.dataset)
    bare = _bare(warm, run_spec, torch.device(device))
    began = time.perf_counter()
    evaluate.logits(warm.new_model(_card(run_spec), 0), data.images)
    once = time.perf_counter() - began
    rate = timings["pictures"] / seconds["forget"]
    return {
        "threads": float(torch.get_num_threads()),
        "first run, everything cold (s)": walls[0],
        "warm run (s)": walls[1],
        "  forgetting (s)": seconds["forget"],
        "  evaluating (s)": seconds["evaluate"],
        "  measuring (s)": seconds["probes"],
        **_probes(run, warm),
        "method: pictures a second": rate,
        "bare training steps: pictures a second": bare,
        "bare steps / method": bare / rate,
        "bare steps / training a classifier here": bare * _training_pace(run_spec, device, data_dir),
        "one pass over all pictures (s)": once,
        "evaluating / one pass": seconds["evaluate"] / once,
        "PGD batched vs one by one (times as fast)": _pgd_gain(warm, run_spec),
        "importance vectorised vs loop (times as fast)": _importance_gain(warm, run_spec),
        "trials side by side vs one by one (times as fast)": _stack_gain(warm, run_spec, bare),
    }


def _training_pace(run_spec: Any, device: str, data_dir: Path) -> float:
    """Seconds a picture of an epoch as `train` trains it: augmented, watched, and saved in the end."""
    from unlearn_core.domain.jobs import TrainSpec
    from unlearn_core.engine.jobs.train_classifier import train_locally
    from unlearn_core.engine.listener import NullListener

    card = _card(run_spec)
    recipe = card.required_recipe.model_copy(update={"epochs": 1})
    spec = TrainSpec(architecture=card.architecture, dataset=card.dataset, recipe=recipe)
    return train_locally(spec, device=device, data_dir=data_dir, listener=NullListener())[1]["seconds_per_picture"]


def _probes(run: int, model_cache: Any) -> dict[str, float]:
    """The seconds of each probe by itself, the dearest first."""
    from unlearn_core.engine import measure
    from unlearn_core.probes import probes

    _, report, layout, after = measure.load_run(run, model_cache)
    models = measure.collect_models(report.spec, layout, model_cache, after, {})
    spent = {}
    for name in probes():
        began = time.perf_counter()
        measure.run_probes(report.spec, layout, models, report.evaluations, {}, only=(name,))
        spent[f"    {name} (s)"] = time.perf_counter() - began
    return dict(sorted(spent.items(), key=lambda item: -item[1]))


def _card(run_spec: Any) -> Any:
    from unlearn_core.models import classifiers

    return classifiers.card(run_spec.request.classifier)


def _bare(model_cache: Any, run_spec: Any, device: Any) -> float:
    """Pictures a second of nothing but forward, backward and step, at the recipe's batch."""
    import torch
    from torch.nn import functional as F

    from unlearn_core.training.batches import to_floats
    from unlearn_core.training.precision import autocast

    card, data = _card(run_spec), model_cache.data(run_spec.request.dataset)
    batch = card.recipe.batch
    net = model_cache.fresh(card, 0).train()
    optimiser = torch.optim.SGD(net.parameters(), 0.01, 0.9)
    pictures, labels = to_floats(data.images[:batch]), data.labels[:batch]
    began = 0.0
    for step in range(-3, BARE_STEPS):
        if step == 0:
            _settle(device)
            began = time.perf_counter()
        with autocast(device):
            loss = F.cross_entropy(net(pictures), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    _settle(device)
    return BARE_STEPS * len(labels) / (time.perf_counter() - began)


def _pgd_gain(model_cache: Any, run_spec: Any) -> float:
    """How many times as fast a picture is attacked in a batch as by itself."""
    import torch

    from unlearn_core.training.attacks import pgd_l2
    from unlearn_core.training.batches import to_floats

    data, net = model_cache.data(run_spec.request.dataset), model_cache.fresh(_card(run_spec), 0)
    pictures, targets = to_floats(data.images[:TOGETHER]), data.labels[:TOGETHER].flip(0)
    start = torch.rand_like(pictures)

    def attack(rows: slice) -> None:
        pgd_l2(net, pictures[rows], targets[rows], radius=1.0, step=0.1, steps=10, start=start[rows])

    return _gain(attack, model_cache.device)


def _importance_gain(model_cache: Any, run_spec: Any) -> float:
    """How many times as fast the importance of weights is taken from a batch as from one picture after the other."""
    import torch

    from unlearn_core.training.batches import to_floats
    from unlearn_core.training.importance import output_sensitivity

    data, net = model_cache.data(run_spec.request.dataset), model_cache.fresh(_card(run_spec), 0).eval()
    pictures = to_floats(data.images[:TOGETHER])

    def weigh(rows: slice) -> None:
        if len(pictures[rows]) > 1:
            output_sensitivity(net, pictures[rows])
        else:
            for slope in torch.autograd.grad(net(pictures[rows]).norm(), list(net.parameters())):
                slope.abs_()

    return _gain(weigh, model_cache.device)


def _stack_gain(model_cache: Any, run_spec: Any, bare_pace: float) -> float:
    """How many times as fast trials of this net are trained side by side as bare steps are made one after another."""
    from unlearn_core.domain.tracker import NullTracker
    from unlearn_core.training.batches import to_floats
    from unlearn_core.training.stacked import StackedTrial, train_stacked

    card, data, steps = _card(run_spec), model_cache.data(run_spec.request.dataset), 3
    batch = card.recipe.batch
    one = to_floats(data.images[:batch]), data.labels[:batch]
    nets = [model_cache.fresh(card, number) for number in range(STACKED[model_cache.device.type])]

    def train(count: int) -> None:
        lanes = [StackedTrial(net, NullTracker(), [one] * count, 0.01, 0.9, 0.0) for net in nets]
        train_stacked(lanes, steps=count, linear_decay=False)
        _settle(model_cache.device)

    train(1)  # Whatever happens only once has happened.
    began = time.perf_counter()
    train(steps)
    return len(nets) * steps * batch / (time.perf_counter() - began) / bare_pace


def _gain(work: Any, device: Any) -> float:
    """The time of a picture by itself over that of one among many; `work` is handed a slice of the pictures."""
    spent = []
    for parts in ([slice(row, row + 1) for row in range(ALONE)], [slice(TOGETHER)]):
        work(parts[0])  # Whatever happens only once has happened.
        _settle(device)
        began = time.perf_counter()
        for part in parts:
            work(part)
        _settle(device)
        spent.append(time.perf_counter() - began)
    return (spent[0] / ALONE) / (spent[1] / TOGETHER)


def _settle(device: Any) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
