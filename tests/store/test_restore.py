"""The run database is lost: no run's folder is written to again, and finished runs come back from theirs."""

import json
import logging
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from tests.charts.fake_reports import made_up_report
from tests.store.specs import EVERY, spec, sql
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.jobs import ExplainSpec, MeasureSpec, TrainGoldSpec, TrainSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.metrics import RelearnMetrics, RunMetrics
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.run import Run, RunState
from unlearn_core.domain.sweeps.sweep import sweep_group
from unlearn_core.store.files import artifacts, reports, restore
from unlearn_core.store.queue.run_store import RunStore


def deleted(home: Path) -> None:
    for path in home.glob("lab.db*"):
        path.unlink()


def emptied(home: Path) -> None:
    (home / "lab.db").write_bytes(b"")


def emptied_alone(home: Path) -> None:
    emptied(home)
    for name in ("lab.db-wal", "lab.db-shm"):
        (home / name).unlink(missing_ok=True)


def moved_away(home: Path) -> None:
    (home / "lab.db").rename(home / "old.db")


LOSSES = pytest.mark.parametrize("lose", [deleted, emptied, emptied_alone, moved_away])
Loss = Callable[[Path], None]


@cache
def report() -> Report:
    """One with as few parts as the history needs."""
    whole = made_up_report()
    kept = ("accuracy", "distance", "membership", "timings")
    return replace(whole, parts={name: whole.parts[name] for name in kept})


def ended(store: RunStore, title: str = "Forget cat with UNSIR", *, owner: str = "local") -> int:
    """A finished run with a report, whose title is as the report alone would have it."""
    number = store.execution.register_running(report().spec, title=title, device="cpu", owner=owner)
    reports.write(report(), artifacts.run_dir(store.data_dir, number))
    store.execution.finish(number, 1, metrics=RunMetrics(accuracy={"after": {"forget_test": 0.25}}))
    return number


def folder(home: Path, run: int) -> Path:
    return artifacts.run_dir(home, run)


def contents(home: Path, run: int) -> dict[str, bytes]:
    here = folder(home, run)
    return {str(path.relative_to(here)): path.read_bytes() for path in here.rglob("*") if path.is_file()}


@LOSSES
def test_finished_runs_come_back_when_the_database_is_lost(home: Path, lose: Loss) -> None:
    store = RunStore(home)
    first, second = ended(store), ended(store)
    store.set_note(second, "for Monday")
    kept = [store.get(first), store.get(second)]
    del store
    lose(home)
    assert [RunStore(home).get(run.id) for run in kept] == kept


@LOSSES
def test_no_old_folder_is_written_to_when_the_database_is_lost(home: Path, lose: Loss) -> None:
    store = RunStore(home)
    ended(store)
    failed = store.execution.register_running(spec(), title="It fails", device="cpu")
    (folder(home, failed) / "left.txt").write_text("half a report")
    store.execution.fail(failed, 1, "It broke.")
    before = {run: contents(home, run) for run in (1, 2)}
    lose(home)
    again = RunStore(home)
    number = again.submit(spec(), title="new")
    assert number == 3
    run = again.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None and run.id == number
    assert list(folder(home, number).iterdir()) == []
    assert {run: contents(home, run) for run in (1, 2)} == before


CLAIMER = """
import sys
from pathlib import Path
from unlearn_core.store.queue.run_store import RunStore
store = RunStore(Path(sys.argv[1]))
store.execution.worker_heartbeat("a worker", device="cpu", pid=1, code="", state="idle")
print("open", flush=True)
for _ in sys.stdin:
    run = store.execution.claim("a worker", device="cpu", kinds={"unlearn"})
    print([run.id for run in store.list_runs()], run and run.id, flush=True)
"""


@LOSSES
def test_processes_that_live_on_while_the_database_is_lost_find_the_restored_one(home: Path, lose: Loss) -> None:
    """At once, not after half a minute, and all of them the same one."""
    web = RunStore(home)
    number = ended(web)
    command = [sys.executable, "-c", CLAIMER, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as worker:
        assert worker.stdin is not None and worker.stdout is not None
        assert worker.stdout.readline() == "open\n"
        lose(home)
        began = time.monotonic()
        assert [run.id for run in web.list_runs()] == [number]
        assert web.submit(spec(), title="new") == number + 1
        print(file=worker.stdin)
        assert worker.stdout.readline() == f"{[number + 1, number]} {number + 1}\n"
        assert [run.id for run in RunStore(home).list_runs()] == [number + 1, number]
        assert web.get(number + 1).state is RunState.RUNNING
        assert time.monotonic() - began < 15
        worker.stdin.close()
    assert sql(home, "PRAGMA integrity_check") == [("ok",)]
    assert web.get(number + 1).state is RunState.RUNNING, "still there when the other process is gone"


def test_what_is_advised_about_a_damaged_database_holds(home: Path) -> None:
    number = ended(RunStore(home))
    sql(home, "PRAGMA wal_checkpoint(TRUNCATE)")
    (home / "lab.db").write_bytes(b"This is a letter, and not a short one at that. " * 100)
    with pytest.raises(StoreError, match="move it away: then finished runs are restored from their folders"):
        RunStore(home)
    moved_away(home)
    assert [run.id for run in RunStore(home).list_runs()] == [number]


def test_a_copy_that_was_put_back_learns_of_newer_runs(home: Path) -> None:
    ended(RunStore(home))
    sql(home, "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(home / "lab.db", home / "copy.db")
    ended(RunStore(home), "Newer")
    deleted(home)
    (home / "copy.db").rename(home / "lab.db")
    store = RunStore(home)
    assert [run.title for run in store.list_runs()] == ["Newer", "Forget cat with UNSIR"]
    assert "older than the folders" in restore.notice(home)


def test_a_folder_of_an_older_release_comes_back_by_its_report(home: Path) -> None:
    store = RunStore(home)
    number = ended(store)
    old = store.get(number)
    (folder(home, number) / restore.RECORD).unlink()
    deleted(home)
    run = RunStore(home).get(number)
    assert (run.spec, run.title, run.state, run.owner) == (old.spec, old.title, RunState.DONE, "local")
    scores, seconds = report()[AccuracyResult].scores, report()[TimingsResult].seconds
    assert run.metrics.accuracy["after"]["forget_test"] == scores["after"]["forget_test"].accuracy
    assert run.metrics.evaluations["gold"] == report().evaluations["gold"].weights
    assert run.metrics.to_dict()["seconds"] == seconds.model_dump(exclude_unset=True)
    assert run.started is not None and run.finished is not None
    assert (run.finished - run.started).total_seconds() == pytest.approx(seconds.total, abs=0.01)


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"spec": 3}', "null"])
def test_an_unreadable_report_is_left_alone_and_its_number_not_given_again(home: Path, damage: str) -> None:
    store = RunStore(home)
    good, bad = ended(store), ended(store)
    (folder(home, bad) / "report.json").write_text(damage)
    before = contents(home, bad)
    deleted(home)
    again = RunStore(home)
    assert [run.id for run in again.list_runs()] == [good]
    assert again.submit(spec(), title="new") == bad + 1
    assert contents(home, bad) == before
    assert f"cannot be read; the folders were left as they are: {bad}." in restore.notice(home)


def test_a_damaged_record_is_made_up_for_by_the_report(home: Path) -> None:
    number = ended(RunStore(home), "My own title")
    (folder(home, number) / restore.RECORD).write_text("{")
    deleted(home)
    assert RunStore(home).get(number).title == "Forget cat with UNSIR"


def test_what_has_no_report_comes_back_by_its_record(home: Path) -> None:
    store = RunStore(home)
    gold = store.execution.register_running(
        TrainGoldSpec(request=spec().request), title="Gold without rows", device="cpu"
    )
    store.execution.finish(gold, 1, metrics=RunMetrics(gold="abc"))
    about, relearned = ended(store), RelearnMetrics(times={"after": 4}, index=None)
    measure = store.execution.register_running(MeasureSpec(run=about), title="Measure", device="cpu")
    store.execution.finish(measure, 1, metrics=RunMetrics(relearn=relearned))
    look = store.execution.register_running(ExplainSpec(run=about, picture=0, target=0), title="Look", device="cpu")
    artifacts.write_part(folder(home, look), "cam", report().parts["accuracy"])
    store.execution.finish(look, 1, metrics=RunMetrics())
    kept = store.get(gold), store.get(about)
    deleted(home)
    again = RunStore(home)
    assert {run.id for run in again.list_runs()} == {gold, about}, "questions about a run are not asked again"
    assert (again.get(gold), again.get(about)) == kept
    assert again.get(about).metrics.relearn == relearned, "with what was measured later"
    assert again.submit(spec(), title="new") == look + 1
    assert "cannot be read" not in restore.notice(home), "they never had a report"


def test_repeats_and_forks_find_each_other_again_and_trials_are_ordinary_runs(home: Path) -> None:
    store = RunStore(home)
    first = ended(store)
    (again,) = store.repeats.submit(store.get(first), 1)
    trial = store.submit(spec(), title="trial", group=sweep_group(1), parent=first)
    orphan = store.submit(spec(), title="fork", parent=again)
    for _ in (again, trial, orphan):
        run = store.execution.claim("worker", device="cpu", kinds=EVERY)
        assert run is not None
        reports.write(report(), folder(home, run.id))
        store.execution.finish(run.id, 1, metrics=RunMetrics())
    shutil.rmtree(folder(home, again))
    deleted(home)
    found = RunStore(home)
    assert (found.get(trial).group, found.get(trial).parent) == (None, first)
    assert found.get(orphan).parent is None
    assert "trials of sweeps are now ordinary runs" in restore.notice(home)


def test_what_was_restored_is_said_once(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = RunStore(home)
    assert restore.notice(home) == ""
    for _ in range(2):
        ended(store)
    deleted(home)
    with caplog.at_level(logging.WARNING):
        RunStore(home)
        RunStore(home)
    told = (
        "The run database was missing. 2 runs were restored from their folders; "
        "cancelled and failed runs without a report could not be restored."
    )
    assert caplog.messages == [told]
    assert restore.notice(home) == told
    restore.dismiss(home)
    restore.dismiss(home)
    assert restore.notice(home) == ""


def test_several_processes_restore_the_same_history_once(home: Path) -> None:
    store = RunStore(home)
    for _ in range(5):
        ended(store)
    del store
    deleted(home)
    code = (
        "from pathlib import Path; from unlearn_core.store.queue.run_store import RunStore; "
        f"print(len(RunStore(Path({str(home)!r})).list_runs()))"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    opened = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(4)]
    said = [process.communicate(timeout=60) for process in opened]
    assert [out.strip() for out, _ in said] == ["5"] * 4
    assert sum("5 runs were restored" in err for _, err in said) == 1


def test_another_database_counts_on_behind_the_folders_too(home: Path, tmp_path: Path) -> None:
    number = ended(RunStore(home))
    folder(home, 7).mkdir()
    for name in ("08", "x", "9.tmp", "0"):
        folder(home, 7).with_name(name).mkdir()
    folder(home, 6).write_text("a file")
    other = RunStore(home, f"sqlite:///{tmp_path / 'other.db'}")
    assert [run.id for run in other.list_runs()] == [number]
    assert other.submit(spec(), title="new") == 8


def test_a_notice_that_cannot_be_written_is_named_and_the_history_restored_later(home: Path) -> None:
    number = ended(RunStore(home))
    deleted(home)
    (home / restore.NOTICE).mkdir()
    with pytest.raises(StoreError, match="Cannot write to the folder"):
        RunStore(home)
    (home / restore.NOTICE).rmdir()
    assert [run.id for run in RunStore(home).list_runs()] == [number]
    assert "1 run was restored" in restore.notice(home)


def test_a_deleted_run_does_not_come_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(home)
    number = ended(store)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        store.delete(number)
    assert folder(home, number).exists()
    assert RunStore(home).list_runs() == []


def test_the_next_attempt_begins_with_an_empty_folder(home: Path) -> None:
    store = RunStore(home)
    number = store.submit(spec(), title="a")
    for attempt in (1, 2):
        run = store.execution.claim("worker", device="cpu", kinds=EVERY)
        assert run is not None and run.attempt == attempt
        assert list(folder(home, number).iterdir()) == []
        (folder(home, number) / "parts").mkdir()
        (folder(home, number) / "parts" / ".membership.npz.nwrnus6c").write_bytes(b"half")
        (folder(home, number) / "parts" / "relearn.json").write_text("{}")
        if attempt == 1:
            store.execution.mark_crashed(number, attempt, "It died.")


def test_a_training_goes_on_with_its_curve(home: Path) -> None:
    store = RunStore(home)
    recipe = {"epochs": 2, "batch": 8, "peak": 0.1}
    wish = TrainSpec.model_validate({"architecture": "a", "dataset": "b", "recipe": recipe})
    number = store.submit(wish, title="Train")
    for attempt in (1, 2):
        run = store.execution.claim("worker", device="cpu", kinds={"train"})
        assert run is not None and run.attempt == attempt
        (folder(home, number) / f"{attempt}.json").write_text("{}")
        if attempt == 1:
            store.execution.requeue(number, attempt)
    assert sorted(path.name for path in folder(home, number).iterdir()) == ["1.json", "2.json"]


def test_a_run_never_begins_in_the_folder_of_another(home: Path) -> None:
    """As when somebody puts a folder there while the lab runs."""
    store = RunStore(home)
    first, second = (store.submit(spec(), title=name) for name in "ab")
    folder(home, first).mkdir(parents=True)
    (folder(home, first) / "report.json").write_text("somebody's")
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None and run.id == second
    refused: Run = store.get(first)
    assert refused.state is RunState.FAILED and "holds another run" in str(refused.error)
    store.delete(first)
    assert contents(home, first) == {"report.json": b"somebody's"}
    folder(home, second + 1).write_text("somebody's file")
    folder(home, second + 2).mkdir()
    (folder(home, second + 2) / "report.json").write_text("somebody's")
    for _ in range(2):
        with pytest.raises(StoreError, match="holds another run"):
            store.execution.register_running(spec(), title="c", device="cpu")
    assert store.execution.register_running(spec(), title="d", device="cpu") == second + 3


DIE_WHEN_STARTING = """
import os, sys
from pathlib import Path
from sqlalchemy import Engine, event
from unlearn_core.store.queue.run_store import RunStore

store = RunStore(Path(sys.argv[1]))


def die(connection):
    if connection.get_execution_options().get("writes"):
        os._exit(9)


store.workers()  # opens the database, which writes too
event.listen(Engine, "commit", die)
store.execution.claim("a worker", device="cpu", kinds={"unlearn"})
"""


def test_a_worker_killed_while_it_starts_a_run_loses_nothing(home: Path) -> None:
    """The folder of the run is made before the commit that starts it: it stays behind, empty."""
    store = RunStore(home)
    number = store.submit(spec(), title="a")
    assert subprocess.run([sys.executable, "-c", DIE_WHEN_STARTING, str(home)], check=False).returncode == 9
    assert folder(home, number).exists() and store.get(number).state is RunState.QUEUED
    run = store.execution.claim("another worker", device="cpu", kinds=EVERY)
    assert run is not None and (run.id, run.attempt) == (number, 1)


def refuse_writes(connection: Connection) -> None:
    if connection.get_execution_options().get("writes"):
        raise StoreError("The disk is full.")


def test_a_start_that_cannot_be_stored_is_tried_again_in_the_same_folder(home: Path) -> None:
    store = RunStore(home)
    first, second = (store.submit(spec(), title=name, group="both") for name in "ab")
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None and run.id == first

    def start() -> list[Run]:
        return store.execution.claim_group(run, "worker", device="cpu", is_compatible=lambda spec: True, limit=1)

    for act in (start, lambda: store.execution.claim("worker", device="cpu", kinds=EVERY)):
        event.listen(Engine, "commit", refuse_writes)
        try:
            with pytest.raises(StoreError, match="disk is full"):
                act()
        finally:
            event.remove(Engine, "commit", refuse_writes)
        assert not folder(home, second).exists()
    assert [(one.id, one.attempt) for one in start()] == [(second, 1)]
    assert folder(home, second).exists()


def test_a_folder_that_cannot_be_made_is_named(home: Path) -> None:
    store = RunStore(home)
    (home / "runs").write_text("a file in the way")
    with pytest.raises(StoreError, match="Cannot write to the folder"):
        store.execution.register_running(spec(), title="a", device="cpu")


def test_a_record_says_what_the_row_says(home: Path) -> None:
    store = RunStore(home)
    number = ended(store, owner="ann")
    store.set_note(number, "for Monday")
    told = json.loads((folder(home, number) / restore.RECORD).read_text())
    assert (told["id"], told["owner"], told["note"], told["state"]) == (number, "ann", "for Monday", "done")


def test_a_lost_database_keeps_owners_and_what_is_shared(home: Path) -> None:
    store = RunStore(home)
    number = ended(store, owner="ann")
    store.share(number)
    deleted(home)
    run = RunStore(home).get(number)
    assert (run.owner, run.shared) == ("ann", True)


def test_a_run_that_was_being_measured_does_not_come_back_as_finished(home: Path) -> None:
    store = RunStore(home)
    number = store.execution.register_running(report().spec, title="being measured", device="cpu")
    reports.write(replace(report(), pending=("membership", "timings")), folder(home, number))
    before = contents(home, number)
    ended(store)
    del store
    deleted(home)
    again = RunStore(home)
    assert [run.id for run in again.list_runs()] == [number + 1]
    assert "cannot be read" not in restore.notice(home) and contents(home, number) == before
