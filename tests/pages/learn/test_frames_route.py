"""The route of the frames: what ships is there at once, the rest is queued, shared, given up and explained."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.domain.test_boundary_frames import frames
from unlearn_core.charts.text.boundary_words import Subject
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.engine.playground import scenes
from unlearn_core.store.files import playground_results
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.playground import frames_route
from unlearn_core.ui.pages.playground.frames_route import Wanted
from unlearn_core.ui.shell import cache

SPEC = PointsSpec(part="unlearn", dataset="moons", forget=ForgetClasses(classes=(2,)), method="finetune")
NOON = Subject("noon", has_test=True)


@pytest.fixture
def client(home, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    cache._store.clear()
    monkeypatch.setattr(frames_route, "PATIENCE", 0.3)
    with TestClient(Starlette(routes=frames_route.routes())) as made:
        yield made


@pytest.fixture
def store(home) -> RunStore:
    return RunStore(home)


def url(spec: PointsSpec = SPEC, visitor: str = "a", part: str = "unlearned") -> str:
    return f"{frames_route.register(Wanted(spec.original, spec, NOON, visitor))}/{part}"


def test_what_ships_is_there_at_once(client: TestClient, store: RunStore) -> None:
    shipped = scenes.SCENES[0].spec()
    for part in ("original", "unlearned", "retrained"):
        answer = client.get(url(shipped, part=part))
        assert answer.status_code == 200 and answer.json()["frames"]["fields"]
    assert answer.json()["words"]["title"] == "It forgot as much as retraining would"
    assert not store.list_runs(kinds=("points",))


def test_a_run_is_queued_once_and_its_frames_follow(client: TestClient, store: RunStore, home) -> None:
    assert client.get(url()).status_code == 202
    assert client.get(url(visitor="b")).status_code == 202
    (run,) = store.list_runs(kinds=("points",))
    assert (run.spec, run.owner, run.priority) == (SPEC, "a", Priority.INTERACTIVE)
    playground_results.save(home, SPEC, frames(forget=7))
    assert "7 of 200 test points of noon" in client.get(url()).json()["words"]["sentence"]


def test_a_retrained_model_comes_after_what_visitors_watch(client: TestClient, store: RunStore, home) -> None:
    assert client.get(url(part="retrained")).status_code == 202
    assert [run.priority for run in store.list_runs(kinds=("points",)) if run.spec == SPEC.retrained] == [
        Priority.BACKGROUND
    ]
    playground_results.save(home, SPEC.retrained, frames())
    playground_results.save(home, SPEC, frames(forget=60))
    assert client.get(url(part="retrained")).json()["words"]["title"] == "It still knows noon"


def test_a_run_that_fails_says_why(client: TestClient, store: RunStore) -> None:
    client.get(url())
    run = store.execution.claim("worker", device="cpu", kinds={"points"})
    assert run is not None
    store.execution.fail(run.id, run.attempt, "No result: the points are gone.")
    again = in_background(lambda: client.get(url()))
    wait(lambda: store.execution.claim("worker", device="cpu", kinds={"points"}))
    (claimed,) = store.list_runs(kinds=("points",), states=(RunState.RUNNING,))
    store.execution.fail(claimed.id, claimed.attempt, "No result: the points are gone.")
    assert again() == {"error": "No result: the points are gone."}


def test_unknown_names_and_parts_are_refused(client: TestClient) -> None:
    for path in (f"{url().rpartition('/')[0]}/weights", "/playground-frames/abc/unlearned"):
        assert client.get(path).status_code == 404
    nothing = frames_route.register(Wanted(SPEC.original, None, NOON, "a"))
    assert client.get(f"{nothing}/unlearned").status_code == 404


def test_who_waits_is_told_for_what(client: TestClient, store: RunStore) -> None:
    assert "No worker is running" in client.get(url()).json()["waiting"]
    store.execution.worker_heartbeat("worker", device="cpu", pid=1, code="", state="busy")
    other = SPEC.model_copy(update={"seed": 5})
    client.get(url(other, visitor="b"))
    assert client.get(url(other, visitor="b")).json()["waiting"] == "Runs ahead of yours: 1."


def test_a_run_that_is_given_up_leaves_the_queue_unless_others_wait(store: RunStore, home) -> None:
    cache._store.clear()
    run = frames_route._submit(SPEC, "a")
    frames_route._waiting[run] = 2
    frames_route._give_up(run)
    assert store.get(run).state is RunState.QUEUED
    frames_route._waiting[run] = 1
    frames_route._give_up(run)
    assert store.get(run).state is RunState.CANCELLED
    del frames_route._waiting[run]
    assert frames_route._submit(SPEC, "a") != run


def test_old_runs_leave_the_history(store: RunStore) -> None:
    old = store.submit(SPEC, title="x")
    run = store.execution.claim("worker", device="cpu", kinds={"points"})
    assert run is not None and run.id == old
    folder = store.data_dir / "runs" / str(old)
    assert folder.exists()
    store.cancel(old)
    store.execution.mark_cancelled(old, run.attempt)
    waiting = store.submit(SPEC, title="y")
    store.execution.delete_finished({"points"}, older_than=60.0)
    assert store.get(old)
    store.execution.delete_finished({"points"}, older_than=-1.0)
    assert [one.id for one in store.list_runs()] == [waiting]
    assert not folder.exists()


def in_background(ask: Callable) -> Callable:
    found: list = []
    thread = threading.Thread(target=lambda: found.append(ask()))
    thread.start()

    def joined():
        thread.join(20)
        return found[0].json()

    return joined


def wait(true: Callable) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
