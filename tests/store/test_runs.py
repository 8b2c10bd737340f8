"""The life of a run in the store: claimed once, fenced, settled, never overwritten."""

import math
import os
import subprocess
import sys

import pytest

from tests.store.specs import EVERY, REQUEST, expire, spec, sql
from unlearn_core.domain.errors import LeaseLostError, NotFoundError, StoreError
from unlearn_core.domain.jobs import ExplainSpec, MeasureSpec, TrainGoldSpec
from unlearn_core.domain.results.metrics import JobSeconds, RunMetrics
from unlearn_core.domain.run import CurvePoint, Phase, Priority, Progress, RunFilter, RunState
from unlearn_core.store.access.actor import Actor
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue import rates
from unlearn_core.store.queue.lease import ControlSignal
from unlearn_core.store.queue.rates import Rate
from unlearn_core.store.queue.run_store import RunStore


@pytest.fixture
def store(home) -> RunStore:
    return RunStore(home)


def claim(store: RunStore, kinds=EVERY):
    run = store.execution.claim("worker", device="cpu", kinds=kinds)
    assert run is not None
    return run


def test_a_run_comes_back_as_it_was_submitted(store):
    wanted = spec(rate=0.5, name="x")
    number = store.submit(wanted, title="Forget rows", owner="ann", priority=Priority.SWEEP, group="seeds")
    run = store.get(number)
    assert (run.spec, run.title, run.owner, run.priority, run.group) == (
        wanted,
        "Forget rows",
        "ann",
        Priority.SWEEP,
        "seeds",
    )
    assert (run.state, run.attempt, run.note, run.metrics, run.cancelling) == (
        RunState.QUEUED,
        0,
        "",
        RunMetrics(),
        False,
    )
    assert (run.started, run.finished, run.progress, run.device) == (None, None, None, None)
    assert run.created.utcoffset() is not None


def test_the_whole_way_of_a_run(store):
    number = store.submit(spec(), title="a")
    run = claim(store)
    assert (run.id, run.state, run.attempt, run.device) == (number, RunState.RUNNING, 1, "cpu")
    assert claim_none(store), "a run is claimed once"
    progress = Progress((Phase("impair", 10, 3, 0.5),), "impair", 900.0)
    points = [CurvePoint(0, 0.0, "impair", 0.9, 0.8), CurvePoint(4, 0.2, "impair", 0.1, 0.7)]
    assert store.execution.heartbeat(number, 1, progress=progress, points=points) == ControlSignal(False, False)
    assert store.get(number).progress == progress
    assert store.curve(number) == points
    assert store.curve(number, after=0) == points[1:]
    store.execution.finish(number, 1, metrics=RunMetrics(seconds_per_image=0.25))
    run = store.get(number)
    assert (run.state, run.metrics, run.error) == (RunState.DONE, RunMetrics(seconds_per_image=0.25), None)
    assert run.started is not None
    assert run.finished is not None
    assert run.created <= run.started <= run.finished
    assert [rate.seconds_per_image for rate in store.rates("cpu", "tiny")] == [0.25]
    assert store.rates("cuda:0", "tiny") == []


def test_a_rate_is_that_of_one_classifier_and_one_device(store):
    def ran(classifier: str, seconds: float | None, *, gold: bool = False) -> None:
        request = REQUEST.model_copy(update={"classifier": classifier})
        one = TrainGoldSpec(request=request) if gold else spec().model_copy(update={"request": request})
        number = store.execution.register_running(one, title="a", device="cpu")
        store.execution.finish(number, 1, metrics=RunMetrics(seconds_per_image=seconds))

    for seconds in (0.1, 0.2, 0.9, None):
        ran("tiny", seconds)
    ran("tin", 7.0)
    ran("ti_y", 8.0)
    ran("Tiny", 9.0)
    ran('big "net"', 5.0)
    ran("tiny", 0.05, gold=True)
    method = spec().method
    found = [(rate.method, rate.seconds_per_image) for rate in store.rates("cpu", "tiny")]
    assert found == [(None, 0.05), (method, 0.9), (method, 0.2), (method, 0.1)], "the newest first"
    assert [rate.seconds_per_image for rate in store.rates("cpu", "tiny", method=method)] == [0.9, 0.2, 0.1]
    assert [rate.seconds_per_image for rate in store.rates("cpu", 'big "net"')] == [5.0]
    assert [rate.seconds_per_image for rate in store.rates("cpu", "ti_y")] == [8.0]
    assert store.rates("cpu", "ti%y") == []
    ran("ti%y", 3.0)
    assert [rate.seconds_per_image for rate in store.rates("cpu", "ti%y")] == [3.0], "another job is done"


def test_rates_are_read_again_only_after_another_job_is_done(store, monkeypatch):
    asked: list[str] = []
    recent = rates._recent
    monkeypatch.setattr(rates, "_recent", lambda *args: asked.append(args[2]) or recent(*args))
    monkeypatch.setattr(rates, "MOST_KNOWN", 2)
    for model in ("a", "b", "a", "b", "c", "c", "a"):
        assert store.acting_as(Actor("x" * 20)).rates("cpu", model) == []
    assert asked == ["a", "b", "c", "a"], "a third question takes the place of the two"
    number = store.execution.register_running(spec(), title="a", device="cpu")
    store.execution.finish(number, 1, metrics=RunMetrics())
    store.rates("cpu", "c")
    assert asked[4:] == ["c"]


def test_a_rate_counts_planned_images_and_says_what_else_took_time(store):
    number = store.execution.register_running(spec(), title="a", device="cpu")
    seconds = JobSeconds(total=9.0, load=1.0, forget=4.0, evaluate=2.0, probes=2.0)
    done = RunMetrics(seconds=seconds, seconds_per_image=0.04, planned_images=200, threads=2, load=0.7)
    store.execution.finish(number, 1, metrics=done)
    (rate,) = store.rates("cpu", "tiny")
    assert rate == Rate(spec().method, REQUEST.dataset, 4.0 / 200, 5.0, 0.7), "100 of 200 images were needed"
    assert store.get(number).metrics == done


def claim_none(store: RunStore) -> bool:
    return store.execution.claim("another", device="cpu", kinds=EVERY) is None


def test_only_kinds_that_were_asked_for_are_claimed(store):
    look = store.submit(ExplainSpec(run=1, picture=0, target=0), title="look")
    assert claim_none(store)
    assert claim(store, {"look"}).id == look


def test_an_unknown_run_is_named(store):
    for ask in (store.get, store.queue_position, store.cancel, store.delete):
        with pytest.raises(NotFoundError, match="no run called 7"):
            ask(7)


def test_reports_on_a_run_that_was_lost_are_refused(store, home):
    number = store.submit(spec(), title="a")
    claim(store)
    expire(home, number)
    assert store.execution.expire_leases() == [number]
    assert store.execution.expire_leases() == []
    assert claim(store).attempt == 2
    for report in (
        lambda: store.execution.heartbeat(number, 1),
        lambda: store.execution.finish(number, 1, metrics=RunMetrics.model_validate({"of": "attempt 1"})),
        lambda: store.execution.fail(number, 1, "late"),
        lambda: store.execution.mark_cancelled(number, 1),
        lambda: store.execution.requeue(number, 1),
        lambda: store.execution.mark_crashed(number, 1, "late"),
    ):
        with pytest.raises(LeaseLostError, match="was lost"):
            report()
    store.execution.finish(number, 2, metrics=RunMetrics.model_validate({"of": "attempt 2"}))
    assert store.get(number).metrics.to_dict() == {"of": "attempt 2"}


def test_a_finished_state_is_never_overwritten(store):
    number = store.submit(spec(), title="a")
    claim(store)
    store.execution.finish(number, 1, metrics=RunMetrics())
    for report in (
        lambda: store.execution.fail(number, 1, "late"),
        lambda: store.execution.mark_cancelled(number, 1),
        lambda: store.execution.requeue(number, 1),
        lambda: store.execution.mark_crashed(number, 1, "late"),
    ):
        with pytest.raises(LeaseLostError):
            report()
    store.cancel(number)
    assert store.get(number).state is RunState.DONE
    assert not store.get(number).cancelling


def test_giving_way_is_no_death(store):
    number = store.submit(TrainGoldSpec(request=REQUEST), title="gold", priority=Priority.BACKGROUND)
    for attempt in range(1, 6):
        assert claim(store).attempt == attempt
        store.execution.requeue(number, attempt)
    claim(store)
    store.execution.mark_crashed(number, 6, "died")
    assert store.get(number).state is RunState.QUEUED
    claim(store)
    store.execution.mark_crashed(number, 7, "The process died twice.")
    assert store.get(number).error == "The process died twice."


def test_a_beat_keeps_the_lease(store, home):
    number = store.submit(spec(), title="a")
    claim(store)
    expire(home, number)
    store.execution.heartbeat(number, 1)
    assert store.execution.expire_leases() == []


@pytest.mark.parametrize("is_unlearned", [False, True])
def test_a_new_attempt_keeps_what_unlearning_left_and_nothing_less(store, is_unlearned):
    number = store.submit(spec(), title="one")
    run, folder = claim(store), artifacts.run_dir(store.data_dir, number)
    (folder / "parts").mkdir()
    (folder / "parts" / "curves.json").write_text("{}")
    if is_unlearned:
        (folder / artifacts.WEIGHTS_FILE).write_bytes(b"weights")
    store.execution.requeue(number, run.attempt)
    assert claim(store).attempt == 2
    assert bool(list(folder.rglob("*.json"))) is is_unlearned


def test_a_new_attempt_begins_with_an_empty_curve(store):
    number = store.submit(spec(), title="a")
    claim(store)
    store.execution.heartbeat(
        number, 1, points=[CurvePoint(0, 0.0, "walk", 0.5, 0.5)], progress=Progress((), "walk", None)
    )
    store.execution.requeue(number, 1)
    claim(store)
    assert store.curve(number) == []
    assert store.get(number).progress is None


def test_a_point_need_not_be_a_number(store):
    number = store.submit(spec(), title="a")
    claim(store)
    store.execution.heartbeat(number, 1, points=[CurvePoint(0, 0.0, "walk", math.nan, 0.5)])
    [point] = store.curve(number)
    assert math.isnan(point.forget)
    assert point.retain == 0.5


def test_cancel_ends_what_waits_and_asks_what_runs(store):
    running, waiting = store.submit(spec(), title="a"), store.submit(spec(), title="b")
    assert claim(store).id == running
    store.cancel(waiting)
    assert store.get(waiting).state is RunState.CANCELLED
    store.cancel(running)
    assert store.get(running).cancelling
    assert store.get(running).state is RunState.RUNNING
    assert store.execution.heartbeat(running, 1).cancel
    store.execution.mark_cancelled(running, 1)
    assert store.get(running).state is RunState.CANCELLED


@pytest.mark.parametrize("way", ["gave way", "died", "its worker died"])
def test_what_is_to_be_cancelled_does_not_start_again(store, home, way):
    number = store.submit(spec(), title="a")
    claim(store)
    store.cancel(number)
    if way == "gave way":
        store.execution.requeue(number, 1)
    elif way == "died":
        store.execution.mark_crashed(number, 1, "died")
    else:
        expire(home, number)
        store.execution.expire_leases()
    assert store.get(number).state is RunState.CANCELLED


def test_something_more_urgent_asks_a_run_to_give_way(store):
    gold = store.submit(TrainGoldSpec(request=REQUEST), title="gold", priority=Priority.BACKGROUND)
    claim(store)
    assert not store.execution.heartbeat(gold, 1).preempt
    store.submit(ExplainSpec(run=1, picture=0, target=0), title="look")
    store.submit(TrainGoldSpec(request=REQUEST, seed=1), title="another", priority=Priority.BACKGROUND)
    assert not store.execution.heartbeat(gold, 1).preempt, "looks are answered beside it, and equals wait"
    store.submit(spec(), title="urgent")
    assert store.execution.heartbeat(gold, 1).preempt


def test_a_measurement_amends_the_run_that_it_is_about(store):
    number = store.submit(spec(), title="a")
    claim(store)
    store.execution.finish(number, 1, metrics=RunMetrics(gold=None, seconds=JobSeconds(total=2.0)))
    measure = store.submit(MeasureSpec(run=number), title="m")
    claim(store)
    store.execution.finish(measure, 1, metrics=RunMetrics(gold="abc"))
    assert store.get(number).metrics == RunMetrics(gold="abc", seconds=JobSeconds(total=2.0))
    assert store.get(number).state is RunState.DONE


def test_a_run_made_elsewhere_is_taken_in(store, home):
    number = store.execution.register_running(spec(), title="a", device="cpu", seconds=60.0)
    run = store.get(number)
    assert (run.state, run.attempt, run.device) == (RunState.RUNNING, 1, "cpu")
    expire(home, number)
    assert store.execution.expire_leases() == [], "its maker, this process, lives"
    store.execution.finish(number, 1, metrics=RunMetrics.model_validate({"a": 1}))
    run = store.get(number)
    assert run.finished is not None
    assert run.started is not None
    assert 60 <= (run.finished - run.started).total_seconds() < 90


def test_a_run_whose_maker_died_has_failed(store, home):
    number = store.execution.register_running(spec(), title="a", device="cpu")
    maker = subprocess.Popen([sys.executable, "-c", ""])
    maker.wait()
    expire(home, number)
    sql(home, "UPDATE run SET worker = replace(worker, ?, ?)", f" {os.getpid()}", f" {maker.pid}")
    assert store.execution.expire_leases() == [number]
    assert store.get(number).state is RunState.FAILED
    assert "program that started this run ended" in (store.get(number).error or "")


def test_the_history_is_newest_first_and_can_be_narrowed(store):
    first, second = store.submit(spec(), title="a"), store.submit(spec(), title="b", owner="ben")
    gold = store.submit(TrainGoldSpec(request=REQUEST), title="g")
    store.cancel(first)
    assert [run.id for run in store.list_runs()] == [gold, second, first]
    assert [run.id for run in store.list_runs(kinds=("unlearn",))] == [second, first]
    assert [run.id for run in store.list_runs(states=(RunState.CANCELLED,))] == [first]
    assert [run.id for run in store.list_runs(owner="ben")] == [second]
    assert [run.id for run in store.list_runs(limit=1)] == [gold]
    assert store.list_runs(kinds=()) == []


def test_deleting_takes_the_folder_and_what_was_asked_later(store, home):
    number = store.submit(spec(), title="a")
    with pytest.raises(StoreError, match="not finished"):
        store.delete(number)
    claim(store)
    store.execution.finish(number, 1, metrics=RunMetrics())
    look = store.submit(ExplainSpec(run=number, picture=0, target=0), title="look")
    child = store.submit(spec(), title="fork", parent=number)
    claim(store, {"look"})
    for run in (number, look, child):
        (home / "runs" / str(run)).mkdir(parents=True, exist_ok=True)
    with pytest.raises(StoreError, match="Grad-CAM query"):
        store.delete(number)
    store.execution.finish(look, 1, metrics=RunMetrics())
    store.delete(number)
    assert [run.id for run in store.list_runs()] == [child]
    assert store.get(child).parent is None
    assert [path.name for path in (home / "runs").iterdir()] == [str(child)]
    store.cancel(child)
    store.delete(child)
    assert store.submit(spec(), title="new") > child, "an old link never shows another's run"


def test_a_note_replaces_a_note(store):
    number = store.submit(spec(), title="a")
    store.set_note(number, "first")
    store.set_note(number, "Zweite *Notiz*")
    assert store.get(number).note == "Zweite *Notiz*"


def test_live_workers_are_listed(store, home):
    store.execution.worker_heartbeat("a", device="cpu", pid=1, code="x", state="idle")
    store.execution.worker_heartbeat("a", device="cpu", pid=1, code="x", state="busy")
    store.execution.worker_heartbeat("b", device="cuda:0", pid=2, code="x", state="idle")
    assert [(row.name, row.device, row.state) for row in store.workers()] == [
        ("a", "cpu", "busy"),
        ("b", "cuda:0", "idle"),
    ]
    sql(home, "UPDATE worker SET seen = seen - 60, uptime = uptime - 60 WHERE name = 'a'")
    store.execution.deregister_worker("b")
    assert store.workers() == []


def test_the_store_needs_neither_torch_nor_alembic_once_it_is_made(store, home):
    code = (
        "import sys; from pathlib import Path; from unlearn_core.store.queue.run_store import RunStore;"
        f"RunStore(Path({str(home)!r})).list_runs(); "
        "sys.exit(len({'torch', 'alembic', 'streamlit'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_runs_are_found_by_state_method_classifier_owner_and_words(store):
    def submitted(title: str, *, method: str = "any", classifier: str = "tiny", owner: str = "local") -> int:
        request = REQUEST.model_copy(update={"classifier": classifier})
        wanted = spec().model_copy(update={"method": method, "request": request})
        return store.submit(wanted, title=title, owner=owner)

    rows = submitted("Forget rows with UNSIR", method="unsir")
    cat = submitted("Forget the cat, 100% of it", method="ssd", classifier="big", owner="ann")
    gold = store.submit(TrainGoldSpec(request=REQUEST), title="Retrain without rows")
    store.set_note(cat, "for Monday's talk")
    store.cancel(rows)

    def found(**fields) -> list[int]:
        return [run.id for run in store.list_runs(matching=RunFilter(**fields))]

    assert found() == [gold, cat, rows]
    assert found(states=(RunState.CANCELLED,)) == [rows]
    assert found(states=(RunState.CANCELLED, RunState.QUEUED)) == [gold, cat, rows]
    assert found(methods=("ssd",)) == [cat]
    assert found(methods=("ssd", "unsir")) == [cat, rows]
    assert found(methods=("ss_",)) == found(methods=("%",)) == [], "an id is no pattern"
    assert found(classifiers=("tiny",)) == [gold, rows]
    assert found(classifiers=("tin",)) == []
    assert found(owners=("ann", "bob")) == [cat]
    assert found(text="ROWS") == [gold, rows]
    assert found(text=" monday  cat ") == [cat], "each word stands in the title or in the note"
    assert found(text="100%") == [cat]
    assert found(text="1%") == found(text="rows cat") == []
    assert found(classifiers=("tiny",), states=(RunState.QUEUED,)) == [gold]
    assert [run.id for run in store.list_runs(kinds=("unlearn",), matching=RunFilter(text="forget"), limit=1)] == [cat]
