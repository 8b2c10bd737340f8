"""The grid on which the preset `auto` is judged: classifiers, methods and requests on which no rule was found.

The rules were found on mlp-blobs and mlp-rings, on dog, horse and other single images with ResNet-8, and on other
people and single images with a faces classifier of another seed.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch

from unlearn_core.benchmarks.csv_tables import MeasuredRow
from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.benchmarks.tuning.grid_classifiers import GridClassifier, grid_classifiers, train_missing
from unlearn_core.data import user_catalog
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.method import ProblemSize
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.found_settings import TuningResult
from unlearn_core.engine.build_spec import request_spec
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.execute import RunResult, unlearn
from unlearn_core.engine.jobs.train_gold import train_gold
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.tuning import early_stop, find_settings
from unlearn_core.methods import methods
from unlearn_core.probes import probes

T = TypeVar("T")
R = TypeVar("R")

SEED = 7
ONE_CLASS, THREE_CLASSES = (0,), (0, 1, 2)
DRAWN, IMAGES = 2007, 16
"""The seed that single images are drawn with, and their number."""
REQUESTS = ("one class", "three classes", f"{IMAGES} images")
WITHOUT_RETAINED = ("boundary", "delete", "l2ul", "neggrad")
"""Methods that are given no retained data, so that nothing protects it: they stand in a table of their own."""

CLASS_LEFT, IMAGES_OFF, RETAIN_LOST = 0.05, 0.065, 0.05
"""A run succeeds if at most this accuracy of a class is left, or that of single images is at most so far from the
retrained model's, and if the accuracy on the retain set is at most so far under the retrained model's."""

COLUMNS = (
    "key",
    "classifier",
    "method",
    "request",
    "forget",
    "forget_gold",
    "retain",
    "retain_gold",
    "tries",
    "found",
    "search_seconds",
    "forget_seconds",
    "device",
    "error",
)
"""Accuracies as fractions, on test images; on the forget images themselves for single images. `found` is whether the
search reached its goal, 1 or 0, and empty where there was no search."""


class Case(NamedTuple):
    """One run of the grid."""

    classifier: str
    method: str
    request: str
    spec: UnlearnSpec


@cache
def cases() -> dict[str, Case]:
    """Return every case by the key of its row: small classifiers first."""
    found: dict[str, Case] = {}
    for name, own in grid_classifiers().items():
        for words, forget in requests(own).items():
            request = ForgetRequest(classifier=own.id, dataset=own.dataset, forget=forget)
            for method in methods().values():
                if forget.kind in method.supports and method.id != "retrain":
                    spec = request_spec(request, method, seed=SEED)
                    search = {"search": find_settings.REVISION} if spec.auto else {}
                    search |= {"early_stop": early_stop.REVISION} if spec.params.get("early_stop") else {}
                    key = row_key(spec, {"accuracy": probes()["accuracy"].revision}, **search)
                    found[key] = Case(name, method.id, words, spec)
    return found


def caution(case: Case) -> str | None:
    """Return why the run of a case is expected to fail, which is said before it; None if it is not."""
    own, forget = grid_classifiers()[case.classifier], case.spec.request.forget
    forgotten = len(forget.classes) if forget.kind == "classes" else 0
    images = own.num_train * forgotten // own.num_classes if forget.kind == "classes" else len(forget.images)
    sizes = ProblemSize(
        forget=images,
        retain=own.num_train - images,
        forgotten_classes=forgotten,
        retained_classes=own.num_classes - forgotten,
        classes=own.num_classes,
        epochs=0,
        batch=1,
        layers=own.layers,
    )
    method = methods()[case.method]
    return method.caution(method.params.parse(case.spec.params), sizes, bool(case.spec.auto))


def requests(classifier: GridClassifier) -> dict[str, Forget]:
    """Return the requests for a classifier by name; three classes only where two are left."""
    found: dict[str, Forget] = {REQUESTS[0]: ForgetClasses(classes=ONE_CLASS)}
    if classifier.num_classes >= len(THREE_CLASSES) + 2:
        found[REQUESTS[1]] = ForgetClasses(classes=THREE_CLASSES)
    images = np.random.default_rng(DRAWN).choice(classifier.num_train, IMAGES, replace=False)
    return found | {REQUESTS[2]: ForgetImages(images=tuple(images.tolist()))}


def measure_missing(
    known: Container[str], *, only: Container[str] | None, seconds: float, device: str, data_dir: Path, jobs: int
) -> Iterator[MeasuredRow]:
    """Yield the rows of cases whose keys are not known, `jobs` in parallel, and start none after so many seconds.

    What they are compared with is trained first: classifiers that do not ship, and retrained models.
    """
    wanted = {
        key: case for key, case in cases().items() if (only is None or case.classifier in only) and key not in known
    }
    names = dict.fromkeys(case.classifier for case in wanted.values())
    golds = dict.fromkeys(case.spec.request for case in wanted.values())
    where = (device, data_dir, max(1, (os.cpu_count() or 1) // jobs))
    end = time.monotonic() + seconds
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for stage, items in ((_train_classifier, names), (_train_gold, golds)):
            for _ in _in_parallel(pool, jobs, partial(stage, *where), items, end=end):
                pass
        yield from _in_parallel(pool, jobs, partial(_measure_case, *where), wanted.items(), end=end)


def _in_parallel(
    pool: ProcessPoolExecutor, jobs: int, work: Callable[[T], R], items: Iterable[T], *, end: float
) -> Iterator[R]:
    """Yield each result when it is there, and start none after `end`, a time of `time.monotonic`."""
    running: set[Future[R]] = set()
    for item in items:
        if time.monotonic() >= end:
            break
        running.add(pool.submit(work, item))
        if len(running) == jobs:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in done)
    yield from (one.result() for one in as_completed(running))


def _train_classifier(device: str, data_dir: Path, threads: int, name: str) -> None:
    torch.set_num_threads(threads)
    train_missing(grid_classifiers()[name], device, data_dir)


def _train_gold(device: str, data_dir: Path, threads: int, request: ForgetRequest) -> None:
    train_gold(TrainGoldSpec(request=request), _model_cache(device, data_dir, threads), NullListener())


def _measure_case(device: str, data_dir: Path, threads: int, item: tuple[str, Case]) -> MeasuredRow:
    key, case = item
    return {"key": key, **measure(case, _model_cache(device, data_dir, threads))}


@cache
def _model_cache(device: str, data_dir: Path, threads: int) -> ModelCache:
    torch.set_num_threads(threads)
    user_catalog.set_data_dir(data_dir)
    return ModelCache(device, data_dir)


def measure(case: Case, model_cache: ModelCache) -> MeasuredRow:
    """Run a case beside its retrained model, and return its row without the key."""
    empty: MeasuredRow = dict.fromkeys(COLUMNS[1:], "")
    row = empty | {
        "classifier": case.classifier,
        "method": case.method,
        "request": case.request,
        "device": describe_device(str(model_cache.device)),
    }
    try:
        result = unlearn(case.spec, device=str(model_cache.device), data_dir=model_cache.data_dir)
    except UnlearnError as error:
        return row | {"error": str(error)}
    except RuntimeError as error:  # as PyTorch raises; it counts as a failure of the case
        return row | {"error": f"An unforeseen error: {error}"}
    return row | _figures(result, case.spec.request.forget)


def _figures(result: RunResult, forget: Forget) -> MeasuredRow:
    accuracy, tuning = result.metrics.accuracy, result.report.get(TuningResult)
    side = "forget_test" if forget.kind == "classes" else "forget_train"
    seconds = result.report[TimingsResult].seconds
    found: MeasuredRow = {
        "forget": _fraction(accuracy["after"][side]),
        "forget_gold": _fraction(accuracy["gold"][side]),
        "retain": _fraction(accuracy["after"]["retain_test"]),
        "retain_gold": _fraction(accuracy["gold"]["retain_test"]),
        "forget_seconds": round(seconds.forget, 2),
    }
    if tuning is not None:
        searched = {"tries": len(tuning.tried), "found": int(tuning.works), "search_seconds": seconds.search or 0.0}
        found |= {name: round(value, 2) for name, value in searched.items()}
    return found


def _fraction(value: float | None) -> float:
    assert value is not None, "every class of the grid has test images"
    return round(value, 5)


def why_failed(row: Mapping[str, str]) -> str:
    """Return why a case failed, in a few words; "" if it succeeded."""
    if row["error"]:
        return row["error"]
    forget, retain = float(row["forget"]), float(row["retain"])
    is_class, reasons = row["request"] in REQUESTS[:2], list[str]()
    if is_class or row["method"] == "l2ul":
        reasons += [f"{100 * forget:.1f} % left"] if forget > CLASS_LEFT else []
    elif abs(forget - float(row["forget_gold"])) > IMAGES_OFF:
        reasons.append(f"{100 * forget:.1f} % instead of {100 * float(row['forget_gold']):.1f} %")
    if float(row["retain_gold"]) - retain > RETAIN_LOST:
        reasons.append(f"retain set {100 * retain:.1f} % instead of {100 * float(row['retain_gold']):.1f} %")
    return ", ".join(reasons)
