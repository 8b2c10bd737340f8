"""Sweeps in the store: one holder, every trial once, and what pause and cancel leave behind."""

import pytest

from tests.domain.test_sweep import spec
from tests.store.specs import EVERY, sql
from tests.store.specs import spec as run_spec
from unlearn_core.domain.errors import NotFoundError, StoreError
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority, Run, RunState
from unlearn_core.domain.sweeps.sweep import Sweep, SweepFindings, SweepState, sweep_group
from unlearn_core.store.queue.run_store import RunStore

ME, OTHER = "a worker", "another"


@pytest.fixture
def store(home) -> RunStore:
    return RunStore(home)


@pytest.fixture
def sweep(store) -> Sweep:
    """A sweep that this worker holds."""
    store.sweeps.submit(spec(), title="Forget discs with UNSIR")
    (held,) = store.sweeps.acquire_leases(ME)
    return held


def add(store: RunStore, sweep: Sweep, number: int, rate: float = 0.002) -> int:
    run = store.sweeps.add_trial(sweep, ME, number=number, params={"impair_lr": rate}, attributes={"grid_id": number})
    assert run is not None
    return run


def claim(store: RunStore) -> Run:
    run = store.execution.claim(ME, device="cpu", kinds=EVERY)
    assert run is not None
    return run


def test_a_trial_is_an_ordinary_run_behind_those_of_people(store, sweep):
    number = add(store, sweep, 0, 0.005)
    mine = store.submit(run_spec(), title="a person's")
    run = store.get(number)
    assert (run.priority, run.group, run.title) == (Priority.SWEEP, sweep_group(sweep.id), "Forget discs with UNSIR")
    assert run.spec == sweep.spec.run_spec({"impair_lr": 0.005})
    assert [claim(store).id, claim(store).id] == [mine, number]
    (trial,) = store.sweeps.trials(sweep.id)
    assert (trial.run, trial.params, trial.attributes) == (number, {"impair_lr": 0.005}, {"grid_id": 0})
    assert trial.state is RunState.RUNNING


def test_a_trial_is_added_once_and_only_by_who_holds_the_sweep(store, sweep):
    add(store, sweep, 0)
    assert store.sweeps.add_trial(sweep, ME, number=0, params={}, attributes={}) is None
    assert store.sweeps.add_trial(sweep, OTHER, number=1, params={}, attributes={}) is None
    assert len(store.list_runs()) == len(store.sweeps.trials(sweep.id)) == 1


def test_a_sweep_has_one_holder_until_that_one_is_silent_or_lets_go(store, sweep):
    assert store.sweeps.acquire_leases(OTHER) == []
    assert [one.id for one in store.sweeps.acquire_leases(ME)] == [sweep.id]
    sql(store.data_dir, "UPDATE sweep SET lease = 1, uptime = 0")
    assert [one.id for one in store.sweeps.acquire_leases(OTHER)] == [sweep.id]
    assert store.sweeps.acquire_leases(ME) == []
    store.sweeps.release_leases(OTHER)
    assert [one.id for one in store.sweeps.acquire_leases(ME)] == [sweep.id]


def test_a_pause_takes_back_what_only_waits(store, sweep):
    first = add(store, sweep, 0)
    claim(store)
    second = add(store, sweep, 1)
    store.sweeps.pause(sweep.id)
    assert store.sweeps.get(sweep.id).state is SweepState.PAUSED
    assert [trial.run for trial in store.sweeps.trials(sweep.id)] == [first]
    with pytest.raises(NotFoundError):
        store.get(second)
    assert store.sweeps.acquire_leases(ME) == []
    assert store.sweeps.add_trial(sweep, ME, number=1, params={}, attributes={}) is None
    store.sweeps.resume(sweep.id)
    assert [one.id for one in store.sweeps.acquire_leases(ME)] == [sweep.id]
    add(store, sweep, 1)


def test_a_run_that_was_begun_once_is_not_taken_back(store, sweep):
    number = add(store, sweep, 0)
    run = claim(store)
    store.execution.requeue(number, run.attempt)
    store.sweeps.pause(sweep.id)
    assert store.get(number).state is RunState.QUEUED


def test_a_cancel_ends_all_that_is_not_over(store, sweep):
    done, works, waits = (add(store, sweep, number) for number in range(3))
    run = claim(store)
    store.execution.finish(done, run.attempt, metrics=RunMetrics())
    claim(store)
    store.sweeps.cancel(sweep.id)
    assert store.get(done).state is RunState.DONE
    assert store.get(works).cancelling
    assert store.get(waits).state is RunState.CANCELLED
    assert store.sweeps.get(sweep.id).state is SweepState.CANCELLED
    store.sweeps.resume(sweep.id)
    assert store.sweeps.get(sweep.id).state is SweepState.CANCELLED
    assert store.sweeps.acquire_leases(ME) == []


def test_a_deleted_run_still_counts_as_a_trial(store, sweep):
    number = add(store, sweep, 0)
    run = claim(store)
    store.execution.fail(number, run.attempt, "It broke.")
    assert store.sweeps.finished_counts([sweep.id, 99]) == {sweep.id: 1, 99: 0}
    store.delete(number)
    (trial,) = store.sweeps.trials(sweep.id)
    assert (trial.run, trial.status, trial.is_over) == (None, "deleted", True)
    assert store.sweeps.finished_counts([sweep.id]) == {sweep.id: 1}
    assert store.sweeps.count_unfinished(sweep.id) == 0


def test_an_early_stop_says_why_beside_the_run(store, sweep):
    number = add(store, sweep, 0)
    run = claim(store)
    store.sweeps.prune_trial(number, "Worse than the others.")
    assert store.execution.heartbeat(number, run.attempt).cancel
    store.execution.mark_cancelled(number, run.attempt)
    assert store.get(number).note == "Worse than the others."
    (trial,) = store.sweeps.trials(sweep.id)
    assert (trial.status, trial.stopped) == ("stopped early", "Worse than the others.")


def test_a_finished_sweep_may_be_deleted_and_its_runs_stay(store, sweep):
    number = add(store, sweep, 0)
    with pytest.raises(StoreError, match="not finished"):
        store.sweeps.delete(sweep.id)
    findings = SweepFindings(importance={"forget": {"lr": 0.75, "epochs": 0.25}}, num_trials=8)
    store.sweeps.set_findings(sweep.id, ME, findings)
    store.sweeps.end(sweep.id, OTHER, SweepState.DONE)
    assert not store.sweeps.get(sweep.id).state.is_finished, "not theirs to end"
    store.sweeps.end(sweep.id, ME, SweepState.FAILED, error="All failed.")
    ended = store.sweeps.get(sweep.id)
    assert (ended.state, ended.error, ended.findings) == (SweepState.FAILED, "All failed.", findings)
    store.sweeps.delete(sweep.id)
    assert store.get(number).title == sweep.title
    with pytest.raises(NotFoundError, match="sweep"):
        store.sweeps.get(sweep.id)
    assert store.sweeps.list_recent() == []
