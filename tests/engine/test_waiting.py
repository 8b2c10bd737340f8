"""When waiting runs start, from forecasts that are given."""

from datetime import UTC, datetime

import pytest

from tests.store.specs import EVERY
from unlearn_core.data import datasets
from unlearn_core.domain.jobs import MeasureSpec, TrainGoldSpec
from unlearn_core.domain.run import Run
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.engine.forecasts.waiting import NOW, expected_starts, remaining, starts
from unlearn_core.store.queue.run_store import RunStore


def cost(low: float, high: float) -> Forecast:
    return Forecast(low, high, True)


def test_on_one_device_each_waits_for_all_before_it() -> None:
    waiting = {7: cost(10, 20), 8: cost(1, 2), 9: cost(5, 5)}
    assert starts([cost(3, 4)], waiting) == {7: cost(3, 4), 8: cost(13, 24), 9: cost(14, 26)}
    assert starts([NOW], waiting)[7] == cost(0, 0)


def test_on_two_devices_each_goes_to_the_one_that_is_free_first() -> None:
    waiting = {7: cost(10, 20), 8: cost(1, 2), 9: cost(5, 5)}
    assert starts([cost(3, 4), NOW], waiting) == {7: cost(0, 0), 8: cost(3, 4), 9: cost(4, 6)}


def test_behind_a_run_without_forecast_all_is_unknown() -> None:
    waiting = {7: cost(1, 2), 8: None, 9: cost(5, 5), 10: cost(1, 1)}
    assert starts([NOW], waiting) == {7: cost(0, 0), 8: cost(1, 2), 9: None, 10: None}
    assert set(starts([None], waiting).values()) == set(starts([], waiting).values()) == {None}


def test_what_is_left_of_a_running_run() -> None:
    run = Run.model_construct(started=datetime.fromtimestamp(1000, UTC))
    assert remaining(cost(10, 20), run, 1004) == cost(6, 16)
    assert remaining(cost(10, 20), run, 1015) == cost(0, 5)
    assert remaining(cost(10, 20), run, 1021) is None, "it takes longer than its forecast"
    assert remaining(None, run, 1000) is None


@pytest.fixture
def store(home) -> RunStore:
    return RunStore(home)


def labels(dataset: str):
    return datasets.load(dataset).labels


def test_the_queue_of_a_folder(store: RunStore) -> None:
    spec = run_spec("tiny", method="unsir", classes=["rows"], preset="bundled")
    first = store.submit(spec, title="")
    gold = store.submit(TrainGoldSpec(request=spec.request), title="")
    measure = store.submit(MeasureSpec(run=first), title="")
    last = store.submit(spec.model_copy(update={"seed": 1}), title="")
    assert set(expected_starts(store, labels).values()) == {None}, "no worker is there"
    store.execution.worker_heartbeat("w", device="cpu", pid=1, code="", state="idle")
    found = expected_starts(store, labels)
    assert found[first] == cost(0, 0)
    second, third = found[gold], found[measure]
    assert second and third and 0 < second.low < third.low and second.high < third.high
    assert found[last] is None, "a measurement has no forecast"
    run = store.execution.claim("w", device="cpu", kinds=EVERY)
    assert run is not None and run.id == first
    store.execution.worker_heartbeat("w", device="cpu", pid=1, code="", state="busy")
    running = expected_starts(store, labels)
    assert first not in running and running[gold] is not None
    store.execution.register_running(spec.model_copy(update={"seed": 2}), title="of a stack", device="cpu")
    assert expected_starts(store, labels)[gold] is None, "a stack has no forecast"
    store.execution.worker_heartbeat("w", device="cpu", pid=1, code="", state="idle")
    assert expected_starts(store, labels)[gold] == NOW, "what the command line executes is beside the worker"
