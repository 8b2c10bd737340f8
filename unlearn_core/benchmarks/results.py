"""Measures all methods on the bundled classifier: every figure of RESULTS.md and of the README's table is a row here.

A row has the key of everything that its figures depend on (`benchmarks/row_keys.py`). Unchanged rows are not measured
again, and an interrupted measurement continues.
"""

import multiprocessing
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from math import isnan
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import torch

from unlearn_core.benchmarks.csv_tables import MeasuredRow
from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import standard_requests
from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.engine.devices import describe_device, resolve_device
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measuring import measure
from unlearn_core.engine.model_cache import ModelCache, freeze_result
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.engine.tracking.tracker import RunTracker
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
"""Measured on all standard requests; the others on one class and on 16 images."""
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
"""The table's columns: accuracies as fractions, distances in bits, leaks as |AUC - 0.5|, seconds of unlearning alone.

`error` is the error that a run ended with; such a row has no figures of after.
"""
MEASUREMENTS = ("accuracy", "distance", "membership")
"""The probes whose figures are in a row."""
MAX_FORGET_ACCURACY = 0.05
"""The highest accuracy allowed on a forgotten class, on training and on test images."""
MAX_ABOVE_GOLD = 0.065
"""How far the accuracy on single forgotten images may be above the mean of golds: one image of 16 is 0.0625."""
MAX_BELOW_GOLD = 0.05
"""How far the accuracy on retained test images may be below gold's."""


Name = tuple[str, str, str, int]
"""The name of a run in the table: method, preset, request and seed."""


class BenchmarkCase(NamedTuple):
    """One run of the table: its name and its spec."""

    method: str
    preset: str
    request: str
    seed: int
    spec: UnlearnSpec

    @property
    def name(self) -> Name:
        return self[:4]


def name_of(row: Mapping[str, str]) -> Name:
    """Return the name of the run of a row."""
    return row["method"], row["preset"], row["request"], int(row["seed"])


def benchmark_cases() -> list[BenchmarkCase]:
    """Return every run of the two tables, the most important first."""
    dataset = datasets.card(classifiers.card(CLASSIFIER).dataset)
    every = standard_requests(dataset)
    by_class: dict[str, Forget] = {
        name: ForgetClasses(classes=(number,)) for number, name in enumerate(dataset.classes)
    }
    found = [
        _case("unsir", preset, name, forget, seed)
        for preset in ("bundled", "no-noise")
        for seed in SEEDS
        for name, forget in by_class.items()
    ]
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
    """Return the hash of everything that a row depends on; a change makes the row outdated."""
    return row_key(spec, {name: probes()[name].revision for name in MEASUREMENTS})


def gold_accuracies(rows: Iterable[Mapping[str, str]], request: str) -> list[float]:
    """Return the forget accuracies (0 to 1) of golds from other seeds than the bundled one, for a request."""
    own = [row for row in rows if (row["method"], row["request"]) == ("retrain", request)]
    return [float(row["forget_train_after"]) for row in own if not row["error"]]


def missed_limit(rows: Sequence[Mapping[str, str]], golds: Sequence[float] = ()) -> str:
    """Return how a preset misses its limits on one request, by the mean over its seeds; "" if it meets them.

    `golds` are from `gold_accuracies`. On single images, a method may be as accurate as any gold, and as inaccurate:
    far below them it reveals which images were forgotten.
    """
    if any(row["error"] for row in rows):
        return "diverges"

    def mean_of(column: str) -> float | None:
        return mean(float(row[column]) for row in rows) if rows[0][column] else None

    forget_train, forget_test = mean_of("forget_train_after"), mean_of("forget_test_after")
    gold_forget, retain, gold_retain = map(mean_of, ("forget_train_gold", "retain_test_after", "retain_test_gold"))
    assert forget_train is not None and gold_forget is not None and retain is not None and gold_retain is not None
    all_golds = (gold_forget, *golds)
    limit = max(mean(all_golds) + MAX_ABOVE_GOLD, *all_golds) if forget_test is None else MAX_FORGET_ACCURACY
    words = ["forgets too little"] if max(forget_train, forget_test or 0.0) > limit else []
    if forget_test is None and forget_train < min(mean(all_golds) - MAX_ABOVE_GOLD, *all_golds):
        words.append("forgets more than retraining")
    words += ["retains too little"] if retain < gold_retain - MAX_BELOW_GOLD else []
    return " and ".join(words)


def missed_limits(rows: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], str]:
    """Return each method and request that misses its limits with the preset `bundled`, and how."""
    groups: dict[tuple[str, str], list[Mapping[str, str]]] = defaultdict(list)
    for row in rows:
        if row["preset"] == "bundled":
            groups[row["method"], row["request"]].append(row)
    every = {case: missed_limit(own, gold_accuracies(rows, case[1])) for case, own in groups.items()}
    return {case: words for case, words in every.items() if words}


def measure_all(todo: list[BenchmarkCase], *, device: str, data_dir: Path, jobs: int) -> Iterator[MeasuredRow]:
    """Measure these cases, `jobs` in parallel, and yield each row when it is done, in order."""
    where, threads = resolve_device(device), max(1, (os.cpu_count() or 1) // jobs)
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        count = len(todo)
        yield from pool.map(measure_one, todo, [where] * count, [data_dir] * count, [threads] * count)


def measure_one(case: BenchmarkCase, device: str, data_dir: Path, threads: int) -> MeasuredRow:
    """Return one run as a row of the table; for a run that diverges, a row with its error."""
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    model_cache = _model_cache(device, data_dir)
    resolved = resolve_run(case.spec, model_cache)
    problem = build_problem(resolved, model_cache)
    tracker = RunTracker(NullListener())
    row: MeasuredRow = dict.fromkeys(COLUMNS, "") | {
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
        resolved.method.forget(problem, resolved.params, tracker)
        row |= {"seconds": round(time.perf_counter() - began, 2), "passes": tracker.images_seen}
        models = measure.collect_models(case.spec, resolved, model_cache, freeze_result(problem.model), {})
        evaluations = {
            name: model_cache.evaluation(model, resolved.card) for name, model in models.items() if name != "other"
        }
    except DivergedError as error:
        return row | {"error": str(error)}
    parts = measure.run_probes(case.spec, resolved, models, evaluations, {}, only=MEASUREMENTS)
    return row | _figures(parts)


def _figures(parts: dict[str, ReportPart]) -> MeasuredRow:
    found: MeasuredRow = {}
    for model, sets in AccuracyResult.from_part(parts["accuracy"]).scores.items():
        found |= {f"{name}_{model}": _rounded(sets[name].accuracy) for name in SETS}
    if "distance" in parts:
        overall = DistanceResult.from_part(parts["distance"]).overall["test"]
        found |= {"distance_before": _rounded(overall.before), "distance_after": _rounded(overall.after)}
    if "membership" in parts:
        membership = MembershipResult.from_part(parts["membership"])
        found |= {f"leak_{model}": _rounded(membership.leak.get(model)) for model in MODELS}
        found["privacy_after"] = _rounded(membership.privacy.get("after"))
    return found


def _rounded(value: float | None) -> float | str:
    return "" if value is None or isnan(value) else round(value, 5)


@cache
def _model_cache(device: str, data_dir: Path) -> ModelCache:
    """Return one cache per process, so that data and models are loaded once."""
    return ModelCache(device, data_dir)


def _is_supported(name: str, forget: Forget) -> bool:
    return forget.kind in find_method(name).supports


def _case(name: str, preset: str, request: str, forget: Forget, seed: int) -> BenchmarkCase:
    forget_request = ForgetRequest(classifier=CLASSIFIER, dataset=classifiers.card(CLASSIFIER).dataset, forget=forget)
    params = find_method(name).presets[preset].for_request(forget)
    return BenchmarkCase(
        name,
        preset,
        request,
        seed,
        UnlearnSpec(request=forget_request, method=name, params=params.model_dump(), seed=seed),
    )
