"""One run for all who want it: joining, leaving, and what a finished one answers."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.domain.test_sweep import spec as sweep_spec
from tests.store.specs import EVERY, REQUEST, spec, sql
from unlearn_core.data import user_catalog
from unlearn_core.domain.errors import NotAllowedError, NotFoundError
from unlearn_core.domain.jobs import AnySpec, MeasureSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority, RunFilter, RunState
from unlearn_core.models import user_models
from unlearn_core.models.classifiers import card
from unlearn_core.store.access.actor import Actor
from unlearn_core.store.code_version import running_code
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue import same_run
from unlearn_core.store.queue.run_store import RunStore, SubmitResult

ANN, BEN, CAM = (Actor(letter * 20) for letter in "abc")
WEIGHTS = "f" * 64


@pytest.fixture
def server(home: Path) -> RunStore:
    return RunStore(home)


def ask(server: RunStore, actor: Actor, wanted: AnySpec | None = None, **more: object) -> SubmitResult:
    return server.acting_as(actor).submit_unique(wanted or spec(), title="Forget rows with any", **more)  # pyright: ignore


def owner(server: RunStore, run: int) -> str:
    return server.get(run).owner


def test_thirty_who_ask_at_once_wait_for_one_run(server: RunStore) -> None:
    visitors = [Actor(f"visitor {number}") for number in range(30)]
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(lambda one: ask(server, one), visitors))
    (number,) = {one.run for one in asked}
    assert [one.known for one in asked].count(None) == 1
    for one in visitors:
        store = server.acting_as(one)
        assert store.readers(number) == (True, 29)
        assert [run.id for run in store.list_runs(owner=one.id)] == [number], "it is listed as theirs"
        assert [run.is_mine for run in store.listing.briefs(kinds=("unlearn",))] == [True]
    assert server.readers(number) == (False, 30)


def test_each_can_leave_and_the_last_one_ends_it(server: RunStore) -> None:
    number = ask(server, ANN).run
    ask(server, BEN)
    ask(server, CAM)
    server.acting_as(ANN).set_note(number, "mine")
    server.acting_as(ANN).cancel(number)
    assert (owner(server, number), server.get(number).note) == (BEN.id, ""), "it belongs to the next one"
    assert server.acting_as(ANN).readers(number) == (False, 2)
    with pytest.raises(NotAllowedError):
        server.acting_as(ANN).cancel(number)
    server.acting_as(CAM).cancel(number)
    assert (owner(server, number), server.get(number).state) == (BEN.id, RunState.QUEUED)
    server.acting_as(BEN).cancel(number)
    assert server.get(number).state is RunState.CANCELLED


def test_a_running_one_goes_on_for_the_others(server: RunStore) -> None:
    number = ask(server, ANN).run
    run = server.execution.claim("w", device="cpu", kinds=EVERY)
    assert run is not None
    assert ask(server, BEN) == (number, "unfinished")
    server.acting_as(ANN).cancel(number)
    assert not server.execution.heartbeat(number, run.attempt).cancel
    server.acting_as(BEN).cancel(number)
    assert server.execution.heartbeat(number, run.attempt).cancel


def test_the_operator_ends_it_for_all(server: RunStore) -> None:
    number = ask(server, ANN).run
    ask(server, BEN)
    server.cancel(number)
    assert server.get(number).state is RunState.CANCELLED


def test_it_has_the_highest_priority_of_those_who_want_it(server: RunStore) -> None:
    number = ask(server, ANN, priority=Priority.BACKGROUND).run
    ask(server, BEN, priority=Priority.SWEEP)
    assert server.get(number).priority is Priority.SWEEP
    ask(server, CAM, priority=Priority.INTERACTIVE)
    assert server.get(number).priority is Priority.INTERACTIVE
    server.acting_as(CAM).cancel(number)
    assert server.get(number).priority is Priority.SWEEP
    ask(server, ANN, priority=Priority.INTERACTIVE)
    assert server.get(number).priority is Priority.INTERACTIVE, "its owner may change their mind"
    server.acting_as(ANN).cancel(number)
    assert (owner(server, number), server.get(number).priority) == (BEN.id, Priority.SWEEP)


def test_alone_one_asks_again_with_another_priority(server: RunStore) -> None:
    number = ask(server, ANN, priority=Priority.BACKGROUND).run
    assert ask(server, ANN) == (number, "unfinished")
    assert server.get(number).priority is Priority.INTERACTIVE
    assert server.acting_as(ANN).readers(number) == (True, 0)
    server.acting_as(ANN).cancel(number)
    assert server.get(number).state is RunState.CANCELLED


def test_trials_of_a_sweep_are_not_joined(server: RunStore) -> None:
    sweep = server.sweeps.get(server.acting_as(ANN).sweeps.submit(sweep_spec(), title="Forget rows"))
    server.sweeps.acquire_leases("w")
    trial = server.sweeps.add_trial(sweep, "w", number=0, params={}, attributes={})
    assert trial is not None
    assert ask(server, BEN, server.get(trial).spec) != (trial, "unfinished"), "the sweep may stop it early"


def test_all_methods_join_what_waits_and_leave_it(server: RunStore) -> None:
    number = ask(server, ANN).run
    assert server.acting_as(BEN).method_runs.submit({"Forget rows": spec()}) == []
    server.acting_as(ANN).cancel(number)
    assert (owner(server, number), server.get(number).priority) == (BEN.id, Priority.SWEEP)


def finished(server: RunStore, actor: Actor = ANN, *, threads: int = 2, **metrics: Any) -> int:
    """A finished run with a report, made here by this code."""
    values = {"threads": threads, "code": running_code(), "evaluations": {"before": WEIGHTS}} | metrics
    number = server.execution.register_running(spec(), title="Forget rows", device="cpu", owner=actor.id)
    server.execution.finish(number, 1, metrics=RunMetrics.model_validate(values))
    (artifacts.run_dir(server.data_dir, number) / artifacts.REPORT_FILE).write_text("{}")
    return number


@pytest.fixture
def here(server: RunStore, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """A lab with a worker on the CPU, whose classifier has these weights."""
    server.execution.worker_heartbeat("w", device="cpu", pid=1, code="", state="idle")

    class Original:
        forget, weights = None, WEIGHTS

    monkeypatch.setattr(same_run.bundled_models, "bundled", lambda _: [Original])
    return server


def test_a_run_that_is_done_answers_at_once(here: RunStore) -> None:
    number = finished(here)
    assert ask(here, BEN, reuse=True) == (number, "done")
    assert here.acting_as(BEN).readers(number) == (True, 1)
    assert ask(here, BEN, spec(other=1), reuse=True).known is None, "other hyperparameters"
    again = here.acting_as(BEN).submit(spec(), title="anyway")
    assert again != number
    assert ask(here, CAM, reuse=True) == (again, "unfinished"), "what runs is newer than what is done"
    assert ask(here, BEN).run == again


@pytest.mark.parametrize(
    "metrics", [{"code": "of another release"}, {"code": None}, {"evaluations": {"before": "0" * 64}}], ids=str
)
def test_a_run_of_other_code_or_weights_does_not_answer(here: RunStore, metrics: dict[str, Any]) -> None:
    finished(here, **metrics)
    assert ask(here, BEN, reuse=True).known is None


def test_a_run_with_other_threads_than_the_last_one_does_not_answer(here: RunStore) -> None:
    first = finished(here, threads=2)
    other = here.execution.register_running(spec(other=1), title="since then", device="cpu")
    here.execution.finish(other, 1, metrics=RunMetrics(threads=1))
    assert ask(here, BEN, reuse=True).known is None
    sql(here.data_dir, "DELETE FROM run WHERE id != ?", first)
    assert ask(here, BEN, reuse=True) == (first, "done")


def test_a_run_of_another_device_or_without_its_report_does_not_answer(here: RunStore) -> None:
    number = finished(here)
    sql(here.data_dir, "UPDATE run SET device = 'cuda:0' WHERE id = ?", number)
    assert ask(here, BEN, reuse=True).known is None
    sql(here.data_dir, "DELETE FROM run WHERE id != ?", number)
    sql(here.data_dir, "UPDATE run SET device = 'cpu' WHERE id = ?", number)
    shutil.rmtree(artifacts.run_dir(here.data_dir, number))
    assert ask(here, BEN, reuse=True).known is None


def test_who_deletes_a_run_that_others_want_leaves_it(here: RunStore) -> None:
    number = finished(here)
    ask(here, BEN, reuse=True)
    here.acting_as(ANN).delete(number)
    assert owner(here, number) == BEN.id
    assert artifacts.has_report(artifacts.run_dir(here.data_dir, number))
    here.acting_as(BEN).delete(number)
    with pytest.raises(NotFoundError):
        here.get(number)
    assert not artifacts.run_dir(here.data_dir, number).exists()


def test_who_joined_adds_measurements_and_changes_no_more(here: RunStore) -> None:
    number = finished(here)
    ask(here, BEN, reuse=True)
    ben = here.acting_as(BEN)
    assert ben.submit(MeasureSpec(run=number), title="Measure")
    for change in (lambda: ben.set_note(number, "mine now"), lambda: ben.share(number)):
        with pytest.raises(NotAllowedError):
            change()


def test_in_private_runs_of_bundled_models_are_joined_without_name_or_note(
    here: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    number = finished(here)
    here.acting_as(ANN).set_note(number, "for the exam")
    ben = here.acting_as(BEN)
    with pytest.raises(NotFoundError):
        ben.get(number)
    assert ask(here, BEN, reuse=True) == (number, "done")
    assert ben.get(number).note == ben.list_runs()[0].note == ben.listing.runs([number])[number].note == ""
    assert ben.list_runs(matching=RunFilter(text="rows")) and not ben.list_runs(matching=RunFilter(text="exam"))
    assert here.acting_as(ANN).list_runs(matching=RunFilter(text="exam"))
    assert not here.acting_as(CAM).list_runs()
    ben.delete(number)
    with pytest.raises(NotFoundError):
        ben.get(number)
    assert owner(here, number) == ANN.id


def test_in_private_nothing_that_continues_a_run_or_uses_an_own_model_is_joined(
    here: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    user_catalog.set_data_dir(here.data_dir)
    own = card("tiny").model_copy(update={"id": "own", "recipe": None})
    user_models.add(own, weights="", files={}, facts={}, pending=False)
    user_catalog.set_data_dir(None)
    sql(here.data_dir, "INSERT INTO item VALUES ('classifier', 'own', ?), ('classifier', 'own', ?)", ANN.id, BEN.id)
    both = spec().model_copy(update={"request": REQUEST.model_copy(update={"classifier": "own"})})
    number = ask(here, ANN, both).run
    assert ask(here, BEN, both).run != number, "both may use it, but a run tells who does"
    after = spec().model_copy(update={"start": finished(here)})
    ask(here, ANN, after)
    with pytest.raises(NotFoundError):
        ask(here, BEN, after)
