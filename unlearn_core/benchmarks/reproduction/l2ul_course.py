"""Follows L2UL's variants along their runs: retain accuracy at equal forgetting is read off these courses.

Who forgets less retains more, so the ends of two runs with different forget accuracies cannot be compared. A run that
passes the same forget accuracy on its way can.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch

from unlearn_core.benchmarks.csv_tables import MeasuredRow
from unlearn_core.benchmarks.results import SEEDS, BenchmarkCase, benchmark_cases
from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.charts.measured.l2ul_courses import CoursePoint
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.probes import probes
from unlearn_core.training import evaluate
from unlearn_core.training.batches import to_floats

T = TypeVar("T")

VARIANTS = {"neggrad": "NegGrad", "adv": "ADV", "bundled": "ADV+IMP"}
"""The presets that are followed, and what the paper calls them."""
REQUESTS = {"200-pictures": 200, "16-pictures": 16}
"""The requests that are followed, with their numbers of images; the first is measured first."""
EARLY, OFTEN, SELDOM = 24, 3, 12
"""A run is evaluated after every third step up to step 24, where it changes fast, and then after every twelfth."""
COLUMNS = ("key", "preset", "request", "seed", "step", "forget_train", "retain_test", "device")
"""Accuracies as fractions; step 0 is the original model."""


def courses() -> list[BenchmarkCase]:
    """Return the runs to follow: those of RESULTS.md."""
    known = {case.name: case for case in benchmark_cases()}
    return [known["l2ul", preset, request, seed] for request in REQUESTS for seed in SEEDS for preset in VARIANTS]


def cache_key(case: BenchmarkCase) -> str:
    """Return the hash of everything that a course depends on; a change makes its rows outdated."""
    return row_key(case.spec, {"accuracy": probes()["accuracy"].revision}, early=EARLY, often=OFTEN, seldom=SELDOM)


def measure(case: BenchmarkCase, *, device: str, data_dir: Path) -> list[MeasuredRow]:
    """Run a case and return a row for every evaluated step, the original first."""
    points = follow(case.spec, ModelCache(device, data_dir))
    run = {"key": cache_key(case), "preset": case.preset, "request": case.request, "seed": case.seed}
    return [
        run
        | {"step": step, "forget_train": round(point.forget, 5), "retain_test": round(point.retain, 5)}
        | {"device": describe_device(device)}
        for step, point in points
    ]


def follow(spec: UnlearnSpec, model_cache: ModelCache) -> list[tuple[int, CoursePoint]]:
    """Run a spec and return its course: step and point of the original, of some steps, and of the last one."""
    resolved = resolve_run(spec, model_cache)
    problem = build_problem(resolved, model_cache)

    def accuracy(ids: Iterable[int]) -> float:
        rows = torch.tensor(list(ids), device=model_cache.device)
        return evaluate.accuracy(problem.model, to_floats(resolved.data.images[rows]), resolved.data.labels[rows])

    def now() -> CoursePoint:
        return CoursePoint(accuracy(resolved.split.forget_train), accuracy(resolved.split.retain_test))

    points, steps = [(0, now())], 0

    class CourseTracker(NullTracker):
        """Evaluates the model between the steps of the phase that changes it."""

        changes = False

        def phase(self, name: str, *, done: int = 0) -> None:
            self.changes = name == "forget"

        def iterate(self, items: Iterable[T]) -> Iterator[T]:
            nonlocal steps
            for item in items:
                try:
                    yield item
                finally:  # A method that has reached its goal leaves its loop.
                    steps += self.changes
                    if self.changes and steps % (OFTEN if steps <= EARLY else SELDOM) == 0:
                        points.append((steps, now()))

    resolved.method.forget(problem, resolved.params, CourseTracker())
    return points if points[-1][0] == steps else [*points, (steps, now())]


def read_courses(rows: Sequence[Mapping[str, str]], request: str) -> dict[str, list[list[CoursePoint]]]:
    """Return the courses of a request by variant, one for each seed."""
    found: dict[tuple[str, str], list[CoursePoint]] = defaultdict(list)
    for row in rows:
        if row["request"] == request:
            point = CoursePoint(float(row["forget_train"]), float(row["retain_test"]))
            found[VARIANTS[row["preset"]], row["seed"]].append(point)
    return {name: [own for (variant, _), own in found.items() if variant == name] for name in VARIANTS.values()}


def lowest_common_level(courses: Iterable[Sequence[CoursePoint]]) -> float:
    """Return the lowest forget accuracy that every course reaches."""
    return max(min(point.forget for point in course) for course in courses)
