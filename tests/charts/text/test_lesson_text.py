"""Every lesson that ships is filled from its runs, and what it claims holds for them; a wrong claim is caught."""

from collections.abc import Callable

import pytest

from unlearn_core.charts.text import lesson_text
from unlearn_core.domain.errors import InvalidLessonError
from unlearn_core.domain.lessons import Comparison, Lesson, LessonClaim, StepChart
from unlearn_core.domain.report import Report
from unlearn_core.store.files import lesson_files, shipped_runs

FOUND = lesson_files.find_lessons()


def reports_of(lesson: Lesson) -> list[Report]:
    return [shipped_runs.read_report(shipped_runs.named(name).id) for name in lesson.runs]


def test_eight_lessons_ship_and_all_can_be_read() -> None:
    assert len(FOUND.lessons) == 8 and not FOUND.problems
    assert [one.order for one in FOUND.lessons.values()] == list(range(1, 9))


@pytest.mark.parametrize("name", FOUND.lessons)
def test_a_lesson_says_what_its_runs_show(name: str) -> None:
    lesson = FOUND.lessons[name]
    reports = reports_of(lesson)
    assert lesson_text.problems(lesson, reports) == []
    assert {one.evidence for one in lesson.claims} >= {"forget", "retain"}, "a title rests on both verdicts"
    assert all(sentence.holds for sentence in lesson.summary), "each sentence of the summary is checked"
    assert any(step.expectation for step in lesson.steps) and any(step.charts for step in lesson.steps)
    values = lesson_text.lesson_values(reports)
    for step in lesson.steps:
        assert "{" not in lesson_text.fill(step.text + step.reveal, values)
    assert 5 <= lesson.minutes <= 10


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one._replace(claims=(LessonClaim(1, "forget", "not"),)), "claims forget = not; run 1 says partly"),
        (lambda one: one._replace(claims=(LessonClaim(1, "magic", "left"),)), "run 1 says nothing"),
        (lambda one: one._replace(steps=(one.steps[0]._replace(text="{nonsense}"),)), "no value {nonsense}"),
        (lambda one: one._replace(steps=(one.steps[0]._replace(charts=(StepChart("x", (1,)),)),)), "no chart 'x'"),
        (
            lambda one: one._replace(steps=(one.steps[0]._replace(charts=(StepChart("lira", (1,)),)),)),
            "The chart 'lira' cannot be drawn: ",
        ),
        (
            lambda one: one._replace(
                summary=(one.summary[0]._replace(holds=(Comparison("after.forget_test", ">", "0.5"),)),)
            ),
            "It does not hold that after.forget_test > 0.5",
        ),
    ],
)
def test_what_does_not_hold_is_told(change: Callable[[Lesson], Lesson], said: str) -> None:
    lesson = FOUND.lessons["unsir"]
    (problem,) = lesson_text.problems(change(lesson), reports_of(lesson))
    assert said in problem


def test_placeholders_are_the_figures_of_the_report() -> None:
    values = lesson_text.lesson_values(reports_of(FOUND.lessons["unsir"]))
    assert (
        lesson_text.fill("{after.forget_test.count}, {2.after.forget_test}", values)
        == "8 of 200, 21.5\N{NO-BREAK SPACE}%"
    )
    assert lesson_text.fill("{forget} {method} {param.impair_lr} {relearn.gold}", values) == "ship UNSIR 0.001 20 steps"
    with pytest.raises(InvalidLessonError, match=r"no value \{after.magic\}.*after.forget_test"):
        lesson_text.fill("{after.magic}", values)
    assert lesson_text.fill("{Not a placeholder}", values) == "{Not a placeholder}"
