"""Draws of single images for L2UL, and what a run retains when it first comes down to a forget accuracy.

The draws that settings are searched on and those that results are reported on share no image.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch

from unlearn_core.benchmarks.csv_tables import MeasuredRow, pending
from unlearn_core.benchmarks.results import CLASSIFIER
from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.benchmarks.tuning.trials import without_test_images
from unlearn_core.charts.measured.l2ul_courses import LEVELS
from unlearn_core.data import datasets
from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.forget_request import ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.method_artifacts import Artifact, StopRule
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun, build_problem, resolve_run
from unlearn_core.methods import method
from unlearn_core.models import classifiers
from unlearn_core.probes import probes
from unlearn_core.training import evaluate
from unlearn_core.training.batches import to_floats

T = TypeVar("T")

REPORTED_DRAWS, SEARCH_DRAWS, FRESH_DRAWS = range(5), range(5, 7), range(7, 12)
"""The draws that settings are compared on, those that they are searched on, and those that only presets are run on."""
DRAW_SIZE = 256
"""Images of a draw; a smaller request takes the first of them."""
ORDER_SEED = 2301
"""The seed of the order in which images are drawn."""
COLUMNS = (
    "key",
    "setting",
    "images",
    "draw",
    "step",
    "level",
    "forget_train",
    "retain",
    "done",
    "passes",
    "device",
    "error",
)
"""Accuracies as fractions. `level` is empty for the original (step 0) and for the end, whose `done` is 1 if the run
reached its goal. A run that diverges has the error as its end, without accuracies."""


class DrawnPoint(NamedTuple):
    """Forget accuracy (training images) and retain accuracy after a step, and the level that was reached there."""

    step: int
    level: float | None
    forget: float
    retain: float


class DrawnRun(NamedTuple):
    """A run on a draw, and the name of its setting."""

    setting: str
    spec: UnlearnSpec


class DrawnCourse(NamedTuple):
    """A run: the original, the points where it first reached each level, its end, and the images that it processed."""

    points: list[DrawnPoint]
    done: bool
    passes: int
    error: str = ""


def drawn_images(draw: int, count: int) -> tuple[int, ...]:
    """Return the first `count` training images of a draw; no two draws share any."""
    card = datasets.card(classifiers.card(CLASSIFIER).dataset)
    order = np.random.default_rng(ORDER_SEED).permutation(card.train)
    return tuple(order[draw * DRAW_SIZE : draw * DRAW_SIZE + count].tolist())


def drawn_spec(draw: int, count: int, changes: dict[str, Any]) -> UnlearnSpec:
    """Return a run of L2UL on a draw: preset `bundled` with these changes, the draw's number as its seed."""
    card = classifiers.card(CLASSIFIER)
    forget = ForgetImages(images=drawn_images(draw, count))
    params = method("l2ul").presets["bundled"].for_request(forget).updated(changes)
    request = ForgetRequest(classifier=card.id, dataset=card.dataset, forget=forget)
    return UnlearnSpec(request=request, method="l2ul", params=params.model_dump(), seed=draw)


def by_key(runs: Iterable[DrawnRun]) -> dict[str, DrawnRun]:
    """Return runs by the hash of everything that their courses depend on; a change makes their rows outdated."""
    revisions = {"accuracy": probes()["accuracy"].revision}
    return {row_key(run.spec, revisions, levels=len(LEVELS)): run for run in runs}


def measure_missing(
    runs: Mapping[str, DrawnRun],
    known: Container[str],
    *,
    on_test: bool,
    seconds: float,
    device: str,
    data_dir: Path,
) -> Iterator[list[MeasuredRow]]:
    """Yield the rows of each run whose key is not known, and start none after so many seconds."""
    model_cache = ModelCache(device, data_dir)
    for key, run in pending(runs, known, seconds=seconds):
        yield _rows(key, run, follow(run.spec, model_cache, on_test=on_test), describe_device(device))


def _rows(key: str, run: DrawnRun, course: DrawnCourse, device: str) -> list[MeasuredRow]:
    forget = run.spec.request.forget
    assert isinstance(forget, ForgetImages)
    own: MeasuredRow = dict.fromkeys(COLUMNS, "")
    own |= {"key": key, "setting": run.setting, "device": device, "images": len(forget.images), "draw": run.spec.seed}
    rows = [
        own
        | {"step": point.step, "level": "" if point.level is None else point.level}
        | {"forget_train": round(point.forget, 5), "retain": round(point.retain, 5)}
        for point in course.points
    ]
    end: MeasuredRow = {"done": int(course.done), "passes": course.passes}
    if course.error:
        return [*rows, own | end | {"error": course.error}]
    return [*rows[:-1], rows[-1] | end]


def follow(spec: UnlearnSpec, model_cache: ModelCache, *, on_test: bool) -> DrawnCourse:
    """Run a spec and evaluate its model at the start, where it first reaches each level, and at the end.

    Retain accuracy is on test images, or else on validation images: the run then gets a data set without test images.
    """
    resolved = resolve_run(spec, model_cache)
    if not on_test:
        resolved = without_test_images(resolved)
    tracker = _CourseTracker(resolved, model_cache, on_test)
    try:
        resolved.method.forget(tracker.problem, resolved.params, tracker)
    except DivergedError as error:
        return DrawnCourse(tracker.points, False, tracker.passes, str(error))
    tracker.add_end()
    return DrawnCourse(tracker.points, tracker.done, tracker.passes)


class _CourseTracker(NullTracker):
    """Evaluates the model between the steps of the phase that changes it."""

    def __init__(self, resolved: ResolvedRun, model_cache: ModelCache, on_test: bool) -> None:
        self.problem = build_problem(resolved, model_cache)
        split = resolved.split
        self.sets = [
            _images(resolved, torch.from_numpy(ids).to(model_cache.device))
            for ids in (split.forget_train, split.retain_test if on_test else split.retain_val)
        ]
        self.forgets = self.done = False
        self.steps = self.passes = 0
        self.waiting = list(LEVELS)
        self.points = [self.now(None)]

    def phase(self, name: str, *, done: int = 0) -> None:
        self.forgets = name == "forget"

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            assert isinstance(item, tuple)
            self.passes += len(item[0])
            try:
                yield item
            finally:  # A method that has reached its goal leaves its loop.
                if self.forgets:
                    self.steps += 1
                    self._evaluate()

    def save_artifact(self, artifact: Artifact) -> None:
        if isinstance(artifact, StopRule):
            self.done = artifact.done

    def now(self, level: float | None) -> DrawnPoint:
        forget, retain = (evaluate.accuracy(self.problem.model, *part) for part in self.sets)
        return DrawnPoint(self.steps, level, forget, retain)

    def add_end(self) -> None:
        """Add the end of the run; if its last step reached a level, it is evaluated already."""
        last = self.points[-1]
        self.points.append(last._replace(level=None) if last.step == self.steps else self.now(None))

    def _evaluate(self) -> None:
        """Add a point if the lowest level that the model has reached is one that it had not reached before."""
        forget = evaluate.accuracy(self.problem.model, *self.sets[0])
        reached = [level for level in self.waiting if forget <= level]
        if reached:
            self.points.append(self.now(min(reached)))
            self.waiting = [level for level in self.waiting if level < min(reached)]


def _images(resolved: ResolvedRun, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return to_floats(resolved.data.images[rows]), resolved.data.labels[rows]
