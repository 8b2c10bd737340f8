"""Clocks that jump, and process ids that are used again: neither holds a run, nor takes one away."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.domain.test_sweep import spec as sweep_spec
from tests.store.specs import EVERY, expire, spec, sql
from unlearn_core.domain.errors import NotFoundError
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.store.db.database import MIGRATIONS_DIR, Database
from unlearn_core.store.queue import processes
from unlearn_core.store.queue.run_store import RunStore

HOUR = 3600.0
SILENT = 6.0
"""Seconds after which a worker that has said nothing is taken for dead."""

WALL, STEADY = time.time, time.monotonic

Turn = Callable[..., None]


@pytest.fixture
def store(home: Path) -> RunStore:
    return RunStore(home)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Turn:
    """`clock(ahead=3600)` puts this machine's clock wrong; `clock(later=6)` lets time go by on every clock."""

    def turn(*, ahead: float = 0.0, later: float = 0.0) -> None:
        monkeypatch.setattr(time, "time", lambda: WALL() + ahead + later)
        monkeypatch.setattr(time, "monotonic", lambda: STEADY() + later)

    return turn


@pytest.fixture
def another() -> Iterator[int]:
    """The id of another process that is alive."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process.pid
    process.kill()
    process.wait()


def claimed(store: RunStore) -> int:
    """A run in the hands of a worker that has just been heard of."""
    number = store.submit(spec(), title="a")
    store.execution.worker_heartbeat("worker", device="cpu", pid=1, code="x", state="busy")
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None and run.id == number
    return number


@pytest.mark.parametrize("ahead", [-HOUR, 0.0, HOUR])
def test_a_worker_that_dies_is_missed_at_once_whatever_its_clock_said(store: RunStore, clock: Turn, ahead: float):
    clock(ahead=ahead)
    number = claimed(store)
    store.sweeps.submit(sweep_spec(), title="a sweep")
    assert store.sweeps.acquire_leases("worker")
    clock(later=SILENT)
    assert store.workers() == []
    assert store.execution.expire_leases() == [number]
    assert store.get(number).state is RunState.QUEUED
    assert store.sweeps.acquire_leases("another")


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_a_worker_whose_clock_is_wrong_is_alive_and_keeps_what_it_has(store: RunStore, clock: Turn, ahead: float):
    clock(ahead=ahead)
    claimed(store)
    store.sweeps.submit(sweep_spec(), title="a sweep")
    assert store.sweeps.acquire_leases("worker")
    clock(later=SILENT / 2)
    assert [row.name for row in store.workers()] == ["worker"]
    assert store.execution.expire_leases() == []
    assert store.sweeps.acquire_leases("another") == []


def test_a_run_whose_worker_is_dead_can_be_cancelled_and_deleted_with_no_other_there(store: RunStore, clock: Turn):
    clock(ahead=HOUR)
    number = claimed(store)
    clock(later=SILENT)
    store.cancel(number)
    assert store.get(number).state is RunState.CANCELLED
    store.delete(number)
    with pytest.raises(NotFoundError):
        store.get(number)


@pytest.mark.parametrize(("seconds", "held"), [(HOUR, False), (20.0, True), (3.0, True), (-1.0, False)])
def test_of_another_machine_the_date_is_all_that_is_known(home: Path, store: RunStore, seconds: float, held: bool):
    number = claimed(store)
    sql(home, "UPDATE run SET lease = ?, boot = 'of another machine', uptime = 1e9", time.time() + seconds)
    sql(home, "UPDATE worker SET seen = ?, boot = 'of another machine', uptime = 1e9", time.time() + seconds)
    assert store.execution.expire_leases() == ([] if held else [number])
    assert bool(store.workers()) == (held or seconds == -1.0)


def test_a_process_that_has_the_id_of_a_dead_maker_does_not_hold_its_run(home: Path, store: RunStore, another: int):
    number = store.execution.register_running(spec(), title="a", device="cpu")
    expire(home, number)
    assert store.execution.expire_leases() == []
    sql(home, "UPDATE run SET worker = replace(worker, ?, ?)", f" {os.getpid()}", f" {another}")
    assert store.execution.expire_leases() == [number]
    assert store.get(number).state is RunState.FAILED
    store.delete(number)


def test_a_mark_of_a_dead_web_server_is_not_taken_for_that_of_another_process(home: Path, another: int):
    mark = processes.mark(home)
    assert processes.web_servers(home) == [os.getpid()]
    mark.rename(mark.with_name(f"web-{another}"))
    assert processes.web_servers(home) == []
    assert not list(mark.parent.glob("web-*"))


def test_without_proc_a_process_is_known_by_what_ps_says(monkeypatch: pytest.MonkeyPatch, another: int):
    mine = processes.birth(another)
    assert mine is not None and processes.is_alive(another, mine) and not processes.is_alive(another, f"{mine}0")
    assert processes.is_alive(another) and not processes.is_alive(999_999_999)
    said = subprocess.CompletedProcess([], 0, "Sun Nov 29 03:54:48 2026\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: said)
    monkeypatch.setattr(processes, "PROC", Path("/nowhere"))
    assert processes.birth(another) == "Sun Nov 29 03:54:48 2026"


def old(home: Path, worker: str, lease: float) -> RunStore:
    """A data folder of the release before, with one run in progress."""
    Database(home, scripts=MIGRATIONS_DIR, head="0002")
    values = "'unlearn', ?, 'a', 'running', 'local', 0, '', 'cpu', 1, 0, 1.0, 1.0, '{}', 0, ?, ?"
    names = (
        "kind, spec, title, state, owner, priority, note, device, attempt, deaths, created, started, headline, "
        "cancelling, worker, lease"
    )
    sql(home, f"INSERT INTO run ({names}) VALUES ({values})", spec().model_dump_json(), worker, lease)
    sql(home, "INSERT INTO worker VALUES ('w', 'cpu', 1, 'x', 'busy', ?)", lease - 5.0)
    return RunStore(home)


@pytest.mark.parametrize("seconds", [-10.0, HOUR])
def test_a_run_of_the_release_before_whose_worker_is_gone_starts_again(home: Path, seconds: float):
    store = old(home, "host cpu 7", time.time() + seconds)
    assert store.workers() == []
    assert store.execution.expire_leases() == [1]
    assert claimed_again(store) == (1, 2)


def test_a_run_of_the_release_before_stays_with_a_worker_that_is_there(home: Path):
    store = old(home, "host cpu 7", time.time() + 4.0)
    assert [row.name for row in store.workers()] == ["w"]
    assert store.execution.expire_leases() == []
    store.execution.finish(1, 1, metrics=RunMetrics())


def test_a_maker_of_the_release_before_is_known_by_its_id_for_a_day(home: Path, another: int):
    maker = f"maker {os.uname().nodename} {another}"
    store = old(home, maker, time.time() - HOUR)
    assert store.execution.expire_leases() == []
    sql(home, "UPDATE run SET lease = lease - 25 * 3600")
    assert store.execution.expire_leases() == [1]
    assert store.get(1).state is RunState.FAILED


def claimed_again(store: RunStore) -> tuple[int, int]:
    run = store.execution.claim("another", device="cpu", kinds=EVERY)
    assert run is not None
    return run.id, run.attempt
