"""A page that shows an unfinished run sees to it that a worker is there, and says so for as long as none is."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.domain.test_sweep import spec as sweep_spec
from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, by_class, by_picture, started
from tests.pages.lab import gallery_steps
from tests.pages.page_asserts import fine, words
from tests.store.specs import expire, sql
from unlearn_core.domain.jobs import ExplainSpec, ImportDatasetSpec, MeasureSpec, TrainGoldSpec
from unlearn_core.domain.run import RunState
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.shell import lifespan

STARTING = "A worker is starting."
STOPPED = "The worker stopped unexpectedly."
GOES_ON = "the run continues"
COMMAND = "python -m unlearn_core worker"


class Started:
    """A worker that was started: `code` is how it ended, None while it lives."""

    def __init__(self) -> None:
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Started]:
    """The workers that the server has started, which does so by itself."""
    begun: list[Started] = []

    def start(*_: object, **__: object) -> Started:
        begun.append(Started())
        return begun[-1]

    monkeypatch.setenv("UNLEARN_WORKER", "auto")
    monkeypatch.setattr(lifespan, "_watch", lifespan._Watch())
    monkeypatch.setattr(lifespan, "CHECK_INTERVAL", 0.0)
    monkeypatch.setattr(subprocess, "Popen", start)
    return begun


def waiting(store: RunStore) -> int:
    return store.submit(by_class(), title="Forget discs with UNSIR")


def left(store: RunStore) -> int:
    """A run whose worker has died."""
    number = waiting(store)
    started(store)
    expire(store.data_dir, number)
    return number


def test_a_waiting_run_has_a_worker_started_once(visit: Visit, store: RunStore, workers: list[Started]) -> None:
    app = fine(visit("run", id=str(waiting(store))))
    assert STARTING in words(app)
    assert len(workers) == 1
    app.run()
    fine(visit("history"))
    assert len(workers) == 1, "one is coming up"
    store.execution.worker_heartbeat("w", device="cpu", pid=1, code="c", state="busy")
    assert STARTING not in words(fine(app.run()))
    workers[0].code = -signal.SIGKILL
    app.run()
    assert len(workers) == 1, "another one is there"
    store.execution.deregister_worker("w")
    app.run()
    assert len(workers) == 2


@pytest.mark.parametrize(
    ("losses", "cancelling", "then"),
    [(0, 0, "the run will be started again"), (4, 0, "the run will be ended as failed"), (1, 1, "be cancelled")],
)
def test_a_run_whose_worker_died_is_said_to_stand_still(
    visit: Visit, store: RunStore, workers: list[Started], losses: int, cancelling: int, then: str
) -> None:
    number = left(store)
    sql(store.data_dir, "UPDATE run SET losses = ?, cancelling = ?", losses, cancelling)
    app = fine(visit("run", id=str(number)))
    assert f"{STOPPED} A new one is starting; " in words(app) and f"{then}." in words(app)
    assert GOES_ON not in words(app)
    assert len(workers) == 1


@pytest.mark.parametrize("page", ["history", "sweep", "datasets", "report", "gold", "measurement", "look"])
def test_whatever_shows_an_unfinished_run_has_a_worker_started(
    visit: Visit, done: RunStore, workers: list[Started], page: str
) -> None:
    query = {"id": str(CLASS)}
    if page == "history":
        left(done)
        assert f"{STOPPED} A new one is starting; the run will be started again." in words(fine(visit("history")))
    elif page == "sweep":
        number = done.sweeps.submit(sweep_spec(), title="a sweep")
        assert STARTING in words(fine(visit("sweep", sweep=str(number))))
    elif page == "datasets":
        order = ImportDatasetSpec(dataset="mine", title="Mine", source="folder", size=32)
        done.submit(order, title="Prepare Mine")
        assert STARTING in words(fine(visit("datasets")))
    elif page == "report":
        done.repeats.submit(done.get(CLASS), 2)
        assert STARTING in words(fine(visit("run", **query)))
    elif page == "gold":
        done.submit(TrainGoldSpec(request=by_picture().request), title="Gold")
        assert STARTING in words(fine(visit("run", id="2")))
    elif page == "measurement":
        done.submit(MeasureSpec(run=CLASS, what="relearn"), title="Relearn")
        assert STARTING in words(fine(visit("run", **query, tab="Privacy")))
    else:
        app = fine(visit("run", **query, tab="Images"))
        assert not workers, "nothing is unfinished"
        gallery_steps.pick(app, 3, key=f"look-gallery-{CLASS}")
        assert isinstance(done.list_runs(limit=1)[0].spec, ExplainSpec)
    assert len(workers) == 1


def test_without_unfinished_runs_no_worker_is_started(visit: Visit, done: RunStore, workers: list[Started]) -> None:
    fine(visit("run", id=str(CLASS)))
    fine(visit("history"))
    assert not workers


@pytest.mark.parametrize("page", ["run", "history"])
def test_where_the_server_may_start_none_it_says_how_to(
    visit: Visit, store: RunStore, workers: list[Started], monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setenv("UNLEARN_WORKER", "none")
    number = left(store)
    app = fine(visit(page, id=str(number)))
    assert "The worker stopped unexpectedly, so the run cannot continue." in app.warning[0].value
    assert [code.value for code in app.code] == [COMMAND]
    store.execution.expire_leases()
    app = fine(visit(page, id=str(number)))
    assert "No worker is running, so nothing starts." in app.warning[0].value
    assert [code.value for code in app.code] == [COMMAND]
    assert not [button for button in app.button if button.label == "Start a worker"]
    assert GOES_ON not in words(app)
    assert not workers


def test_a_worker_that_ends_by_itself_is_not_started_over_and_over(
    visit: Visit, store: RunStore, workers: list[Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = waiting(store)
    app = fine(visit("run", id=str(number)))
    workers[0].code = 2
    app.run()
    assert len(workers) == 1
    assert "No worker is running, so nothing starts." in app.warning[0].value
    app.button(key="live-worker").click().run()
    assert len(workers) == 2
    workers[1].code = 2
    monkeypatch.setattr(lifespan, "RETRY", 0.0)
    app.run()
    assert len(workers) == 3
    assert "No worker is running" in app.warning[0].value, "it hangs"
    workers[2].code = -signal.SIGKILL
    monkeypatch.setattr(lifespan, "RETRY", 60.0)
    app.run()
    assert len(workers) == 4, "who was killed may well do better the next time"


def test_a_run_that_the_command_line_makes_needs_no_worker(
    visit: Visit, store: RunStore, workers: list[Started]
) -> None:
    number = store.execution.register_running(by_class(), title="a", device="cpu")
    expire(store.data_dir, number)
    assert GOES_ON in words(fine(visit("run", id=str(number))))


def test_many_pages_look_once_in_a_while(store: RunStore, workers: list[Started], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lifespan, "CHECK_INTERVAL", 60.0)
    lifespan.ensure_worker()
    workers.clear()
    monkeypatch.setattr(lifespan.cache, "store", lambda: pytest.fail("it looked again"))
    lifespan.ensure_worker()


@pytest.fixture
def real(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server starts real workers; none of them is left in the end."""
    watch = lifespan._Watch()
    monkeypatch.setenv("UNLEARN_WORKER", "auto")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(lifespan, "_watch", watch)
    yield
    if watch.worker is not None:
        watch.worker.terminate()
        watch.worker.wait(60)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_with_only_its_page_open_a_run_outlives_a_killed_supervisor(visit: Visit, store: RunStore, real: None) -> None:
    steps = {"noise_pictures": 64, "noise_repeats": 4, "batch": 16}  # long enough to be killed in the middle
    number = store.submit(
        run_spec("tiny", method="unsir", classes=["discs"], overrides=steps), title="Forget discs with UNSIR"
    )
    app = visit("run", id=str(number))
    seen: list[str] = []

    def until(true, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, words(app)
            time.sleep(0.2)
            seen.append(words(fine(app.run())))

    until(lambda: store.get(number).progress, 120)
    killed = lifespan._watch.worker
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    gone = time.monotonic()
    until(lambda: lifespan._watch.worker is not killed, 10)
    assert time.monotonic() - gone < 10
    until(lambda: store.get(number).state.is_finished, 90)
    told = [text for text in seen if STOPPED in text]  # from when its lease has ended until a new worker has it
    assert told and not any(GOES_ON in text for text in told)
    assert (store.get(number).state, store.get(number).attempt) == (RunState.DONE, 2)
    assert "Did the model forget the forget set and retain the rest?" in words(fine(app.run()))
