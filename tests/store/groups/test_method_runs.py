"""The runs of all methods on one request: queued all or none, found again, and never made twice."""

from pathlib import Path

import pytest

from tests.store.specs import REQUEST, spec
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.store.queue import scheduling
from unlearn_core.store.queue.method_runs import method_group
from unlearn_core.store.queue.run_store import RunStore

GOLD = TrainGoldSpec(request=REQUEST)


@pytest.fixture
def store(home: Path) -> RunStore:
    return RunStore(home)


def methods(*names: str, **fields: object) -> dict[str, UnlearnSpec]:
    return {f"Forget cat with {name}": spec().model_copy(update={"method": name, **fields}) for name in names}


def claim(store: RunStore, count: int = 1) -> list[int]:
    claimed = [store.execution.claim("w", device="cpu", kinds={"unlearn", "gold"}) for _ in range(count)]
    return [run.id for run in claimed if run is not None]


def test_one_press_queues_a_group_behind_what_people_wait_for(store: RunStore) -> None:
    wanted = methods("a", "b")
    new = store.method_runs.submit(wanted | {"Retrain without cat": GOLD}, owner="me")
    runs = [store.get(run) for run in new]
    assert [run.spec for run in runs] == [*wanted.values(), GOLD]
    assert [run.title for run in runs] == [*wanted, "Retrain without cat"]
    assert [run.priority for run in runs] == [Priority.SWEEP, Priority.SWEEP, Priority.BACKGROUND]
    assert [run.group for run in runs] == [method_group(spec())] * 2 + [None]
    assert {run.owner for run in runs} == {"me"}
    mine = store.submit(spec(), title="Forget cat with UNSIR")
    assert claim(store, 4) == [mine, *new]


def test_what_is_done_queued_or_running_is_not_made_again(store: RunStore) -> None:
    wanted = methods("done", "running", "queued", "failed", "cancelled", "new")
    done, running, queued, failed, cancelled = (
        store.submit(one, title=title) for title, one in list(wanted.items())[:-1]
    )
    assert claim(store, 2) == [done, running]
    store.execution.finish(done, 1, metrics=RunMetrics())
    store.cancel(cancelled)
    lost = store.method_runs.runs_of([wanted["Forget cat with failed"]])[0]
    assert lost is not None and lost.id == failed
    store.cancel(queued)
    assert claim(store) == [failed]
    store.execution.fail(failed, 1, "The loss is no longer a number.")
    queued = store.submit(wanted["Forget cat with queued"], title="once more")
    gold = store.submit(GOLD, title="gold")

    new = [store.get(run).spec for run in store.method_runs.submit(wanted | {"gold": GOLD})]
    assert [own.method for own in new if isinstance(own, UnlearnSpec)] == ["failed", "cancelled", "new"]
    assert len(new) == 3
    assert store.method_runs.submit(wanted | {"gold": GOLD}) == [], "a second press adds nothing"
    found = [run and run.id for run in store.method_runs.runs_of([*wanted.values(), GOLD])]
    assert found[:3] == [done, running, queued]
    assert found[-1] == gold
    assert found[3] is not None and found[3] > failed, "the new attempt counts, not the failed one"


def test_a_run_that_is_being_cancelled_is_made_again(store: RunStore) -> None:
    (run,) = store.method_runs.submit(methods("a"))
    assert claim(store) == [run]
    store.cancel(run)
    assert len(store.method_runs.submit(methods("a"))) == 1


def test_a_done_run_counts_more_than_a_later_one(store: RunStore) -> None:
    first = store.submit(spec(), title="first")
    claim(store)
    store.execution.finish(first, 1, metrics=RunMetrics())
    store.submit(spec(), title="again")
    (found,) = store.method_runs.runs_of([spec()])
    assert found is not None and (found.id, found.state) == (first, RunState.DONE)
    assert store.method_runs.runs_of([spec(other=1)]) == [None]


def test_all_of_them_or_none_fit_into_the_queue(store: RunStore) -> None:
    for number in range(scheduling.MAX_PER_OWNER - 1):
        store.submit(spec(number=number), title="another")
    with pytest.raises(StoreError, match="Your queue is full"):
        store.method_runs.submit(methods("a", "b"))
    assert len(store.list_runs()) == scheduling.MAX_PER_OWNER - 1
    assert len(store.method_runs.submit(methods("a"))) == 1


def test_other_seeds_starts_and_requests_are_groups_of_their_own(store: RunStore) -> None:
    other = REQUEST.model_copy(update={"forget": ForgetClasses(classes=(2,))})
    fields = ({}, {"seed": 1}, {"start": 3}, {"request": other})
    for one in fields:
        store.method_runs.submit(methods("a", "b", **one))
    assert len({method_group(spec().model_copy(update=one)) for one in fields}) == 4
    claim(store)
    found = store.method_runs.list_recent()
    assert [(group.newest.id, group.runs, group.unfinished) for group in found] == [
        (8, 2, 2),
        (6, 2, 2),
        (4, 2, 2),
        (2, 2, 2),
    ]
    store.cancel(8)
    assert store.method_runs.list_recent(limit=1)[0].unfinished == 1


def test_other_groups_are_no_comparisons(store: RunStore) -> None:
    run = store.submit(spec(), title="first")
    store.repeats.submit(store.get(run), 2)
    assert store.method_runs.list_recent() == []
