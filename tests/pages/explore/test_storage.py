"""The page Storage: what would be deleted is listed, the deletion is confirmed, and what went is listed."""

from collections.abc import Callable

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, PICTURES
from tests.pages.page_asserts import fine, words
from tests.store.access.test_separation import ANN
from tests.store.specs import sql
from unlearn_core.domain.run import RunState
from unlearn_core.store.queue.run_store import RunStore

DELETE = "Delete everything"


def test_a_visitor_deletes_everything_of_theirs(visit: Visit, done: RunStore, come_as: Callable[[str], None]) -> None:
    sql(done.data_dir, "UPDATE run SET owner = ? WHERE id = ?", ANN.id, CLASS)
    ann = done.acting_as(ANN)
    ann.visitors.rename("Table 4")
    ann.submit(done.get(CLASS).spec, title="again")
    come_as(ANN.id)
    app = fine(visit("storage"))
    assert app.sidebar.button(key="account").label == "Table 4"
    assert not [one for one in app.button if one.label == DELETE], "first what would go is shown"
    app.button(key="storage-list").click().run()
    assert "* runs with their reports and weights: 2" in words(fine(app))
    (delete,) = (one for one in app.button if one.label == DELETE)
    assert delete.disabled and len(ann.belongings.runs()) == 2
    app.checkbox(key="storage-sure").check().run()
    (delete,) = (one for one in app.button if one.label == DELETE)
    delete.click().run()
    text = words(fine(app))
    assert app.success[0].value == "Everything of yours was deleted from this server:"
    assert "* runs with their reports and weights: 2" in text and "* name and codes: 1" in text
    assert [run.id for run in done.list_runs()] == [PICTURES]
    assert not (done.data_dir / "runs" / str(CLASS)).exists()
    assert app.sidebar.button(key="account").label == "Visitor AAAA"
    app.button(key="storage-list").click().run()
    assert "Nothing is stored of you" in words(fine(app))


def test_runs_that_do_not_end_are_said_and_nothing_is_deleted(
    visit: Visit, done: RunStore, come_as: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unlearn_core.store.housekeeping.erasure.erase.__kwdefaults__", {"patience": 0.1})
    ann = done.acting_as(ANN)
    running = ann.submit(done.get(CLASS).spec, title="again")
    assert done.execution.claim("w", device="cpu", kinds={"unlearn"})
    come_as(ANN.id)
    app = fine(visit("storage"))
    app.button(key="storage-list").click().run()
    app.checkbox(key="storage-sure").check().run()
    next(one for one in app.button if one.label == DELETE).click().run()
    assert not app.exception
    assert f"Not all runs have ended within 0.1 s of being cancelled ({running})" in words(app).replace("\\", "")
    assert done.get(running).state is RunState.RUNNING and done.get(running).cancelling


def test_the_dialog_about_the_visitor_leads_there(visit: Visit, come_as: Callable[[str], None]) -> None:
    come_as(ANN.id)
    app = fine(visit("history"))
    app.sidebar.button(key="account").click().run()
    links = [one.proto for one in app.get("page_link")]
    assert ("What is stored of you, and how to delete it", "storage") in [(link.label, link.page) for link in links]
