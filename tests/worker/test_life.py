"""How workers come and go: one a device, newer code, dead supervisors, lost folders, idleness."""

import argparse
import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.store.specs import sql
from tests.worker.worker_processes import (
    LONG,
    begun,
    end_of,
    enough,
    is_running,
    members,
    output,
    submit,
    until,
    worker,
)
from unlearn_core.cli import worker as verb
from unlearn_core.domain.errors import WorkerAlreadyRunningError, WorkerError
from unlearn_core.domain.run import RunState
from unlearn_core.store import maintenance
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.device_lock import lock_path, read_info

pytestmark = pytest.mark.slow  # real workers, and what may befall them


@pytest.fixture
def store(home) -> RunStore:
    return RunStore(home)


def ready(store: RunStore, pid: int) -> None:
    until(lambda: [row for row in store.workers() if row.pid == pid and row.state == "idle"])


def tell(*words: str) -> int:
    parser = argparse.ArgumentParser()
    verb.arguments(parser)
    return verb.run(parser.parse_args(words))


def test_a_killed_supervisor_takes_its_children_along_and_the_next_one_takes_over(store, home):
    with worker(home) as first:
        number = submit(store, do="hang")
        assert begun(store, number) in members(first.pid)
        first.kill()
        first.wait()
        until(lambda: not members(first.pid), LONG / 2)
    assert is_running(store, number), "nobody knows yet"
    began = time.monotonic()
    with worker(home):
        begun(store, number, attempt=2)
        assert time.monotonic() - began < 15
        run = end_of(store, number)
    assert (run.state, run.attempt) == (RunState.DONE, 2)


def test_a_supervisor_that_was_killed_with_its_clock_an_hour_ahead_is_missed_as_soon(store, home):
    with worker(home, "--ahead", "3600") as first:
        number = submit(store, do="hang")
        begun(store, number)
        first.kill()
        first.wait()
    until(lambda: not store.workers(), 10)
    with worker(home):
        assert (end_of(store, number).state, store.get(number).attempt) == (RunState.DONE, 2)


def test_a_worker_whose_clock_is_an_hour_behind_is_seen_and_keeps_its_run(store, home):
    with worker(home, "--ahead", "-3600") as process:
        ready(store, process.pid)
        number = submit(store, do="await")
        begun(store, number)
        time.sleep(1.5)
        assert [row.state for row in store.workers()] == ["busy"]
        assert store.execution.expire_leases() == []
        enough(store, number)
        assert (end_of(store, number).state, store.get(number).attempt) == (RunState.DONE, 1)


def test_a_second_worker_of_the_same_code_is_not_needed(store, home, capsys):
    with worker(home) as first:
        until(lambda: read_info(lock_path(home, "cpu")))
        with worker(home) as second:
            assert second.wait(LONG) == 1
        assert f"A worker (process {first.pid}) is already running on cpu for {home}" in output(home)
        with pytest.raises(WorkerAlreadyRunningError):
            tell("--device", "cpu")
        assert tell("--device", "cpu", "--from-app") == 0
        assert "already" in capsys.readouterr().out
        assert first.poll() is None


def test_an_idle_worker_of_other_code_is_replaced_and_a_busy_one_finishes_first(store, home):
    with worker(home, "--code", "old") as old:
        number = submit(store, do="await")
        begun(store, number)
        with worker(home, "--code", "new") as new:
            words = f"{old.pid} runs other code: this worker replaces it once run {number} ends"
            until(lambda: words in output(home))
            later = submit(store, do="steps", steps=1)
            until(lambda: [row for row in store.workers() if row.state == "leaving"])
            with worker(home, "--code", "new") as another:
                assert another.wait(LONG) == 1, "one that waits is enough"
            enough(store, number)
            run = end_of(store, number)
            assert (run.state, run.attempt) == (RunState.DONE, 1)
            assert old.wait(LONG) == 0
            assert end_of(store, later).state is RunState.DONE
            ready(store, new.pid)
            assert [row.pid for row in store.workers()] == [new.pid]
            with worker(home, "--code", "newest") as newest:
                assert new.wait(LONG) == 0
                ready(store, newest.pid)


def test_who_waits_gives_its_turn_to_newer_code(store, home):
    with worker(home, "--code", "old"):
        number = submit(store, do="await")
        begun(store, number)
        with worker(home, "--code", "new") as new:
            until(lambda: read_info(lock_path(home, "cpu").with_suffix(".next")))
            with worker(home, "--code", "newest") as newest:
                assert new.wait(LONG) == 0
                store.cancel(number)
                ready(store, newest.pid)


def test_a_worker_of_the_app_goes_when_nobody_needs_it(store, home):
    (home / "locks").mkdir(exist_ok=True)
    ours, dead = home / "locks" / f"web-{os.getpid()}", home / "locks" / "web-999999999"
    ours.touch()
    dead.touch()
    with worker(home, "--from-app", "--patience", "1.5") as process:
        ready(store, process.pid)
        time.sleep(2.5)
        assert process.poll() is None, "a web server is there"
        assert not dead.exists()
        number = submit(store, do="await")
        begun(store, number)
        ours.unlink()
        time.sleep(2.5)
        assert is_running(store, number), "it is not idle"
        enough(store, number)
        assert end_of(store, number).state is RunState.DONE
        assert process.wait(LONG) == 0
    assert "no web server is running" in output(home)
    assert not (home / "worker.log").exists(), "its output is the log"
    assert store.workers() == []


def test_a_worker_ends_when_its_folder_is_gone(store, home):
    with worker(home) as process:
        begun(store, submit(store, do="deaf"))
        shutil.rmtree(home)
        assert process.wait(LONG) == 0
        until(lambda: not members(process.pid), LONG / 2)
        assert not home.exists(), "and does not make it again"


def test_stop_ends_a_worker_and_gives_its_run_back(store, home, capsys):
    assert tell("--stop") == 0
    assert "No worker is running" in capsys.readouterr().out
    with worker(home) as process:
        number = submit(store, do="await")
        begun(store, number)
        assert tell("--stop", "--if-idle") == 0
        assert f"continues with run {number}" in capsys.readouterr().out
        assert process.poll() is None
        assert tell("--stop", "--device", "cuda:0") == 0
        assert process.poll() is None
        assert tell("--stop") == 0
        assert f"Run {number} returned to the queue" in capsys.readouterr().out
        assert process.wait(LONG) == 0
    run = store.get(number)
    assert (run.state, run.attempt, run.started) == (RunState.QUEUED, 1, None)


def test_ctrl_c_of_the_web_server_ends_its_idle_worker_and_no_other(store, home, capsys):
    with worker(home) as by_hand:
        ready(store, by_hand.pid)
        assert tell("--stop", "--if-idle") == 0
        assert by_hand.poll() is None
    with worker(home, "--from-app") as process:
        ready(store, process.pid)
        (home / "locks" / f"web-{os.getpid()}").touch()
        assert tell("--stop", "--if-idle") == 0
        assert process.poll() is None, "another web server needs it"
        (home / "locks" / f"web-{os.getpid()}").unlink()
        assert tell("--stop", "--if-idle") == 0
        assert process.wait(LONG) == 0
    assert "has stopped" in capsys.readouterr().out


@pytest.fixture
def heard() -> Iterator[None]:
    """Lets children hear Ctrl-C also where the tests themselves run in a background that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_worker_in_a_terminal(store, home, heard):
    with worker(home) as process:
        number = submit(store, do="await")
        begun(store, number)
        os.killpg(process.pid, signal.SIGINT)  # a terminal tells every process
        assert process.wait(LONG) == 0
        assert store.get(number).state is RunState.QUEUED


def test_for_maintenance_running_runs_end_and_queued_ones_wait_for_a_worker_that_is_started_by_hand(
    store, home, capsys
):
    with worker(home) as process, ThreadPoolExecutor(1) as pool:
        number, behind = (submit(store, do="await") for _ in range(2))
        begun(store, number)
        draining = pool.submit(tell, "--stop", "--wait")
        until(lambda: [row for row in store.workers() if row.state == "leaving"])
        assert maintenance.is_on(home) and not draining.done()
        enough(store, number)
        assert draining.result(LONG) == 0
        assert process.wait(LONG) == 0
    said = capsys.readouterr().out
    assert f"The worker (process {process.pid}) stops once run {number} has ended." in said
    assert "No worker is running. Queued runs wait;" in said
    assert (store.get(number).state, store.get(behind).state) == (RunState.DONE, RunState.QUEUED)
    assert tell("--device", "cpu", "--from-app") == 0
    assert maintenance.NOTICE in capsys.readouterr().out and maintenance.is_on(home)


def test_options_of_stop_go_with_it():
    with pytest.raises(WorkerError, match="requires --stop"):
        tell("--if-idle")
    for words in (["--wait"], ["--stop", "--if-idle", "--wait"]):
        with pytest.raises(WorkerError, match="--wait goes with --stop alone"):
            tell(*words)


def test_a_worker_is_seen_while_its_work_is_imported(store, home):
    with worker(home, "--work", "tests.worker.slow_work") as process:
        until(lambda: [row.state for row in store.workers()] == ["starting"])
        [(first,)] = sql(home, "SELECT seen FROM worker")
        until(
            lambda: sql(home, "SELECT seen FROM worker WHERE state = 'starting'") not in ([], [(first,)]), seconds=1.4
        )
        ready(store, process.pid)


def test_work_that_cannot_be_imported_fails_its_run_and_says_why(store, home):
    with worker(home, "--work", "tests.worker.nowhere"):
        run = end_of(store, submit(store, do="steps", steps=1))
    assert (run.state, run.attempt) == (RunState.FAILED, 1)
    assert "No module named 'tests.worker.nowhere'" in (run.error or "")
