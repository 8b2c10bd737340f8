"""Repeats: which seeds are asked for, who belongs together, and what is read of them."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from tests.charts.fake_reports import made_up_report
from tests.store.specs import spec, sql
from unlearn_core.domain.errors import InvalidRequestError, StoreError
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.results.course import CurvesResult, TimingsResult
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue import scheduling
from unlearn_core.store.queue.repeats import MAX_SEEDS, seed_group, seeds_result, with_seeds
from unlearn_core.store.queue.run_store import RunStore


@pytest.fixture
def store(home: Path) -> RunStore:
    return RunStore(home)


def begun(store: RunStore, **fields: object) -> int:
    return store.submit(spec().model_copy(update=fields), title="Forget cat with UNSIR")


def seeds_of(store: RunStore, run: int) -> list[int]:
    return [own.spec.seed for own in store.repeats.runs_of(store.get(run)) if isinstance(own.spec, UnlearnSpec)]


def finish(store: RunStore, run: int) -> None:
    claimed = store.execution.claim("w", device="cpu", kinds={"unlearn"})
    while claimed is not None and claimed.id != run:
        store.execution.fail(claimed.id, claimed.attempt, "not this one")
        claimed = store.execution.claim("w", device="cpu", kinds={"unlearn"})
    assert claimed is not None
    store.execution.finish(run, claimed.attempt, metrics=RunMetrics())


def test_repeats_are_ordinary_runs_from_other_seeds_behind_what_people_wait_for(store: RunStore) -> None:
    first = begun(store, seed=1)
    made = [store.get(run) for run in store.repeats.submit(store.get(first), 3)]
    assert [own.spec.seed for own in made if isinstance(own.spec, UnlearnSpec)] == [0, 2, 3]
    for own in made:
        assert own.spec.model_copy(update={"seed": 1}) == store.get(first).spec
        assert (own.priority, own.parent, own.title) == (Priority.SWEEP, first, "Forget cat with UNSIR")
        assert own.group == seed_group(spec())
    assert store.get(first).group is None
    mine = begun(store)
    claimed = [store.execution.claim("w", device="cpu", kinds={"unlearn"}) for _ in range(3)]
    assert [run.id for run in claimed if run] == [first, mine, made[0].id]


def test_all_of_them_belong_together_whichever_is_asked(store: RunStore) -> None:
    first = begun(store)
    made = store.repeats.submit(store.get(first), 2)
    for run in (first, *made):
        assert seeds_of(store, run) == [0, 1, 2]
        assert {own.id for own in store.repeats.runs_of(store.get(run))} == {first, *made}


def test_other_settings_do_not_belong_to_it(store: RunStore) -> None:
    first = begun(store)
    store.repeats.submit(store.get(first), 1)
    others = [begun(store, params={"lr": 0.5}), begun(store, method="finetune"), begun(store, seed=9)]
    for other in others:
        assert [own.id for own in store.repeats.runs_of(store.get(other))][-1] == other
    assert seeds_of(store, first) == [0, 1]
    assert seeds_of(store, others[0]) == [0]


def test_asking_again_gives_new_seeds_and_those_that_failed(store: RunStore) -> None:
    first = begun(store)
    one, two = store.repeats.submit(store.get(first), 2)
    store.cancel(one)
    again = store.repeats.submit(store.get(two), 2)
    assert [own.spec.seed for run in again if isinstance((own := store.get(run)).spec, UnlearnSpec)] == [1, 3]
    assert seeds_of(store, first) == [0, 1, 2, 3]
    assert one not in {own.id for own in store.repeats.runs_of(store.get(first))}, "seed 1 stands for itself once"


def test_they_hold_together_when_the_first_is_gone(store: RunStore) -> None:
    first = begun(store)
    made = store.repeats.submit(store.get(first), 2)
    finish(store, first)
    store.delete(first)
    assert seeds_of(store, made[0]) == [1, 2]


def test_a_full_queue_takes_none_of_them(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = begun(store)
    monkeypatch.setattr(scheduling, "MAX_PER_OWNER", 3)
    with pytest.raises(StoreError, match="queue is full"):
        store.repeats.submit(store.get(first), 3)
    assert [run.id for run in store.list_runs()] == [first]


def test_what_cannot_be_repeated_is_said(store: RunStore) -> None:
    gold = store.submit(TrainGoldSpec(request=spec().request), title="Gold without cat")
    with pytest.raises(InvalidRequestError, match="only unlearning runs can"):
        store.repeats.submit(store.get(gold), 1)
    assert [run.id for run in store.repeats.runs_of(store.get(gold))] == [gold]
    with pytest.raises(InvalidRequestError, match=f"from 1 to {MAX_SEEDS}"):
        store.repeats.submit(store.get(begun(store)), MAX_SEEDS + 1)


def test_the_figures_are_read_as_the_probes_wrote_them(store: RunStore, home: Path) -> None:
    first = begun(store)
    made = store.repeats.submit(store.get(first), 2)
    runs = [store.get(run) for run in (first, *made)]
    assert seeds_result(home, runs) is None
    reports = {run.id: made_up_report(seed=at) for at, run in enumerate(runs[:2])}
    for run, report in reports.items():
        for name in ("accuracy", "distance", "membership", "timings", "curves"):
            artifacts.write_part(artifacts.run_dir(home, run), name, report.parts[name])
    result = seeds_result(home, runs)
    assert result is not None
    assert [(own.run, own.seed) for own in result.runs] == [(first, 0), (made[0], 1)]
    for own in result.runs:
        report = reports[own.run]
        assert own.accuracy["after"]["retain_test"] == report[AccuracyResult].scores["after"]["retain_test"].accuracy
        assert own.distance is not None
        assert own.distance["after"] == report[DistanceResult].overall["test"].after
        assert own.privacy == report[MembershipResult].privacy["after"]
        assert own.seconds == report[TimingsResult].seconds.forget
    assert (result.retain["1"] == reports[made[0]][CurvesResult].retain).all()
    bare = replace(reports[first], parts={})
    assert list(with_seeds(bare, home, runs).parts) == ["seeds"]
    assert with_seeds(bare, home, runs[:1]) is bare


def test_a_run_that_failed_does_not_hide_one_that_is_done(store: RunStore) -> None:
    first = begun(store)
    (one,) = store.repeats.submit(store.get(first), 1)
    finish(store, one)
    again = store.submit(store.get(one).spec, title="x", group=seed_group(spec()))
    store.cancel(again)
    assert [own.state for own in store.repeats.runs_of(store.get(one))][-1] is RunState.DONE


def test_the_repeats_of_a_run_are_found_without_reading_every_run(store: RunStore, home: Path) -> None:
    run, plans = store.get(begun(store)), list[str]()

    def explain(_connection: object, _cursor: object, statement: str, values: tuple[object, ...], *_: object) -> None:
        if statement.startswith("SELECT"):
            plans.extend(row[3] for row in sql(home, f"EXPLAIN QUERY PLAN {statement}", *values))

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        store.repeats.runs_of(run)
    finally:
        event.remove(Engine, "before_cursor_execute", explain)
    assert any("run_group" in plan for plan in plans)
    assert not [plan for plan in plans if plan.startswith("SCAN run") or "run_request" in plan]
