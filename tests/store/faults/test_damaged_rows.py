"""One spoiled row of the database: it is named, repaired from its folder or given up, and the others stand."""

import pytest

from tests.domain.test_sweep import spec as sweep_spec
from tests.store.specs import EVERY, REQUEST, spec, sql
from unlearn_core.domain.errors import DamagedRunError, DamagedSweepError
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.sweep_scheduler import SweepScheduler

DAMAGE = ("spec", "headline", "progress")


@pytest.fixture
def store(home) -> RunStore:
    return RunStore(home)


def done(store: RunStore, **params) -> int:
    """A finished run, recorded in its folder as its worker does."""
    number = store.submit(spec(**params), title="a run")
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None and run.id == number
    store.execution.finish(number, run.attempt, metrics=RunMetrics(gold="abc"))
    return number


def spoil(store: RunStore, run: int, column: str) -> None:
    sql(store.data_dir, f"UPDATE run SET {column} = '{{\"kind' WHERE id = ?", run)


@pytest.mark.parametrize("column", DAMAGE)
def test_the_others_are_listed(store, column):
    first, second, third = (done(store, number=number) for number in range(3))
    spoil(store, second, column)
    assert [run.id for run in store.list_runs()] == [third, first]
    assert [brief.id for brief in store.listing.briefs(kinds=EVERY)] == [third, second, first]
    assert list(store.listing.runs([first, second, third])) == [first, third]
    assert len(store.rates("cpu", "tiny")) == 0, "and no forecast stumbles over it"


@pytest.mark.parametrize("column", DAMAGE)
def test_what_its_folder_records_is_put_back(store, column):
    number = done(store, rate=0.5)
    before = store.get(number)
    store.set_note(number, "keep this")
    spoil(store, number, column)
    assert store.get(number) == before.model_copy(update={"note": "keep this", "progress": None})


@pytest.mark.parametrize("column", DAMAGE)
def test_without_a_record_it_says_so_and_can_be_deleted(store, column):
    number = done(store)
    (artifacts.run_dir(store.data_dir, number) / "run.json").unlink()
    spoil(store, number, column)
    sentence = rf"The record of run {number} in the database is damaged \(JSONDecodeError\).* The other runs are not"
    with pytest.raises(DamagedRunError, match=sentence):
        store.get(number)
    assert store.repair([number]) == [number]
    store.delete(number)
    assert not artifacts.run_dir(store.data_dir, number).exists()


def test_a_queued_one_fails_and_the_next_one_is_claimed(store):
    first, second = (store.submit(spec(), title="a run") for _ in range(2))
    spoil(store, first, "spec")
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None and run.id == second
    assert sql(store.data_dir, "SELECT state FROM run WHERE id = ?", first) == [(RunState.FAILED,)]
    [(error,)] = sql(store.data_dir, "SELECT error FROM run WHERE id = ?", first)
    assert error.startswith(f"The record of run {first} in the database is damaged")


def test_a_run_that_is_spoiled_while_it_runs_ends_all_the_same(store):
    number = store.submit(spec(), title="a run")
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None
    spoil(store, number, "spec")
    store.execution.finish(number, run.attempt, metrics=RunMetrics())
    assert sql(store.data_dir, "SELECT state FROM run") == [(RunState.DONE,)]


def test_a_measurement_of_a_run_whose_metrics_are_spoiled_ends_all_the_same(store):
    number = done(store)
    measure = store.submit(MeasureSpec(run=number), title="measure")
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None and run.id == measure
    spoil(store, number, "headline")
    store.execution.finish(measure, run.attempt, metrics=RunMetrics())
    assert store.get(measure).state is RunState.DONE
    assert store.get(number).metrics.gold == "abc", "from its folder"
    assert store.get(number).spec.request == REQUEST


def test_a_damaged_sweep_fails_with_a_sentence_and_the_others_go_on(store):
    first, second = (store.sweeps.submit(sweep_spec(), title="a sweep") for _ in range(2))
    sql(store.data_dir, "UPDATE sweep SET spec = '{' WHERE id = ?", first)
    assert [sweep.id for sweep in store.sweeps.acquire_leases("worker")] == [second]
    assert [sweep.id for sweep in store.sweeps.list_recent()] == [second]
    [(state, error)] = sql(store.data_dir, "SELECT state, error FROM sweep WHERE id = ?", first)
    assert state == "failed" and error.startswith(f"The record of sweep {first} in the database is damaged")
    with pytest.raises(DamagedSweepError, match="Its runs are still in the history"):
        store.sweeps.get(first)


def test_a_damaged_trial_ends_its_sweep(store):
    sweep = store.sweeps.get(store.sweeps.submit(sweep_spec(), title="a sweep"))
    scheduler = SweepScheduler(store, "worker")
    scheduler.schedule({})
    sql(store.data_dir, "UPDATE trial SET params = '{'")
    store.cancel(1)
    scheduler.schedule({})
    [(state, error)] = sql(store.data_dir, "SELECT state, error FROM sweep")
    assert state == "failed" and error.startswith(f"The record of sweep {sweep.id} in the database is damaged")
