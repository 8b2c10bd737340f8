"""The page Queue: devices, one's own runs, all that waits, and the switch for a class."""

from collections.abc import Callable

import pytest

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, label, words
from tests.store.specs import EVERY
from unlearn_core.domain.run import Phase, Priority, Progress, RunState
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.store.access.actor import Actor
from unlearn_core.store.queue.run_store import RunStore

ANN, BEN = Actor("a" * 20), Actor("b" * 20)


def add(store: RunStore, actor: Actor, seed: int, priority: Priority = Priority.INTERACTIVE) -> int:
    spec = run_spec("tiny", method="unsir", classes=["rows"], preset="bundled").model_copy(update={"seed": seed})
    return store.acting_as(actor).submit(spec, title="Forget rows with UNSIR", priority=priority)


@pytest.fixture
def busy(store: RunStore) -> RunStore:
    """Ann's run 1 runs, and 2 to 4 wait: Ben's, then hers, then her sweep's."""
    store.execution.worker_heartbeat("w", device="cpu", pid=1, code="", state="busy")
    add(store, ANN, 1)
    run = store.execution.claim("w", device="cpu", kinds=EVERY)
    assert run is not None
    progress = Progress((Phase("impair", 10, 4, 2.0),), "impair", None)
    store.execution.heartbeat(run.id, 1, progress=progress)
    add(store, BEN, 2)
    add(store, ANN, 3)
    add(store, ANN, 4, Priority.SWEEP)
    return store


def test_an_empty_queue_says_so(visit: Visit, store: RunStore) -> None:
    assert "Nobody waits" in words(fine(visit("queue")))
    store.execution.worker_heartbeat("w", device="cpu", pid=1, code="", state="idle")
    said = words(fine(visit("queue")))
    assert "free" in said and "runs at once" in said and "You have 0 of at most 20 queued runs" in said


def test_devices_ones_own_and_everybody(visit: Visit, busy: RunStore, come_as: Callable[[str], None]) -> None:
    come_as(ANN.id)
    busy.acting_as(ANN).visitors.rename("Table 4")
    app = fine(visit("queue"))
    said = words(app)
    assert "Run 1: Forget rows with UNSIR" in said and ":blue-badge[yours]" in said
    assert app.get("progress")[0].proto.text.startswith("step 4 of 10")  # pyright: ignore
    table = app.dataframe[0].value
    assert list(table["whose"]) == ["Visitor BBBB", "yours", "yours"]
    assert list(table["kind"]) == ["someone waits", "someone waits", "sweep"]
    assert all(start == "now" or start.startswith("in ") for start in table["starts"])
    assert "You have 2 of at most 20 queued runs; all together 3 of 200." in said
    assert "1 run before it" in said and "2 runs before it" in said
    assert label(app, "queue-cancel-3") == "Cancel"
    fine(app.button(key="queue-cancel-3").click().run())
    assert busy.get(3).state is RunState.CANCELLED


def test_it_leads_to_the_queue_from_a_waiting_run(visit: Visit, busy: RunStore) -> None:
    app = fine(visit("run", id="3"))
    assert ("The whole queue", "queue") in [(link.proto.label, link.proto.page) for link in app.get("page_link")]  # pyright: ignore


def test_a_shared_run_is_left_here_too(visit: Visit, busy: RunStore, come_as: Callable[[str], None]) -> None:
    spec = busy.get(2).spec
    busy.acting_as(ANN).submit_unique(spec, title="")
    come_as(BEN.id)
    app = fine(visit("queue"))
    assert "for 1 other too" in words(app)
    assert app.dataframe[0].value["whose"].iloc[0] == "yours and 1 other"
    assert label(app, "queue-cancel-2") == "Leave"
    app = fine(app.button(key="queue-cancel-2").click().run())
    assert "You left run 2." in app.toast[0].value
    assert busy.get(2).owner == ANN.id


def test_in_private_others_have_no_name_or_title(
    visit: Visit, busy: RunStore, come_as: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    come_as(BEN.id)
    app = fine(visit("queue"))
    table = app.dataframe[0].value
    assert list(table["what"]) == ["Forget rows with UNSIR", "a run of another visitor", "a run of another visitor"]
    assert list(table["run"].isna()) == [False, True, True]
    assert "A run of another visitor." in words(app) and "Run 1" not in words(app)


def test_the_operator_holds_a_class(visit: Visit, busy: RunStore, come_as: Callable[[str], None]) -> None:
    app = fine(visit("queue"))
    app = fine(app.toggle[0].set_value(True).run())
    assert busy.queue.is_class() and app.toggle[0].value
    assert list(app.dataframe[0].value["starts"])[2] == "after the class"
    come_as(BEN.id)
    app = fine(visit("queue"))
    assert not app.toggle and "everybody has one run at a time" in app.info[0].value
    refused = visit("method", classifier="tiny", forget="rows").button(key="strip-run").click().run()
    assert "Yours is run 2" in words(refused)
    history = fine(visit("history"))
    assert history.segmented_control(key="history-whose").value == "all"
    come_as("local")
    app = fine(visit("queue"))
    fine(app.toggle[0].set_value(False).run())
    assert not busy.queue.is_class()
