"""What tests of the worker may ask for."""

import os
import threading

import pytest

from unlearn_core.domain.errors import StoreError
from unlearn_core.store.queue.execution import RunExecution
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.device_lock import DeviceLock, LockInfo, lock_path
from unlearn_core.worker.device_supervisor import Supervisor, WorkerLimits
from unlearn_core.worker.start import ShutdownFlags, prepare_forkserver

ME = LockInfo(os.getpid(), "mine", False)


class Flaky(RunExecution):
    """Writes to a disk that is full for a while."""

    full = 0

    def finish(self, run, attempt, *, metrics):
        if self.full:
            self.full -= 1
            raise StoreError("The disk is full.")
        super().finish(run, attempt, metrics=metrics)


@pytest.fixture
def inside(home, monkeypatch):
    """A supervisor in a thread of this process, so that tests can change its store; its children are real."""
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    work = "tests.worker.fake_work"
    prepare_forkserver(work)
    lock = DeviceLock.try_acquire(lock_path(home, "cpu"))
    assert lock is not None
    store, asked = RunStore(home), ShutdownFlags()
    monkeypatch.setattr(store, "execution", Flaky(store._database, store.access))
    supervisor = Supervisor("cpu", store, lock, info=ME, shutdown=asked, limits=WorkerLimits(), work_module=work)
    thread = threading.Thread(target=supervisor.serve)
    thread.start()
    yield supervisor
    asked.stop = asked.leave = True
    thread.join(20)
    lock.release()
    assert not thread.is_alive()
