"""Who asks for a run that is there already: they share it, leave it, or have it made anyway."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit, turn
from tests.pages.finished_runs import CLASS
from tests.pages.page_asserts import fine, label, words
from tests.store.specs import sql
from unlearn_core.domain.run import RunState
from unlearn_core.store.access.actor import Actor
from unlearn_core.store.queue.run_store import RunStore

ANN, BEN = Actor("a" * 20), Actor("b" * 20)
SETUP = {"classifier": "tiny", "forget": "rows"}


def press_run(visit: Visit, **query: str) -> AppTest:
    return fine(visit("method", **(SETUP | query)).button(key="strip-run").click().run())


def test_two_who_press_run_wait_for_one_run(visit: Visit, come_as: Callable[[str], None], store: RunStore) -> None:
    come_as(ANN.id)
    assert not press_run(visit).toast
    come_as(BEN.id)
    app = press_run(visit)
    (run,) = store.list_runs()
    assert (run.owner, app.query_params) == (ANN.id, {"id": str(run.id)})
    assert "computed once" in app.toast[0].value
    assert "for 1 other too" in words(app)
    leave = app.button(key=f"cancel-{run.id}")
    assert (leave.label, leave.help) == ("Leave", "1 other wants this run too: it goes on.")
    app = fine(visit("run", id=str(run.id)).button(key=f"cancel-{run.id}").click().run())
    assert "You left run 1." in app.toast[0].value
    assert app.button(key=f"cancel-{run.id}").disabled, "it belongs to Ann alone now"
    assert store.get(run.id).state is RunState.QUEUED
    come_as(ANN.id)
    app = fine(visit("run", id=str(run.id)))
    assert label(app, f"cancel-{run.id}") == "Cancel"
    fine(app.button(key=f"cancel-{run.id}").click().run())
    assert store.get(run.id).state is RunState.CANCELLED


def test_the_history_lists_what_one_joined_as_ones_own(
    visit: Visit, come_as: Callable[[str], None], store: RunStore
) -> None:
    come_as(ANN.id)
    press_run(visit)
    press_run(visit, seed="1")
    come_as(BEN.id)
    press_run(visit)
    app = fine(visit("history"))
    assert list(app.dataframe[0].value["run"]) == ["Run 1"]
    assert app.segmented_control(key="history-whose").options == ["Mine (1)", "Everybody's (2)"]


@pytest.fixture
def again(visit: Visit, done: RunStore, come_as: Callable[[str], None]) -> AppTest:
    """Ben has asked for what Ann made."""
    sql(done.data_dir, "UPDATE run SET owner = ? WHERE id = ?", ANN.id, CLASS)
    done.execution.worker_heartbeat("w", device="cpu", pid=1, code="", state="idle")
    come_as(BEN.id)
    assert "was made" not in words(visit("run", id=str(CLASS)))
    return press_run(visit, forget="discs", method="unsir", preset="bundled")


def test_a_run_that_is_done_answers_at_once(again: AppTest, done: RunStore) -> None:
    assert again.query_params == {"id": str(CLASS)}
    said = words(again)
    assert "This run was made" in said and "it was not computed again" in said and "by " in said
    assert done.acting_as(BEN).readers(CLASS).has_me
    app = fine(turn(again, "run").button(key="run-anyway").click().run())
    newest = done.list_runs()[0]
    assert (newest.owner, newest.spec, newest.state) == (BEN.id, done.get(CLASS).spec, RunState.QUEUED)
    assert app.query_params == {"id": str(newest.id)}


def test_it_says_so_only_to_who_asked(again: AppTest, visit: Visit) -> None:
    assert again.button(key="run-anyway")
    assert "was made" not in words(fine(visit("run", id=str(CLASS))))
