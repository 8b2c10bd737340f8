"""The worker's parts by themselves: lock, listener, sentences, fingerprint, and a store that is out of order."""

import errno
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import time
from ctypes import c_ulong
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.store.specs import spec as any_spec
from tests.worker import fake_work
from tests.worker.worker_processes import end_of, submit, until
from unlearn_core.domain.errors import (
    CancelledError,
    CorruptAssetError,
    InvalidHyperparameterError,
    PreemptedError,
    StoreError,
    WorkerAlreadyRunningError,
)
from unlearn_core.domain.jobs import ExplainSpec, MeasureSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import CurvePoint, Phase, Progress, RunState
from unlearn_core.store.code_version import code_digest, running_code
from unlearn_core.store.files import error_report
from unlearn_core.store.queue import cpu_load
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import cpu_threads
from unlearn_core.worker import start
from unlearn_core.worker.child_main import ChildConfig, _warm_up, _Workload
from unlearn_core.worker.child_process import CONTEXT
from unlearn_core.worker.device_lock import DeviceLock, LockInfo, acquire, lock_path, read_info
from unlearn_core.worker.failures import outcome_of
from unlearn_core.worker.listener import CANCEL, PREEMPT, REPORT_INTERVAL, PipeListener, ProgressUpdate
from unlearn_core.worker.start import prepare_forkserver

ME = LockInfo(os.getpid(), "mine", False)


def test_a_lock_has_one_holder_and_says_who(home):
    path = lock_path(home, "cuda:0")
    assert path.name == "cuda-0.lock"
    assert read_info(path) is None
    lock = DeviceLock.try_acquire(path)
    assert lock is not None
    assert read_info(path) is None, "locked, but its holder has not written itself yet"
    lock.write_info(ME._replace(run=12345))
    lock.write_info(ME._replace(run=7))
    assert read_info(path) == ME._replace(run=7)
    assert DeviceLock.try_acquire(path) is None
    assert lock.is_valid
    lock.release()
    assert read_info(path) is None
    again = DeviceLock.try_acquire(path)
    assert again is not None
    shutil.rmtree(home / "locks")
    assert not again.is_valid
    (home / "locks").mkdir(exist_ok=True)
    path.touch()
    assert not again.is_valid, "another file under the same name is not the one"
    again.release()


def test_a_lock_is_free_when_its_holder_is_killed(home):
    path = lock_path(home, "cpu")
    code = (
        "import sys, time; from pathlib import Path; from unlearn_core.worker.device_lock import DeviceLock;"
        f"lock = DeviceLock.try_acquire(Path({str(path)!r})); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert DeviceLock.try_acquire(path) is None
    holder.kill()
    holder.communicate()
    lock = DeviceLock.try_acquire(path)
    assert lock is not None
    lock.release()


def test_taking_over_ends_when_it_is_no_longer_wanted(home):
    lock = acquire(home, "cpu", ME, is_wanted=lambda: True)
    assert lock is not None
    with pytest.raises(WorkerAlreadyRunningError, match="already running on cpu"):
        acquire(home, "cpu", ME, is_wanted=lambda: True)
    other = acquire(home, "cuda:0", ME, is_wanted=lambda: True)
    assert other is not None
    assert acquire(home, "mps", ME, is_wanted=lambda: False) is None
    lock.release()
    other.release()


def test_the_listener_tells_everything_in_a_measured_rhythm():
    here, there = multiprocessing.Pipe()
    listener, told = PipeListener(there, [0, 0], c_ulong()), []
    began = time.monotonic()
    for step in range(100):
        listener.check()
        listener.point(CurvePoint(step, 0.0, "walk", 0.5, 0.5))
        listener.progress(Progress((Phase("walk", 100, step, 0.0),), "walk", None))
        time.sleep(0.006)
    seconds = time.monotonic() - began
    listener.flush()
    while here.poll():
        place, news = here.recv()
        assert place == 0
        told.append(news)
    assert [point.step for news in told for point in news.points] == list(range(100))
    assert told[-1].progress.phases[0].done == 99
    assert 2 <= len(told) <= seconds / REPORT_INTERVAL + 2
    assert all(isinstance(news, ProgressUpdate) for news in told)
    here.close()
    there.close()


def test_the_listener_hears_wishes_and_costs_next_to_nothing():
    here, there = multiprocessing.Pipe()
    wishes = [0, 0]
    listener, progress = PipeListener(there, wishes, c_ulong()), Progress((), "walk", None)
    spent = []
    for _ in range(200):
        began = time.perf_counter()
        listener.check()
        listener.progress(progress)
        spent.append(time.perf_counter() - began)
    assert statistics.median(spent) < 50e-6
    assert not listener.should_yield()
    wishes[PREEMPT] = 1
    assert listener.should_yield()
    listener.check()
    wishes[CANCEL] = 1
    with pytest.raises(CancelledError):
        listener.check()
    here.close()
    there.close()


@pytest.mark.parametrize(
    ("problem", "state", "words"),
    [
        (CancelledError("stop"), "cancelled", ()),
        (PreemptedError("later"), "preempted", ()),
        (InvalidHyperparameterError("Rate cannot be 7."), "failed", ("Rate cannot be 7.",)),
        (MemoryError(), "failed", ("ran out of memory", "batch size", "close other programs")),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes."),
            "failed",
            ("ran out of memory", "needed 99 bytes"),
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "failed", ("is full", "MB free", "Free some space")),
        (OSError(errno.EACCES, "Permission denied"), "failed", ("may not be used (PermissionError", "Error id")),
        (ValueError("no file \udcff"), "failed", ("no file \\udcff",)),
        (ZeroDivisionError(), "failed", ("has a mistake (ZeroDivisionError)", "Error id")),
    ],
)
def test_every_end_is_told_in_words(problem, state, words, tmp_path):
    outcome = outcome_of(problem, tmp_path)
    assert outcome.state == state
    assert all(word in outcome.reason for word in words), outcome.reason
    ours = isinstance(problem, CancelledError | PreemptedError | InvalidHyperparameterError)
    assert outcome.restart_child != ours
    assert bool(outcome.traceback) != ours


def _broken(*_: object) -> RunMetrics:
    raise KeyError("the ice is thin")


@pytest.mark.parametrize(
    "spec", [any_spec(do=1), MeasureSpec(run=1, what="relearn"), ExplainSpec(run=1, picture=0, target=0)]
)
def test_a_job_that_fails_in_the_child_has_a_bug_report(spec, home):
    """A run, a measurement on demand and a Grad-CAM query, as the child executes them."""
    module = SimpleNamespace(
        ModelCache=lambda *_: None, stackable_params=lambda _: {}, execute_job=_broken, execute_stacked=_broken
    )
    store = RunStore(home)
    run = store.get(store.submit(spec, title="A test"))
    work = _Workload(module, ChildConfig("any", "cpu", home, None, preload="nothing"))
    here, there = multiprocessing.Pipe()
    listener = PipeListener(there, [0, 0], c_ulong())
    (outcome,) = work.execute([run], [listener], None)
    assert outcome.state == "failed" and "KeyError: 'the ice is thin'" in outcome.reason
    assert "Traceback" in outcome.traceback and "Traceback" not in outcome.reason
    report = error_report.find(home, outcome.reason)
    assert report is not None and report.path == home / "errors" / f"{report.id}.txt"
    for part in (f"during: run {run.id}, A test", f'"kind": "{spec.kind}"', "in _broken", "Unlearn Lab"):
        assert part in report.text
    stacked = list(work.execute([run, run], [listener, listener], None))
    assert [one.state for one in stacked] == ["crashed", "crashed"]
    here.close()
    there.close()


def test_the_fingerprint_is_that_of_the_source(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("x = 1\n")
    first = code_digest(tmp_path)
    assert code_digest(tmp_path) == first
    (tmp_path / "notes.txt").write_text("no code")
    assert code_digest(tmp_path) == first
    (tmp_path / "b.py").write_text("")
    second = code_digest(tmp_path)
    (tmp_path / "a.py").write_text("x = 2\n")
    assert len({first, second, code_digest(tmp_path)}) == 3
    before = code_digest()
    monkeypatch.setenv("UNLEARN_PLUGINS", "other")
    missing = code_digest()
    package = tmp_path / "other"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    found = code_digest()
    (package / "methods.py").write_text("STEPS = 2\n")
    assert len({before, missing, found, code_digest()}) == 4


def test_what_loads_slowly_is_loaded_once_for_all_children(monkeypatch):
    told = []
    monkeypatch.setattr(CONTEXT, "set_forkserver_preload", told.append)
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    prepare_forkserver(start.WORK_MODULE)
    prepare_forkserver("tests.worker.fake_work")
    assert told[0] == ["unlearn_core.engine.entry_point", "unlearn_core.worker.child_main", "pytorch_grad_cam"]
    assert all(find_spec(name) for name in told[0]), "the forkserver passes over what it does not find"
    assert "pytorch_grad_cam" not in told[1]


def test_a_child_loads_what_ships_before_its_first_run(home, monkeypatch):
    job, ways = ChildConfig("tests.worker.fake_work", "cpu", home, None), []
    monkeypatch.setattr(fake_work.ModelCache, "prepare", lambda warm: ways.append(warm.device))
    assert not _warm_up(job).stacks
    assert ways == ["cpu"]

    def damaged(warm) -> None:
        raise CorruptAssetError("original-0 is damaged.")

    monkeypatch.setattr(fake_work.ModelCache, "prepare", damaged)
    assert _warm_up(job), "runs that need nothing of it can still be made"


def test_no_result_is_lost_while_the_store_is_out_of_order(inside, caplog):
    inside.store.execution.full = 5
    number = submit(inside.store, do="steps", steps=1)
    assert end_of(inside.store, number).state is RunState.DONE
    assert inside.store.execution.full == 0
    assert caplog.messages.count("The disk is full.") == 1, "it says so once"


def test_a_claimed_run_is_carried_out_alone_if_its_group_cannot_be_claimed(inside, monkeypatch):
    def refuse(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(inside, "_groupable", refuse)
    run = end_of(inside.store, submit(inside.store, do="steps", steps=1))
    assert (run.state, run.attempt) == (RunState.DONE, 1)


def test_a_child_is_replaced_after_its_time_and_when_it_dies_idle(inside, monkeypatch):
    monkeypatch.setattr("unlearn_core.worker.child_process.MAX_RUNS_PER_CHILD", 2)
    pids = [end_of(inside.store, submit(inside.store, do="steps", steps=1)).metrics.to_dict()["pid"] for _ in range(4)]
    assert len(set(pids)) == 2
    assert pids[0] == pids[1]
    assert pids[2] == pids[3]
    until(lambda: inside.run_child.is_free)
    inside.run_child._process.kill()
    run = end_of(inside.store, submit(inside.store, do="steps", steps=1))
    assert (run.state, run.metrics.to_dict()["runs"]) == (RunState.DONE, 1)


def test_a_run_that_was_taken_away_is_dropped(inside):
    number = submit(inside.store, do="await")
    until(lambda: (Path(inside.store.data_dir) / f"began-{number}-1").exists())
    inside.store.execution.fail(number, 1, "Taken away.")
    run = end_of(inside.store, submit(inside.store, do="steps", steps=1))
    assert run.state is RunState.DONE
    assert inside.store.get(number).error == "Taken away."


@pytest.mark.parametrize(("device", "threads"), [("cpu", None), ("cpu", 1), ("cuda:0", None)])
def test_a_run_on_the_cpu_gets_threads_by_the_load_and_keeps_their_number(home, monkeypatch, device, threads):
    loads, store = [], RunStore(home)
    monkeypatch.setattr(cpu_threads, "adapt", lambda load, cores: loads.append(load))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    made = RunMetrics(seconds_per_image=0.1)
    module = SimpleNamespace(
        ModelCache=lambda *_: None, stackable_params=lambda _: {}, execute_job=lambda *_: made, execute_stacked=None
    )
    work, (_, pipe) = (
        _Workload(module, ChildConfig("any", device, home, threads, preload="nothing")),
        multiprocessing.Pipe(),
    )
    specs = (any_spec(do=1), MeasureSpec(run=1, what="relearn"))
    first, second = (store.get(store.submit(spec, title="A test")) for spec in specs)
    (outcome,) = work.execute([first], [PipeListener(pipe, [0, 0], c_ulong())], 1.5)
    assert loads == ([1.5] if (device, threads) == ("cpu", None) else [])
    assert outcome.metrics == made.updated(RunMetrics(threads=5, code=running_code()))
    (outcome,) = work.execute([second], [PipeListener(pipe, [0, 0], c_ulong())], None)
    assert outcome.metrics == made, "a measurement's metrics become those of its run, whose threads stay"


def test_the_load_during_a_run_is_recorded_and_told_to_the_pages(inside, monkeypatch):
    monkeypatch.setattr(inside.load_meter, "load", lambda: 7.5)
    monkeypatch.setattr(inside.load_meter, "used", lambda: 1.25)
    monkeypatch.setattr("unlearn_core.worker.device_supervisor.HOUSEKEEPING_SECONDS", 0.02)
    run = end_of(inside.store, submit(inside.store, do="steps", steps=120))
    assert run.metrics.load == 1.25
    assert cpu_load.published(inside.store.data_dir) == 7.5, "more programs wait than there are cores"
    monkeypatch.setattr(inside.load_meter, "used", lambda: None)
    time.sleep(0.2)
    assert end_of(inside.store, submit(inside.store, do="steps", steps=20)).metrics.load is None


def test_threads_of_children_wait_without_spinning_for_long(monkeypatch):
    monkeypatch.setattr(CONTEXT, "set_forkserver_preload", lambda _: None)
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    for name in cpu_threads.WAIT_VARIABLES:
        monkeypatch.setenv(name, "")
    prepare_forkserver("tests.worker.fake_work")
    assert os.environ["GOMP_SPINCOUNT"] == cpu_threads.SPIN_COUNT
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    prepare_forkserver("tests.worker.fake_work")
    assert os.environ["GOMP_SPINCOUNT"] == "7"
