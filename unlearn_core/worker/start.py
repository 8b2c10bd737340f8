"""Starts a worker in this process: takes the device's lock, and serves until there is a reason to go."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unlearn_core.store.files.log_file import rotated_log_path
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker import child_main, device_lock
from unlearn_core.worker.child_process import CONTEXT
from unlearn_core.worker.code_version import code_digest
from unlearn_core.worker.logging import log_line
from unlearn_core.worker.supervisor import Supervisor, WorkerTimeouts

WORK_MODULE = "unlearn_core.engine.entry_point"

PRELOAD_MODULES = ("pytorch_grad_cam",)
"""What the first look would otherwise wait seconds for, and each child hold 300 MB of for itself."""

IDLE_SECONDS = 600.0
"""Seconds after which a worker that the app started goes, if it is idle and no web server is there."""


@dataclass
class ShutdownFlags:
    """What signals have asked of this process: to `leave` when nothing is in hand, or to `stop` at once."""

    leave: bool = False
    stop: bool = False


def run_worker(
    device: str,
    data_dir: Path,
    *,
    from_app: bool = False,
    timeouts: WorkerTimeouts | None = None,
    work_module: str = WORK_MODULE,
) -> None:
    """Serves a device of this machine in a data folder, until a signal, idleness or the folder's end.

    `work` names a module that has all of `engine/entry_point.py`.
    Raises AlreadyServed where a worker of the same code serves the device.
    """
    me = device_lock.LockInfo(os.getpid(), code_digest(), from_app)
    timeouts = timeouts or WorkerTimeouts(idle_timeout=IDLE_SECONDS if from_app else None)
    with _signals() as asked:
        mine = device_lock.acquire(
            data_dir, device, me, is_wanted=lambda: not asked.leave and data_dir.exists(), log=log_line
        )
        if mine is None:
            return
        try:
            if not from_app:  # the app has done so, and holds the new file open
                rotated_log_path(data_dir)
            prepare_forkserver(work_module)
            Supervisor(
                device, RunStore(data_dir), mine, info=me, shutdown=asked, timeouts=timeouts, work_module=work_module
            ).serve()
        finally:
            mine.release()


@contextmanager
def _signals() -> Iterator[ShutdownFlags]:
    asked = ShutdownFlags()

    def hear(number: int, _frame: object) -> None:
        asked.leave = True
        asked.stop = asked.stop or number != device_lock.LEAVE_SIGNAL

    before = {
        number: signal.getsignal(number)
        for number in (device_lock.LEAVE_SIGNAL, device_lock.STOP_SIGNAL, signal.SIGINT, signal.SIGHUP)
    }
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # `nohup` means what it says
            signal.signal(number, hear)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def prepare_forkserver(work_module: str) -> None:
    """Sets what the forkserver takes over when it starts; it has the work imported, and forks in milliseconds.

    What the engine imports late is imported there too, once for all children; importing it asks nothing of a GPU.
    """
    # It is a fresh interpreter, which finds modules only where it is told to look.
    os.environ["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    late = PRELOAD_MODULES if work_module == WORK_MODULE else ()
    CONTEXT.set_forkserver_preload([work_module, child_main.__name__, *late])
