"""The queue as people see it, its fairness, and what a class changes."""

from collections import Counter

import pytest

from tests.store.specs import EVERY, spec
from unlearn_core.domain.errors import NotAllowedError, StoreError
from unlearn_core.domain.jobs import ExplainSpec, MeasureSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.store.access.actor import Actor
from unlearn_core.store.queue import clock
from unlearn_core.store.queue.run_store import RunStore

ANN, BEN = Actor("a" * 20), Actor("b" * 20)


@pytest.fixture
def server(home) -> RunStore:
    return RunStore(home)


def add(server: RunStore, actor: Actor, name: object, priority: Priority = Priority.INTERACTIVE) -> int:
    return server.acting_as(actor).submit(spec(name=name), title=f"Forget {name}", priority=priority)


def test_eight_who_start_five_runs_each_are_served_in_turn(server, monkeypatch) -> None:
    """Whoever comes first with all of theirs has no more than one run ahead of anybody, in fact and as it is shown."""
    passed = 0.0
    began = clock.now()

    def later() -> clock.Now:
        return began._replace(date=round(began.date) + passed, uptime=round(began.uptime) + passed)

    monkeypatch.setattr(clock, "now", later)
    monkeypatch.setattr("time.time", lambda: later().date)
    for owner in range(8):
        for number in range(5):
            server.submit(spec(name=f"{owner} {number}"), title="", owner=f"owner {owner}")
    shown = [entry.number for entry in server.queue.now().waiting]
    served, order = Counter[str](), list[int]()
    while (run := server.execution.claim("w", device="cpu", kinds=EVERY)) is not None:
        served[run.owner] += 1
        order.append(run.id)
        assert max(served.values()) - min(served[f"owner {owner}"] for owner in range(8)) <= 1
        passed += 4.0
        server.execution.finish(run.id, run.attempt, metrics=RunMetrics())
    assert len(order) == 40
    assert order == shown


def test_what_runs_and_who_waits_in_their_order(server) -> None:
    server.execution.worker_heartbeat("w", device="cpu", pid=1, code="", state="busy")
    running, late = add(server, ANN, "cats"), add(server, ANN, "later", Priority.SWEEP)
    assert server.execution.claim("w", device="cpu", kinds=EVERY) is not None
    first, joined = add(server, ANN, "dogs"), add(server, BEN, "birds")
    server.acting_as(ANN).submit_unique(spec(name="birds"), title="")
    server.acting_as(BEN).submit(ExplainSpec(run=running, picture=1), title="Grad-CAM")
    queue = server.acting_as(ANN).queue.now()
    assert [worker.name for worker in queue.workers] == ["w"]
    assert [(one.number, *one.readers) for one in queue.running] == [(running, True, 0)]
    assert [(one.number, *one.readers) for one in queue.waiting] == [
        (joined, True, 1),
        (first, True, 0),
        (late, True, 0),
    ]
    assert (queue.own_waiting, queue.beside, queue.is_class) == (3, {"look": 1}, False)
    seen = server.acting_as(BEN).queue.now()
    assert [(one.number, *one.readers) for one in seen.waiting] == [
        (joined, True, 1),
        (first, False, 1),
        (late, False, 1),
    ]


def test_in_private_others_are_only_counted(server, monkeypatch) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    add(server, ANN, "secret")
    own = add(server, BEN, "dogs")
    queue = server.acting_as(BEN).queue.now()
    assert [one.run and one.run.title for one in queue.waiting] == [None, "Forget dogs"]
    assert [one.readers.has_me for one in queue.waiting] == [False, True]
    assert own == queue.waiting[1].number


def test_in_a_class_each_visitor_has_one_run_at_a_time(server) -> None:
    server.queue.hold_class(on=True)
    assert server.queue.is_class()
    number = add(server, ANN, "cats")
    with pytest.raises(StoreError, match=f"Yours is run {number}"):
        add(server, ANN, "dogs")
    with pytest.raises(StoreError, match="one run at a time"):
        server.acting_as(ANN).submit_unique(spec(name="dogs"), title="")
    other = add(server, BEN, "birds")
    assert server.acting_as(ANN).submit_unique(spec(name="birds"), title="").run == other, "joining is free"
    assert server.acting_as(ANN).submit(MeasureSpec(run=number), title="a measurement is no run")
    for title in ("one", "two"):
        assert server.submit(spec(name=title), title=title), "the operator may"
    server.acting_as(ANN).cancel(number)
    server.acting_as(ANN).cancel(other)
    assert add(server, ANN, "dogs")
    server.queue.hold_class(on=False)
    assert add(server, ANN, "more")


def test_in_a_class_background_work_waits_and_makes_room(server) -> None:
    sweep = add(server, ANN, "sweep", Priority.SWEEP)
    run = server.execution.claim("w", device="cpu", kinds=EVERY)
    assert run is not None and run.id == sweep
    assert not server.execution.heartbeat(sweep, 1).preempt
    server.queue.hold_class(on=True)
    assert server.execution.heartbeat(sweep, 1).preempt
    server.execution.requeue(sweep, 1)
    assert not server.execution.has_queued(EVERY)
    assert server.execution.claim("w", device="cpu", kinds=EVERY) is None
    assert [one.number for one in server.queue.now().waiting] == [sweep]
    wanted = add(server, BEN, "cats")
    run = server.execution.claim("w", device="cpu", kinds=EVERY)
    assert run is not None and run.id == wanted
    assert not server.execution.heartbeat(wanted, 1).preempt
    server.queue.hold_class(on=False)
    run = server.execution.claim("w", device="cpu", kinds=EVERY)
    assert run is not None and (run.id, run.state) == (sweep, RunState.RUNNING)


def test_only_the_operator_holds_a_class(server) -> None:
    with pytest.raises(NotAllowedError):
        server.acting_as(ANN).queue.hold_class(on=True)
