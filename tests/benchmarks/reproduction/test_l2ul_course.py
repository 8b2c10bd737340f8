"""L2UL along its runs: what is recorded, and what is read off at a forget accuracy."""

from pathlib import Path

import numpy as np
import pytest

from tests.methods.small_problem import tiny_spec
from unlearn_core.benchmarks import csv_tables
from unlearn_core.benchmarks.reproduction import l2ul_course
from unlearn_core.benchmarks.reproduction.l2ul_course import lowest_common_level
from unlearn_core.charts.measured.l2ul_courses import CoursePoint, retain_at
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.training import evaluate

DOWN = [CoursePoint(1.0, 0.9), CoursePoint(0.5, 0.8), CoursePoint(0.6, 0.7), CoursePoint(0.1, 0.2)]


@pytest.mark.parametrize(("level", "retain"), [(1.0, 0.9), (0.75, 0.85), (0.5, 0.8), (0.35, 0.45), (0.1, 0.2)], ids=str)
def test_retain_accuracy_is_read_off_where_the_level_is_first_reached(level: float, retain: float) -> None:
    assert retain_at(DOWN, level) == pytest.approx(retain)


def test_a_level_that_is_never_reached_is_an_error_and_the_common_one_is() -> None:
    with pytest.raises(ValueError, match="ends above"):
        retain_at(DOWN, 0.05)
    assert lowest_common_level([DOWN, [CoursePoint(1.0, 0.9), CoursePoint(0.3, 0.5), CoursePoint(0.4, 0.4)]]) == 0.3


def test_the_runs_are_those_of_the_results() -> None:
    found = l2ul_course.courses()
    assert len(found) == len({l2ul_course.cache_key(case) for case in found}) == 18
    assert {case.preset for case in found} == {"neggrad", "adv", "bundled"}


def test_a_course_ends_where_the_run_ends(tmp_path: Path) -> None:
    """Following a run changes nothing in it: its last point is what the run itself reports."""
    spec = tiny_spec("l2ul", kind="images", guard="adv", max_steps=7, attack_steps=2, stops=False, lr=0.1, ascent=0.9)
    course = l2ul_course.follow(spec, ModelCache("cpu", tmp_path))
    assert [step for step, _ in course] == [0, 3, 6, 7]
    model_cache = ModelCache("cpu", tmp_path)
    resolved = resolve_run(spec, model_cache)
    problem = build_problem(resolved, model_cache)

    def accuracy(ids: np.ndarray) -> float:
        logits = evaluate.logits(problem.model, resolved.data.images[ids])
        return float((logits.argmax(1) == resolved.data.image_dataset.labels[ids]).mean())

    for _, point in (course[0], course[-1]):
        assert point.forget == pytest.approx(accuracy(resolved.split.forget_train))
        assert point.retain == pytest.approx(accuracy(resolved.split.retain_test))
        resolved.method.forget(problem, resolved.params, NullTracker())


def test_the_committed_rows_are_current() -> None:
    """A change of the method would make them outdated: measure with `python -m unlearn_core reproduce --work l2ul`."""
    keys = {l2ul_course.cache_key(case) for case in l2ul_course.courses()}
    assert {row["key"] for row in csv_tables.read_table(csv_tables.COURSES)} <= keys
