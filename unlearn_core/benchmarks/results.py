"""What the methods do on the bundled classifier: every figure of RESULTS.md and of the README's table is a row here.

A row has the key of what its figures depend on (`benchmarks/row_keys.py`). What has not changed is not run again, and an
interrupted measuring goes on where it was.
"""

import multiprocessing
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import torch

from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import standard_requests
from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.domain.report import MODELS
from unlearn_core.engine import measure
from unlearn_core.engine.devices import describe_device, resolve_device
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache, freeze_result
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.engine.tracker import RunTracker
from unlearn_core.methods import method as find_method
from unlearn_core.methods import methods
from unlearn_core.models import classifiers
from unlearn_core.probes import probes

CLASSIFIER = "resnet20"
CORE_METHODS = (
    "retrain",
    "finetune",
    "neggrad",
    "neggrad_plus",
    "random_labels",
    "l2ul",
    "reinit",
    "unsir",
    "salun",
    "ssd",
)
"""Measured on all standard requests; the others on one class and 16 pictures."""
SEEDS = (0, 1, 2)
SETS = ("forget_train", "forget_test", "retain_train", "retain_test")
COLUMNS: tuple[str, ...] = (
    "key",
    "method",
    "preset",
    "request",
    "seed",
    *(f"{name}_{model}" for name in SETS for model in MODELS),
    *(f"distance_{what}" for what in ("before", "after")),
    *(f"leak_{model}" for model in MODELS),
    "privacy_after",
    "passes",
    "seconds",
    "device",
    "error",
)
"""The table's columns: accuracies as fractions, distances in bits, leaks as |AUC - 0.5|, seconds of forgetting alone.

An `error` stands where the run ended with one; such a row has no figures of after.
"""
MEASUREMENTS = ("accuracy", "distance", "membership")
"""The probes whose figures stand in a row."""
MAX_FORGET_ACCURACY = 0.05
"""The share of a forgotten class, trained on or unseen, that may still be named."""
MAX_ABOVE_GOLD = 0.065
"""How far over the mean of golds the accuracy on forgotten single pictures may be: one picture of 16 is 0.0625."""
MAX_BELOW_GOLD = 0.05
"""How far under gold's the accuracy on kept unseen pictures may be."""


Name = tuple[str, str, str, int]
"""What a run is called in the table: method, preset, request and seed."""


class BenchmarkCase(NamedTuple):
    """One run of the table: what it is called there, and its spec."""

    method: str
    preset: str
    request: str
    seed: int
    spec: UnlearnSpec

    @property
    def name(self) -> Name:
        return self[:4]


def name_of(row: Mapping[str, str]) -> Name:
    """The name of the run that a row is about."""
    return row["method"], row["preset"], row["request"], int(row["seed"])


def benchmark_cases() -> list[BenchmarkCase]:
    """Every run that the two tables are made of, those first that most depends on."""
    dataset = datasets.card(classifiers.card(CLASSIFIER).dataset)
    every = standard_requests(dataset)
    by_class: dict[str, Forget] = {
        name: ForgetClasses(classes=(number,)) for number, name in enumerate(dataset.classes)
    }
    found = [_case("unsir", preset, name, by_class[name], 0) for preset in ("bundled", "no-noise") for name in by_class]
    quick = [name for name in CORE_METHODS if name != "retrain"]
    for seed in SEEDS:
        for request, forget in every.items():
            found += [_case(name, "bundled", request, forget, seed) for name in quick if _is_supported(name, forget)]
    for seed in SEEDS:
        for request in ("16-pictures", "200-pictures"):
            found += [_case("l2ul", preset, request, every[request], seed) for preset in ("neggrad", "adv")]
        for preset in ("all-layers", "one-cycle", "fisher"):
            found.append(_case("reinit", preset, "cat", every["cat"], seed))
    found.append(_case("neggrad", "unbounded", "16-pictures", every["16-pictures"], 0))
    for name in sorted(methods().keys() - {*CORE_METHODS}):
        found += [
            _case(name, "bundled", request, every[request], seed)
            for seed in SEEDS
            for request in ("cat", "16-pictures")
            if _is_supported(name, every[request])
        ]
    found += [_case("retrain", "bundled", request, every[request], seed) for seed in SEEDS for request in every]
    return list({case.name: case for case in found}.values())


def cache_key(spec: UnlearnSpec) -> str:
    """What a row depends on; a change of any of it makes the row outdated."""
    return row_key(spec, {name: probes()[name].revision for name in MEASUREMENTS})


def gold_accuracies(rows: Iterable[Mapping[str, str]], request: str) -> list[float]:
    """How often (0 to 1) golds from other seeds than the bundled one name the forgotten pictures of a request."""
    own = [row for row in rows if (row["method"], row["request"]) == ("retrain", request)]
    return [float(row["forget_train_after"]) for row in own if not row["error"]]


def missed_limit(rows: Sequence[Mapping[str, str]], golds: Sequence[float] = ()) -> str:
    """In which way a preset misses its limits on one request, by the mean over its seeds; "" where it meets them.

    `golds` are those of `golds_of`. What any gold names of single pictures, a method may name too.
    """
    if any(row["error"] for row in rows):
        return "diverges"

    def of(column: str) -> float | None:
        return mean(float(row[column]) for row in rows) if rows[0][column] else None

    named, unseen, gold = of("forget_train_after"), of("forget_test_after"), of("forget_train_gold")
    kept, aim = of("retain_test_after"), of("retain_test_gold")
    assert named is not None and gold is not None and kept is not None and aim is not None
    every = (gold, *golds)
    limit = max(mean(every) + MAX_ABOVE_GOLD, *every) if unseen is None else MAX_FORGET_ACCURACY
    words = ["forgets too little"] if max(named, unseen or 0.0) > limit else []
    words += ["keeps too little"] if kept < aim - MAX_BELOW_GOLD else []
    return " and ".join(words)


def missed_limits(rows: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], str]:
    """Each method and request that misses its limits with the preset `bundled`, and in which way."""
    groups: dict[tuple[str, str], list[Mapping[str, str]]] = defaultdict(list)
    for row in rows:
        if row["preset"] == "bundled":
            groups[row["method"], row["request"]].append(row)
    every = {case: missed_limit(own, gold_accuracies(rows, case[1])) for case, own in groups.items()}
    return {case: words for case, words in every.items() if words}


def measure_all(todo: list[BenchmarkCase], *, device: str, data_dir: Path, jobs: int) -> Iterator[dict[str, Any]]:
    """Runs what is to be run, `jobs` side by side, and gives each row as it is there, in order."""
    where, threads = resolve_device(device), max(1, (os.cpu_count() or 1) // jobs)
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        count = len(todo)
        yield from pool.map(measure_one, todo, [where] * count, [data_dir] * count, [threads] * count)


def measure_one(case: BenchmarkCase, device: str, data_dir: Path, threads: int) -> dict[str, Any]:
    """One run as a row of the table; a run that diverges gives a row that says so."""
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    warm = _warm(device, data_dir)
    layout = resolve_run(case.spec, warm)
    problem = build_problem(layout, warm)
    tracker = RunTracker(NullListener())
    row: dict[str, Any] = dict.fromkeys(COLUMNS, "") | {
        "key": cache_key(case.spec),
        "method": case.method,
        "preset": case.preset,
        "request": case.request,
        "seed": case.seed,
        "device": f"{describe_device(device)}, {threads} thread{'s' * (threads > 1)}"
        if device == "cpu"
        else describe_device(device),
    }
    began = time.perf_counter()
    try:
        layout.method.forget(problem, layout.params, tracker)
        row |= {"seconds": round(time.perf_counter() - began, 2), "passes": tracker.images_seen}
        models = measure.collect_models(case.spec, layout, warm, freeze_result(problem.model), {})
        evaluations = {name: warm.evaluation(one, layout.card) for name, one in models.items() if name != "other"}
    except DivergedError as problem_met:
        return row | {"error": str(problem_met)}
    parts = measure.run_probes(case.spec, layout, models, evaluations, {}, only=MEASUREMENTS)
    return row | _figures(parts)


def _figures(parts: dict[str, ReportPart]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for model, sets in parts["accuracy"].facts.items():
        found |= {f"{name}_{model}": _rounded(sets[name]["accuracy"]) for name in SETS}
    if "distance" in parts:
        distance = parts["distance"].facts["distance"]["test"]
        found |= {f"distance_{what}": _rounded(distance[what]) for what in ("before", "after")}
    if "membership" in parts:
        facts = parts["membership"].facts
        found |= {f"leak_{model}": _rounded(facts["leak"].get(model)) for model in MODELS}
        found["privacy_after"] = _rounded(facts.get("privacy", {}).get("after"))
    return found


def _rounded(value: float | None) -> float | str:
    return "" if value is None else round(value, 5)


@cache
def _warm(device: str, data_dir: Path) -> ModelCache:
    """One a process, so that data and nets are loaded once."""
    return ModelCache(device, data_dir)


def _is_supported(name: str, forget: Forget) -> bool:
    return forget.kind in find_method(name).supports


def _case(name: str, preset: str, request: str, forget: Forget, seed: int) -> BenchmarkCase:
    wish = ForgetRequest(classifier=CLASSIFIER, dataset=classifiers.card(CLASSIFIER).dataset, forget=forget)
    params = find_method(name).presets[preset].for_request(forget)
    return BenchmarkCase(
        name, preset, request, seed, UnlearnSpec(request=wish, method=name, params=params.model_dump(), seed=seed)
    )
