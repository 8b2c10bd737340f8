"""A disk that is full or read-only, and a run that makes no step, as the pages say it."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, by_class, started
from tests.pages.page_asserts import fine, words
from tests.store.specs import spec
from tests.worker.worker_processes import end_of, until, worker
from unlearn_core.domain.run import RunState, Silence
from unlearn_core.store import data_folder, maintenance
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.shell import lifespan, navigation, worker_status
from unlearn_core.ui.shell.markdown import escape

VERDICT = "Did the model forget the forget set and retain the rest?"


def test_the_page_of_a_running_run_says_that_the_disk_is_full(
    visit: Visit, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = store.submit(by_class(), title="Forget discs with UNSIR")
    started(store)
    usage = shutil.disk_usage(store.data_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    text = words(fine(visit("run", id=str(number))))
    assert f"The disk with {escape(str(store.data_dir))} is full (0 MB free, at least 10 MB are needed)" in text
    assert "the run continues, and its link" not in text
    assert "No worker is running" not in text, "it may well be there, and cannot say so"
    monkeypatch.undo()


def test_on_a_read_only_disk_finished_runs_are_opened_and_every_page_says_so(
    visit: Visit, done: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (data_folder, navigation, worker_status, lifespan):
        monkeypatch.setattr(module, "is_writable", lambda _: False)
    told = f"The data folder {escape(str(done.data_dir))} is read-only: finished runs can be opened"
    app = fine(visit("run", id=str(CLASS)))
    assert told in words(app) and VERDICT in words(app)
    app = fine(visit("history"))
    assert told in words(app) and len(app.dataframe[0].value) == 2
    assert told in words(fine(visit("start")))


def test_a_run_that_makes_no_step_is_said_on_its_page_and_on_those_that_wait(visit: Visit, store: RunStore) -> None:
    first, second = (store.submit(by_class(), title="Forget discs with UNSIR") for _ in range(2))
    run = started(store)
    store.execution.heartbeat(first, run.attempt, silence=Silence(120.0, 600.0))
    text = words(fine(visit("run", id=str(first))))
    assert "This run has made no step for 2 minutes. If it makes none for another 8 minutes, it is stopped" in text
    assert "no step for 2 minutes; it is stopped after 10 minutes" in words(fine(visit("run", id=str(second))))
    store.execution.heartbeat(first, run.attempt)
    assert "made no step" not in words(fine(visit("run", id=str(first))))


def test_during_maintenance_every_page_says_so_and_no_worker_is_started(
    visit: Visit, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_WORKER", "auto")
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a worker was started"))
    number = store.submit(by_class(), title="Forget discs with UNSIR")
    maintenance.begin(store.data_dir)
    for page, query in (("run", {"id": str(number)}), ("history", {}), ("start", {})):
        text = words(fine(visit(page, **query)))
        assert maintenance.NOTICE in text
        assert "No worker is running" not in text and "A worker is starting" not in text
    maintenance.end(store.data_dir)
    assert maintenance.NOTICE not in words(fine(visit("start")))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own; needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("mounting a disk needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.slow
def test_a_real_disk_that_is_full(disk: Path, visit: Visit, done: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    home = disk / "home"
    shutil.copytree(done.data_dir, home)
    monkeypatch.setenv("UNLEARN_HOME", str(home))
    store, filler = RunStore(home), disk / "filler"
    with worker(home):
        until(lambda: [row for row in store.workers() if row.state == "idle"])
        number = store.submit(spec(do="steps", steps=400, pause=0.02), title="a run")
        until(lambda: store.get(number).state is RunState.RUNNING)
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        page = words(visit("run", id=str(CLASS)))
        assert VERDICT in page, "finished reports open"
        time.sleep(2)
        filler.unlink()
        assert end_of(store, number).state is RunState.DONE, "with room, it goes on"
        assert store.get(number).attempt == 1


@pytest.mark.slow
def test_a_real_disk_that_is_read_only(
    disk: Path, visit: Visit, done: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = disk / "home"
    shutil.copytree(done.data_dir, home)
    monkeypatch.setenv("UNLEARN_HOME", str(home))
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    app = fine(visit("run", id=str(CLASS)))
    assert "is read-only: finished runs can be opened" in words(app) and VERDICT in words(app)
    assert "is read-only" in words(fine(visit("history")))
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    app = fine(visit("history"))
    assert "is read-only" not in words(app)
    assert RunStore(home).submit(by_class(), title="again") == 3
