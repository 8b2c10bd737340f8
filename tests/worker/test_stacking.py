"""Runs of a group that a worker makes side by side: each has its own end, whatever befalls the others."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen

import pytest

from tests.domain.test_sweep import spec as sweep_of
from tests.store.specs import spec, sql
from tests.worker.worker_processes import begun, end_of, enough, output, until, worker
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.domain.stacking import MAX_STACK
from unlearn_core.domain.sweeps.sweep import SweepState
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.sweep_scheduler import ADAPTIVE_STACK, max_parallel_trials

pytestmark = pytest.mark.slow  # real workers, and what may befall them

STACKS = {"unsir": frozenset({"impair_lr", "repair_lr"})}


@pytest.fixture
def store(home) -> RunStore:
    return RunStore(home)


@contextmanager
def ready(store: RunStore) -> Iterator[Popen]:
    """A worker whose child has said what it can make side by side."""
    with worker(store.data_dir, "--work", "tests.worker.stackable_trials") as process:
        end_of(store, store.submit(spec(do="steps", steps=1), title="the first"))
        yield process


def group(store: RunStore, count: int, **params) -> list[int]:
    """Queues runs of one group while the worker is busy with something else, so that it finds them all."""
    other = store.submit(spec(do="await"), title="something else")
    begun(store, other)
    made = [store.submit(spec(**params), title="one", priority=Priority.SWEEP, group="g") for _ in range(count)]
    enough(store, other)
    return made


def test_a_group_is_made_in_stacks_and_each_run_has_its_own_curve_and_end(store) -> None:
    with ready(store):
        runs = group(store, MAX_STACK + 2, do="steps", steps=5)
        alone = store.submit(spec(do="steps", steps=1), title="of no group", priority=Priority.SWEEP)
        ends = [end_of(store, run) for run in runs]
        assert end_of(store, alone).metrics.to_dict().keys() == {"pid", "runs", "device"}
    assert [end.metrics.to_dict()["together"] for end in ends] == [MAX_STACK] * MAX_STACK + [2] * 2
    assert all([point.step for point in store.curve(run)] == [1, 2, 3, 4, 5] for run in runs)
    assert {end.attempt for end in ends} == {1}


def test_what_differs_in_more_than_its_method_allows_is_made_apart(store) -> None:
    with ready(store):
        other = store.submit(spec(do="await"), title="something else")
        begun(store, other)
        wishes = [{"do": "steps", "steps": 3}, {"do": "die", "times": 0}, {"do": "steps", "steps": 4}]
        runs = [store.submit(spec(**wish), title="one", priority=Priority.SWEEP, group="g") for wish in wishes]
        enough(store, other)
        ends = [end_of(store, run).metrics.to_dict() for run in runs]
    assert [end.get("together") for end in ends] == [2, None, 2]


def test_one_that_is_cancelled_or_taken_away_stops_no_other(store) -> None:
    with ready(store):
        one, two, three = group(store, 3, do="steps", steps=150)
        begun(store, three)
        store.cancel(two)
        store.execution.fail(three, 1, "Taken away.")
        assert end_of(store, two).state is RunState.CANCELLED
        assert end_of(store, one).state is RunState.DONE
        after = end_of(store, store.submit(spec(do="steps", steps=1), title="the next"))
        assert after.state is RunState.DONE
    assert store.get(three).error == "Taken away."
    assert len(store.curve(two)) < 150


def test_those_whose_process_died_go_on_alone(store) -> None:
    with ready(store):
        runs = group(store, 3, do="steps", steps=60)
        os.kill(begun(store, runs[1]), signal.SIGKILL)
        ends = [end_of(store, run) for run in runs]
    assert {(end.state, end.attempt) for end in ends} == {(RunState.DONE, 2)}
    assert all("together" not in end.metrics.to_dict() for end in ends), (
        "a stack that took a process with it is not made again"
    )


@pytest.mark.parametrize("place", [0, 1])
def test_one_on_which_a_process_has_died_goes_alone_and_the_others_together(store, place: int) -> None:
    with ready(store):
        other = store.submit(spec(do="await"), title="something else")
        begun(store, other)
        wish = spec(do="steps", steps=3)
        runs = [store.submit(wish, title="one", priority=Priority.SWEEP, group="g") for _ in range(3)]
        sql(store.data_dir, "UPDATE run SET deaths = 1 WHERE id = ?", runs[place])
        enough(store, other)
        ends = [end_of(store, run).metrics.to_dict().get("together") for run in runs]
    assert ends.pop(place) is None
    assert ends == [2, 2]


def test_those_that_need_too_much_memory_together_go_on_alone(store) -> None:
    with ready(store):
        runs = group(store, 2, do="fail", kind="ours")
        ends = [end_of(store, run) for run in runs]
    assert {end.error for end in ends} == {"There is nothing to forget: choose a class."}, "each one's own end"
    assert {end.attempt for end in ends} == {2}
    assert "MemoryError" in (store.data_dir / "worker.log").read_text()


def test_those_that_do_not_stack_are_made_one_after_another(store) -> None:
    with ready(store):
        runs = group(store, 3, do="die", times=0)
        ends = [end_of(store, run) for run in runs]
    assert [(end.state, end.attempt) for end in ends] == [(RunState.DONE, 1), (RunState.DONE, 2), (RunState.DONE, 3)]
    assert all("together" not in end.metrics.to_dict() for end in ends)
    assert "preempted, now queued. These draw by chance." in output(store.data_dir), "it is said why"
    assert sql(store.data_dir, "SELECT DISTINCT deaths FROM run") == [(0,)]


def test_a_worker_that_leaves_gives_all_of_a_stack_back(store) -> None:
    with ready(store) as process:
        runs = group(store, 3, do="steps", steps=3000)
        until(lambda: begun(store, runs[2]))
        process.terminate()
        process.wait(20)
    assert {store.get(run).state for run in runs} == {RunState.QUEUED}


def test_a_sweep_has_a_stack_of_trials_under_way(store) -> None:
    assert max_parallel_trials(sweep_of(), {}) == 1, "on a CPU"
    assert max_parallel_trials(sweep_of(sampler="random"), STACKS) == MAX_STACK
    assert max_parallel_trials(sweep_of(sampler="tpe"), STACKS) == ADAPTIVE_STACK
    assert max_parallel_trials(sweep_of(sampler="random"), {"unsir": frozenset({"batch"})}) == 1, (
        "a knob that does not stack"
    )
    wanted = sweep_of(
        method="any",
        params={"do": "steps", "steps": 3},
        ranges=[{"knob": "pause", "low": 0.001, "high": 0.01}],
        sampler="random",
        trials=MAX_STACK + 4,
    )
    number = store.sweeps.submit(wanted, title="a trial")
    with ready(store):
        until(lambda: store.sweeps.get(number).state is SweepState.DONE)
    trials = store.sweeps.trials(number)
    assert [trial.number for trial in trials] == list(range(MAX_STACK + 4))
    assert {trial.state for trial in trials} == {RunState.DONE}
    assert (
        max(trial.metrics.to_dict()["together"] for trial in trials if "together" in trial.metrics.to_dict())
        == MAX_STACK
    )
