"""The page of lessons: the answer comes before the result, and a file of somebody else's breaks nothing."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.store.files import lesson_files, shipped_runs
from unlearn_core.store.queue.run_store import RunStore

LESSONS = lesson_files.find_lessons().lessons


def next_step(app: AppTest) -> AppTest:
    return fine(app.button(key="lesson-next").click().run())


def test_all_lessons_are_listed(visit: Visit) -> None:
    app = fine(visit("lessons"))
    assert [one.value for one in app.header] == [lesson.title for lesson in LESSONS.values()]
    assert not app.warning and not without_words(app)


def test_the_first_lesson_is_gone_through_and_its_run_started(visit: Visit, store: RunStore) -> None:
    lesson = LESSONS["retrained-model"]
    app = fine(visit("lessons", lesson=lesson.id))
    assert app.title[0].value == lesson.title
    for number, step in enumerate(lesson.steps, 1):
        assert app.header[0].value == step.title
        if step.expectation is not None:
            assert not app.get("plotly_chart"), "the result is not shown before the answer"
            assert "appears here once you have answered" in words(app)
            app.radio(key=f"expected-{lesson.id}-{number}").set_value(1).run()
            said = words(fine(app))
            assert "You expected:" in said and "The run shows:" in said
        assert len(app.get("plotly_chart")) == len(step.charts)
        assert not without_words(app)
        next_step(app)
    assert app.header[0].value == "In three sentences" and app.query_params["step"] == "5"
    assert app.button(key="lesson-next").disabled
    app = fine(visit("lessons", lesson=lesson.id, step="5"))
    app.button(key="lesson-run").click().run()
    (run,) = store.list_runs()
    assert run.spec == shipped_runs.named(lesson.runs[0]).spec
    assert fine(app).query_params == {"id": str(run.id)}


def test_an_answer_is_remembered_and_compared_with_the_run(visit: Visit) -> None:
    app = fine(visit("lessons", lesson="unsir", step="3"))
    app.radio(key="expected-unsir-3").set_value(1).run()
    assert "as you expected" in words(fine(app))
    next_step(app)
    app.button(key="lesson-previous").click().run()
    assert app.radio(key="expected-unsir-3").value == 1
    app.radio(key="expected-unsir-3").set_value(0).run()
    assert "a surprise" in words(app)


def test_a_link_to_a_lesson_that_is_not_there_says_so(visit: Visit) -> None:
    app = fine(visit("lessons", lesson="<b>"))
    assert app.title[0].value == "There is no such lesson"
    assert len(app.header) == len(LESSONS)


def test_lessons_of_ones_own_are_data_and_a_bad_one_breaks_nothing(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (lesson_files.LESSONS_DIR / "two-seeds.md").read_text()
    (tmp_path / "mine.md").write_text(text.replace("Two runs, two seeds", "Mine <script>alert(1)</script>"))
    (tmp_path / "no-run.md").write_text(text.replace("runs: unsir-ship, ", "runs: 99, "))
    (tmp_path / "no-value.md").write_text(text.replace("{seed}", "{magic}"))
    (tmp_path / "bad.md").write_text("import os")
    (tmp_path / "unsir.md").write_text(text)
    (tmp_path / "Bad Name.md").write_text(text)
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe")
    (tmp_path / "README.md").write_text("What these are.")
    monkeypatch.setenv("UNLEARN_LESSONS", str(tmp_path))
    app = fine(visit("lessons"))
    said = " ".join(one.value for one in app.warning).replace("\\", "")
    for problem in (
        "bad.md does not begin with its fields",
        "unsir.md: a lesson that ships has this name",
        "Bad Name.md: name the file with small letters",
        "bytes.md cannot be read as UTF-8 text",
    ):
        assert problem in said
    assert len(app.warning) == 4 and len(app.header) == len(LESSONS) + 3
    app = fine(visit("lessons", lesson="mine"))
    assert "<script>" in app.title[0].value and not any(one.proto.allow_html for one in app.markdown)
    for name, reason in (("no-run", "has no finished run 99"), ("no-value", "no value {magic}")):
        app = visit("lessons", lesson=name)
        assert not app.exception and reason in app.error[0].value.replace("\\", "")
    monkeypatch.setenv("UNLEARN_LESSONS", str(tmp_path / "gone"))
    assert "folder of own lessons does not exist" in words(fine(visit("lessons")))


def test_a_lesson_is_presented_slide_by_slide_with_the_question_before_the_result(visit: Visit) -> None:
    lesson = LESSONS["unsir"]
    app = fine(visit("lessons", lesson=lesson.id))
    fine(app.button(key="lesson-present").click().run())
    assert app.query_params["present"] == "1" and not app.sidebar.radio
    asked = sum(step.expectation is not None for step in lesson.steps)
    count = len(lesson.steps) + asked + 2
    assert f"1 of {count}" in words(app) and app.header[0].value == lesson.question
    shown = []
    for _ in range(count):
        assert not without_words(app)
        shown.append((app.title[0].value, len(app.get("plotly_chart")), "appears here" in words(app)))
        if not app.button(key="present-next").disabled:
            fine(app.button(key="present-next").click().run())
    assert sum(charts for _, charts, _ in shown) == sum(len(step.charts) for step in lesson.steps)
    question = next(place for place, step in enumerate(lesson.steps, 1) if step.expectation is not None)
    assert [charts for _, charts, _ in shown[question : question + 2]] == [0, len(lesson.steps[question - 1].charts)]
    assert shown[-1][0] == "In three sentences" and app.button(key="present-next").disabled
    fine(app.button(key="present-leave").click().run())
    assert "present" not in app.query_params and app.title[0].value == lesson.title


def test_a_slide_beyond_the_last_is_the_last(visit: Visit) -> None:
    app = fine(visit("lessons", lesson="unsir", present="999"))
    assert app.title[0].value == "In three sentences"
