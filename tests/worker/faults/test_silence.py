"""A method that never yields: its page says so, it is stopped after a while, and the next run starts."""

import math

import pytest

from tests.pages.finished_runs import by_class
from tests.store.specs import EVERY, spec
from tests.worker.worker_processes import begun, end_of, enough, is_running, output, submit, until, worker
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority, RunState, Silence
from unlearn_core.engine.forecasts import here
from unlearn_core.engine.forecasts.silence import FACTOR, longest_silence
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import classifiers
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.child_process import NO_FORECAST
from unlearn_core.worker.device_supervisor import WorkerLimits

USUAL = 3.0
"""Seconds that a run of these tests may make no step."""


@pytest.fixture
def store(inside) -> RunStore:
    inside.limits = WorkerLimits(cancel_grace=0.2, silence=USUAL)
    return inside.store


def noticed(store: RunStore, run: int, limit: float) -> Silence:
    """Waits until it is known that a run makes no step, and that it may do so for so long."""
    return until(lambda: found if (found := store.get(run).silence) and found.limit == limit else None)


def test_a_silent_run_is_noticed_then_stopped_and_the_next_one_starts(store):
    number, behind = submit(store, do="silent", forecast=0.1), submit(store, do="steps", steps=1)
    pid = begun(store, number)
    silence = noticed(store, number, USUAL)
    assert USUAL / 10 < silence.seconds < silence.limit
    run = end_of(store, number)
    assert (run.state, run.attempt) == (RunState.FAILED, 1), "it would only be silent again"
    assert (run.error or "").startswith("This run was stopped because it made no step for about 3 s: its method may")
    assert (run.error or "").endswith("The operator of this server can change UNLEARN_MOST_SILENT_MINUTES.")
    next_run = end_of(store, behind)
    assert next_run.state is RunState.DONE and next_run.metrics.to_dict()["pid"] != pid


def test_a_long_forecast_leaves_a_run_longer_and_none_much_longer(store):
    for params, limit in (({"forecast": 20.0}, 20.0), ({}, NO_FORECAST * USUAL)):
        number = submit(store, do="silent", **params)
        begun(store, number)
        assert noticed(store, number, limit)
        store.cancel(number)
        assert end_of(store, number).state is RunState.CANCELLED


def test_a_run_that_only_looks_whether_it_is_wanted_is_alive(store):
    number = submit(store, do="await", forecast=0.1)
    begun(store, number)
    with pytest.raises(AssertionError, match="waited in vain"):
        until(lambda: not is_running(store, number), USUAL + 1)
    enough(store, number)
    assert end_of(store, number).state is RunState.DONE


def test_the_forecast_of_the_engine_gives_the_limit(home):
    cache, store = ModelCache("cpu", home), RunStore(home)
    spec = by_class()
    run, measure = (store.get(store.submit(one, title="a")) for one in (spec, MeasureSpec(run=1)))
    card, data = classifiers.card("tiny"), cache.dataset("shapes")
    work = here.spec_work(spec, card, data.card, data.image_dataset.labels)
    assert longest_silence(run, cache) is None, "nothing was measured here yet"
    done = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert done is not None
    store.execution.finish(done.id, done.attempt, metrics=RunMetrics(seconds_per_image=0.5))
    forecast = here.of_run(card, data.card, work, store, only_measured=True)
    assert forecast is not None
    limit = longest_silence(run, cache)
    assert limit is not None and math.isclose(limit, FACTOR * forecast.high, rel_tol=0.2)
    assert longest_silence(measure, cache) is None
    assert longest_silence(run.model_copy(update={"spec": spec.model_copy(update={"method": "gone"})}), cache) is None


@pytest.mark.slow
def test_in_a_stack_nobody_knows_which_was_silent_so_each_goes_on_alone(home):
    store, wanted = RunStore(home), spec(do="silent", steps=1, forecast=0.1)
    with worker(home, "--work", "tests.worker.stackable_trials", "--silence", "2"):
        until(lambda: [row for row in store.workers() if row.state == "idle"])
        other = submit(store, do="await")  # so that both wait when the first is claimed
        begun(store, other)
        runs = [store.submit(one, title="a", priority=Priority.SWEEP, group="g") for one in [wanted, wanted]]
        enough(store, other)
        ends = [end_of(store, run) for run in runs]
    assert [(end.state, end.attempt) for end in ends] == [(RunState.FAILED, 2)] * 2
    assert output(home).count("This run was stopped because it made no step") == 4
