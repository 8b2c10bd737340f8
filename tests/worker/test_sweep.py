"""Sweeps in the hands of real workers: no browser is open, processes are killed, and every trial counts once."""

import os
import signal
import time
from contextlib import suppress

import pytest

from tests.domain.test_sweep import spec
from tests.worker.worker_processes import begun, until, worker
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import CurvePoint, RunState
from unlearn_core.domain.sweeps.sweep import Sweep, SweepSpec, SweepState, Trial
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.sweep_scheduler import MAX_FAILED_TRIALS, SweepScheduler, end_condition

pytestmark = pytest.mark.slow  # real workers, and what may befall them

NAME = "a worker"


def fake(do: str, trials: int = 8, **changes) -> SweepSpec:
    """A sweep whose trials do what their parameters tell tests/worker/fake_work.py."""
    params = {"do": do} | changes.pop("params", {})
    ranges = changes.pop("ranges", [{"knob": "pause", "low": 0.001, "high": 0.01}])
    return spec(params=params, ranges=ranges, trials=trials, sampler="random", **changes)


def over(store: RunStore, number: int) -> Sweep:
    return until(lambda: one if (one := store.sweeps.get(number)).state.is_finished else None)


def done(store: RunStore, number: int) -> int:
    return sum(trial.state is RunState.DONE for trial in store.sweeps.trials(number))


def test_eight_trials_are_counted_once_each_though_runner_and_worker_are_killed(home) -> None:
    store = RunStore(home)
    number = store.sweeps.submit(fake("steps", params={"steps": 30}), title="a trial")
    with worker(home) as first:
        run = until(lambda: [trial.run for trial in store.sweeps.trials(number) if trial.number == 1])[0]
        os.kill(begun(store, run), signal.SIGKILL)
        until(lambda: done(store, number) >= 3)
        with suppress(ProcessLookupError):
            os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        finished = {trial.number: trial.run for trial in store.sweeps.trials(number) if trial.state is RunState.DONE}
    assert not store.sweeps.get(number).state.is_finished
    with worker(home):
        assert over(store, number).state is SweepState.DONE
    trials = store.sweeps.trials(number)
    assert [trial.number for trial in trials] == list(range(8))
    assert {trial.state for trial in trials} == {RunState.DONE}
    assert len({trial.run for trial in trials}) == len(store.list_runs()) == 8
    assert finished.items() <= {trial.number: trial.run for trial in trials}.items(), "nothing finished was made again"
    assert store.get(run).attempt == 2


def test_a_sweep_whose_every_trial_fails_ends_with_a_sentence(home) -> None:
    store = RunStore(home)
    wanted = fake("fail", 20, params={}, ranges=[{"knob": "kind", "values": ["ours", "memory"]}])
    number = store.sweeps.submit(wanted.model_copy(update={"params": {"do": "fail"}}), title="a trial")
    with worker(home):
        sweep = over(store, number)
    assert sweep.state is SweepState.FAILED
    assert len(store.sweeps.trials(number)) == MAX_FAILED_TRIALS, "the others were not tried in vain"
    assert f"None of its {MAX_FAILED_TRIALS} trials finished" in (sweep.error or "")
    assert "The last error: " in (sweep.error or "")


@pytest.fixture
def store(home) -> RunStore:
    return RunStore(home)


def turn(store: RunStore) -> None:
    SweepScheduler(store, NAME).schedule({})


def claim(store: RunStore):
    run = store.execution.claim(NAME, device="cpu", kinds={"unlearn"})
    assert run is not None
    return run


def test_there_are_as_many_trials_under_way_as_workers(store) -> None:
    number = store.sweeps.submit(spec(), title="a trial")
    turn(store)
    turn(store)
    assert store.sweeps.count_unfinished(number) == 1
    for name in ("one", "two", "three"):
        store.execution.worker_heartbeat(name, device="cpu", pid=1, code="", state="idle")
    turn(store)
    assert store.sweeps.count_unfinished(number) == 3
    assert len({str(trial.params) for trial in store.sweeps.trials(number)}) == 3


def test_a_person_is_served_between_two_trials_and_after_a_pause_it_goes_on(store) -> None:
    number = store.sweeps.submit(spec(trials=2), title="a trial")
    turn(store)
    first = claim(store)
    store.sweeps.pause(number)
    store.execution.finish(first.id, first.attempt, metrics=RunMetrics())
    turn(store)
    assert len(store.sweeps.trials(number)) == 1
    mine = store.submit(first.spec, title="a person's")
    store.sweeps.resume(number)
    turn(store)
    assert claim(store).id == mine
    second = claim(store)
    store.execution.finish(second.id, second.attempt, metrics=RunMetrics())
    turn(store)
    assert store.sweeps.get(number).state is SweepState.DONE


def test_a_trial_that_is_left_behind_is_stopped_and_the_sweep_goes_on(store) -> None:
    number = store.sweeps.submit(spec(objectives=["retain"], trials=7), title="a trial")
    scheduler = SweepScheduler(store, NAME)
    for place in range(7):
        scheduler.schedule({})
        run = claim(store)
        kept = 0.9 if place < 5 else 0.2
        points = [CurvePoint(0, 0.0, "impair", 0.9, 0.9), CurvePoint(10, 1.0, "impair", 0.1, kept)]
        wish = store.execution.heartbeat(run.id, run.attempt, points=points)
        scheduler.prune_if_hopeless(run, points)
        wish = store.execution.heartbeat(run.id, run.attempt)
        assert wish.cancel == (place >= 5)
        if wish.cancel:
            store.execution.mark_cancelled(run.id, run.attempt)
        else:
            store.execution.finish(run.id, run.attempt, metrics=RunMetrics(accuracy={"after": {"retain_val": 0.9}}))
    scheduler.schedule({})
    assert store.sweeps.get(number).state is SweepState.DONE
    assert [trial.status for trial in store.sweeps.trials(number)] == ["done"] * 5 + ["stopped early"] * 2
    assert "retain accuracy was lower than the median of 5" in store.get(7).note


def test_where_nobody_wants_early_stops_there_are_none(store) -> None:
    store.sweeps.submit(spec(objectives=["retain"], early=False), title="a trial")
    scheduler = SweepScheduler(store, NAME)
    for _ in range(6):
        scheduler.schedule({})
        run = claim(store)
        points = [
            CurvePoint(0, 0.0, "impair", 0.9, 0.9),
            CurvePoint(10, 1.0, "impair", 0.1, 0.9 if run.id < 6 else 0.0),
        ]
        store.execution.heartbeat(run.id, run.attempt, points=points)
        scheduler.prune_if_hopeless(run, points)
        assert not store.execution.heartbeat(run.id, run.attempt).cancel
        store.execution.finish(run.id, run.attempt, metrics=RunMetrics())


def test_a_sampler_that_breaks_ends_its_sweep_and_nothing_else(store, caplog) -> None:
    broken = store.sweeps.submit(spec(ranges=[{"knob": "x", "low": 0.0, "high": 1e-320}]), title="broken")
    sound = store.sweeps.submit(spec(), title="sound")
    import unlearn_core.worker.sampler as sampler

    ask = sampler.suggest

    def breaks(wanted, trials):
        if wanted.ranges[0].knob == "x":
            raise ValueError("no such thing")
        return ask(wanted, trials)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampler, "suggest", breaks)
        turn(store)
    assert store.sweeps.get(broken).state is SweepState.FAILED
    assert "ValueError: no such thing" in (store.sweeps.get(broken).error or "")
    assert store.sweeps.count_unfinished(sound) == 1
    assert "Traceback" in caplog.text


def ended(number: int, state: RunState, *, seconds: float = 60.0) -> Trial:
    return Trial(number, number + 1, {}, {}, None, state, None, RunMetrics(), 1000.0, 1000.0 + seconds)


def test_a_budget_in_minutes_is_of_work() -> None:
    wanted = spec(trials=None, minutes=3)
    trials = [ended(number, RunState.DONE) for number in range(3)]
    assert end_condition(wanted, trials, now=time.time()) is None, "side by side"
    trials = [trial._replace(started=100.0 * trial.number, finished=100.0 * trial.number + 60) for trial in trials]
    assert end_condition(wanted, trials[:2], now=time.time()) is None
    assert end_condition(wanted, trials, now=time.time()) == (SweepState.DONE, None)


def test_one_trial_that_comes_through_is_enough() -> None:
    lost = [ended(number, RunState.FAILED) for number in range(6)]
    assert end_condition(spec(trials=8), [*lost, ended(6, RunState.DONE)], now=0) is None
    end = end_condition(spec(trials=4), [ended(number, RunState.CANCELLED) for number in range(4)], now=0)
    assert end is not None and end.state is SweepState.FAILED
    assert "cancelled or deleted" in (end.error or "")
