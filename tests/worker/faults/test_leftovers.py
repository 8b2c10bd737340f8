"""What a run leaves behind, however it ends: no process, no temporary file or folder, no outputs of deleted runs."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tests.store.specs import EVERY, spec
from tests.worker.worker_processes import begun, end_of, output, submit, until, worker
from unlearn_core.data import atomic_files
from unlearn_core.data.atomic_files import atomic_write, remove_abandoned
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.failures import describe_exit

WRITER = """
import os, sys, time
from pathlib import Path
from unlearn_core.data import atomic_files
def wait(handle):
    print("written", flush=True)
    time.sleep(60)
atomic_files.os.fsync = wait
atomic_files.atomic_write(Path(sys.argv[1]), b"half")
"""


def test_a_file_that_a_killed_process_was_writing_is_removed_and_one_that_is_being_written_is_not(
    tmp_path, monkeypatch
):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "parts" / "a.npz")], stdout=subprocess.PIPE)
    assert writer.stdout is not None and writer.stdout.readline() == b"written\n"
    (tmp_path / ".keep.this.file").touch()
    atomic_write(tmp_path / "b.json", b"{}")
    assert remove_abandoned(tmp_path) == 0, "it was touched just now"
    monkeypatch.setattr(atomic_files, "ABANDONED_SECONDS", -1.0)
    assert remove_abandoned(tmp_path) == 0, "it is locked"
    writer.kill()
    writer.wait()
    writer.stdout.close()
    assert remove_abandoned(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".keep.this.file", "b.json", "parts"]


def test_outputs_of_a_deleted_run_go_unless_another_run_has_the_same_model(home):
    store, pool = RunStore(home), EvaluationStore(home / "evaluations")
    models = ["a" * 64, "a" * 64, "b" * 64]
    for model in models:
        pool.put(Evaluation(model, "shapes", np.eye(4, dtype=np.float32)))
        pool.put_unit_features(model, "shapes", np.eye(4, dtype=np.float16))
        number = store.submit(spec(), title="a")
        run = store.execution.claim("worker", device="cpu", kinds=EVERY)
        assert run is not None
        store.execution.finish(number, run.attempt, metrics=RunMetrics(weights=model))

    def kept() -> set[str]:
        return {path.stem[-1] for path in (home / "evaluations" / "shapes").iterdir()}

    store.delete(1)
    assert kept() == {"a", "b"}
    store.delete(2)
    assert kept() == {"b"}
    store.delete(3)
    assert kept() == set()


def test_the_first_death_is_not_called_the_second(caplog, inside):
    caplog.set_level("INFO")
    run = end_of(inside.store, submit(inside.store, do="die", times=1))
    assert (run.state, run.attempt) == (RunState.DONE, 2)
    assert f"Run {run.id} (a test): crashed, now queued. Its process ended with signal 9 (SIGKILL)." in caplog.messages
    assert "twice" not in caplog.text
    assert "twice" in describe_exit(3, is_first=False)


def alive(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
            found.append(pid)
    return found


def leaked(store: RunStore, run: int) -> list[int]:
    file = store.data_dir / f"leaked-{run}-1"
    return json.loads(until(lambda: file.exists() and file.read_text()))


@pytest.mark.slow
def test_processes_that_a_method_started_end_with_its_run(home):
    store = RunStore(home)
    with worker(home):
        run = end_of(store, submit(store, do="leak"))
        assert run.state is RunState.DONE
        assert not alive(run.metrics.to_dict()["leaked"])
        run = end_of(store, submit(store, do="leak", die=True))
        assert (run.state, run.attempt) == (RunState.DONE, 2)
        until(lambda: not alive(leaked(store, run.id)), 5)
        number = submit(store, do="leak", stay=True)
        begun(store, number)
        store.cancel(number)
        end_of(store, number)
        until(lambda: not alive(leaked(store, number)), 5)


@pytest.mark.slow
def test_what_a_killed_supervisor_leaves_is_cleared_by_the_next_one(home):
    store, before = RunStore(home), set(Path(tempfile.gettempdir()).glob("pymp-*"))
    with worker(home) as first:
        number = submit(store, do="leak", stay=True)
        begun(store, number)
        pids = leaked(store, number)
        (folder,) = set(Path(tempfile.gettempdir()).glob("pymp-*")) - before
        (home / "evaluations").mkdir()
        half = home / "evaluations" / ".v1-abc.npy.tx2bufaj"
        half.touch()
        os.utime(half, (0, 0))
        first.kill()
        first.wait()
        assert alive(pids) and folder.exists() and half.exists()
    with worker(home):
        assert end_of(store, number).state is RunState.DONE
        until(lambda: not alive(pids), 5)
        assert not folder.exists()
        until(lambda: not half.exists(), 20)
    assert set(Path(tempfile.gettempdir()).glob("pymp-*")) <= before


@pytest.mark.slow
def test_a_run_that_needs_more_memory_than_it_may_use_fails_and_the_next_one_runs(home, monkeypatch):
    monkeypatch.setenv("UNLEARN_MOST_RUN_MEMORY_MB", "300")
    store = RunStore(home)
    with worker(home, "--memory", "300"):
        assert end_of(store, submit(store, do="memory", mebibytes=100)).state is RunState.DONE
        run = end_of(store, submit(store, do="memory", mebibytes=400))
        assert (run.state, run.attempt) == (RunState.FAILED, 1)
        assert (run.error or "").startswith("The device ran out of memory. Reduce the batch size")
        assert "A run may use 300 MiB here. The operator of this server can change UNLEARN_MOST" in (run.error or "")
        assert end_of(store, submit(store, do="steps", steps=1)).state is RunState.DONE
    assert "Traceback" in output(home), "it is logged in full"
