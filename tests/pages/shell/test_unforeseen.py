"""What fails on a page for a reason that nobody foresaw: a sentence, an id and a bug report, and never a traceback."""

from pathlib import Path

import pytest
from streamlit import error_util
from streamlit.runtime import fragment
from streamlit.runtime.scriptrunner import exec_code
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, by_class
from tests.pages.page_asserts import fine, words
from unlearn_core.domain.jobs import MeasureSpec, UnlearnSpec
from unlearn_core.domain.run import RunState
from unlearn_core.store.files import error_report
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.forget import class_picker, image_picker
from unlearn_core.ui.shell import navigation, url_state


@pytest.fixture(autouse=True)
def handled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors go where app.py sends them, which a page under test does not have."""

    def handle(problem: Exception, _none: object) -> None:
        error_util.handle_user_script_exception(problem, navigation.on_unhandled)

    for module in (exec_code, fragment):
        monkeypatch.setattr(module, "handle_user_script_exception", handle)


def broken(*_: object, **__: object) -> None:
    raise KeyError("the ice is thin")


def reports(home: Path) -> list[str]:
    return [path.read_text() for path in (home / error_report.FOLDER).glob("*.txt")]


def one_sentence(app: AppTest, home: Path) -> str:
    """The text of the bug report of a page that says what went wrong, and shows no traceback."""
    assert not app.exception
    (said,) = [error.value for error in app.error]
    assert "stopped this page: the program, or a plug-in, has a mistake (KeyError). Error id" in said
    (text,) = reports(home)
    number = text.splitlines()[0].rpartition(" ")[2]
    assert f"Error id {number}" in said and "Reload the page" in said
    assert app.code[-1].value == text.strip()
    (button,) = app.get("download_button")
    assert button.proto.label == "Download"
    assert "Traceback" not in words(app) and "Traceback" in text and str(home) not in text
    return text


def test_a_page_that_fails(visit: Visit, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_picker, "kind_choice", broken)
    text = one_sentence(visit("forget", forget="dog"), home)
    assert "during: the page " in text and '"forget": "dog"' in text


def test_a_part_of_a_page_that_fails(visit: Visit, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_picker, "PER_PAGE", 2)
    monkeypatch.setattr(class_picker.paged_grid, "choose_page", broken)
    app = visit("forget", forget="dog")
    assert "in choose_page" not in words(app) and app.title[0].value == "What should it forget?"
    one_sentence(app, home)


def test_a_click_that_fails(visit: Visit, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = fine(visit("forget", images="3"))
    monkeypatch.setattr(url_state, "change", broken)
    one_sentence(app.button(key="clear").click().run(), home)


def test_out_of_memory_is_said_without_a_report(visit: Visit, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(image_picker, "kind_choice", full)
    app = visit("forget")
    assert "ran out of memory" in app.error[0].value and not app.exception and not reports(home)


def failed(store: RunStore, home: Path, spec: UnlearnSpec | MeasureSpec) -> int:
    """A run that failed as a worker records it."""
    run = store.get(store.submit(spec, title="Forget discs"))
    kinds = {"unlearn", "measure"}
    claimed = store.execution.claim("w", device="cpu", kinds=kinds)
    assert claimed is not None and claimed.id == run.id
    problem = ValueError(f"no shape in {home}/x")
    store.execution.fail(run.id, 1, error_report.record(problem, home, task=f"run {run.id}", request="{}").sentence)
    assert store.get(run.id).state is RunState.FAILED
    return run.id


def test_a_failed_run_offers_its_bug_report(visit: Visit, home: Path, store: RunStore) -> None:
    number = failed(store, home, by_class("discs"))
    app = fine(visit("run", id=str(number)))
    assert "a computation failed (ValueError: no shape in \\<data folder\\>/x). Error id" in words(app)
    assert app.code[0].value.startswith("# Unlearn Lab: bug report ")
    assert len(app.get("download_button")) == 1
    for file in (home / error_report.FOLDER).iterdir():
        file.unlink()
    app = fine(visit("run", id=str(number)))
    assert not app.get("download_button") and "Error id" in words(app)


def test_a_failed_measurement_offers_its_bug_report(visit: Visit, home: Path, done: RunStore) -> None:
    failed(done, home, MeasureSpec(run=CLASS, what="relearn"))
    app = fine(visit("run", id=str(CLASS), tab="Privacy"))
    assert "The last attempt failed: An unforeseen error ended this" in words(app)
    assert [code.value for code in app.code if code.value.startswith("# Unlearn Lab: bug report")]
