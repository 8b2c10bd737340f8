"""Lost workers and clocks that jump: an innocent run goes on, and no run lasts less than nothing."""

import time

import pytest

from tests.store.specs import EVERY, expire, spec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.queue.lease import MAX_LOSSES
from unlearn_core.store.queue.run_store import RunStore

HOUR = 3600.0
WALL, STEADY = time.time, time.monotonic


@pytest.fixture
def store(home) -> RunStore:
    return RunStore(home)


def claim(store: RunStore) -> Run:
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None
    return run


def lose(store: RunStore) -> None:
    """Lets the worker of the next run die."""
    run = claim(store)
    expire(store.data_dir, run.id)
    assert store.execution.expire_leases() == [run.id]


def test_a_run_outlives_the_loss_of_several_workers(store):
    number = store.submit(spec(), title="a")
    for _ in range(MAX_LOSSES - 1):
        lose(store)
    run = claim(store)
    store.execution.finish(number, run.attempt, metrics=RunMetrics())
    assert (store.get(number).state, run.attempt) == (RunState.DONE, MAX_LOSSES)


def test_losses_of_workers_and_deaths_of_its_process_are_counted_apart(store):
    number = store.submit(spec(), title="a")
    lose(store)
    store.execution.mark_crashed(number, claim(store).attempt, "once")
    lose(store)
    assert store.get(number).state is RunState.QUEUED
    store.execution.mark_crashed(number, claim(store).attempt, "The process of this run ended twice.")
    assert store.get(number).error == "The process of this run ended twice."


def test_a_run_that_loses_every_worker_fails_with_a_sentence(store):
    number = store.submit(spec(), title="a")
    for _ in range(MAX_LOSSES):
        lose(store)
    run = store.get(number)
    assert run.state is RunState.FAILED
    assert (run.error or "").startswith(f"The worker stopped unexpectedly {MAX_LOSSES} times during this run")


def test_a_run_that_lost_its_worker_is_not_stacked_with_others(store):
    first, second, third = (store.submit(spec(), title="a", group="g") for _ in range(3))
    lose(store)
    run = claim(store)
    assert run.id == first
    others = {"device": "cpu", "is_compatible": lambda _: True, "limit": 9}
    assert store.execution.claim_group(run, "worker", **others) == []
    store.execution.finish(first, run.attempt, metrics=RunMetrics())
    lose(store)
    store.cancel(second)
    assert store.execution.claim_group(claim(store), "worker", **others) == []
    assert store.get(third).state is RunState.RUNNING


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
@pytest.mark.parametrize("local", [False, True])
def test_a_clock_that_jumps_by_an_hour_does_not_change_how_long_a_run_took(store, monkeypatch, jump, local):
    if local:
        number, attempt = store.execution.register_running(spec(), title="a", device="cpu"), 1
    else:
        number, attempt = store.submit(spec(), title="a"), 1
        claim(store)
    monkeypatch.setattr(time, "time", lambda: WALL() + jump + 20)
    monkeypatch.setattr(time, "monotonic", lambda: STEADY() + 20)
    store.execution.finish(number, attempt, metrics=RunMetrics())
    run = store.get(number)
    assert run.started is not None and run.finished is not None
    assert 19 < (run.finished - run.started).total_seconds() < 21
    assert abs(run.finished.timestamp() - (WALL() + jump + 20)) < 2, "it ended now, by the clock of now"


def test_of_another_machine_the_date_is_all_that_is_known_and_is_never_negative(store, monkeypatch):
    number = store.submit(spec(), title="a")
    run = claim(store)
    monkeypatch.setattr(time, "time", lambda: WALL() - HOUR)
    monkeypatch.setattr("unlearn_core.store.queue.clock.boot", lambda: None)
    store.execution.finish(number, run.attempt, metrics=RunMetrics())
    run = store.get(number)
    assert run.started is not None and run.finished == run.started
