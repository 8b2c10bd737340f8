"""run_worker, which runs a worker in this process: acquire the lock of the device, then supervise until stopped."""

import logging
import os
import signal
import sys
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.util import get_temp_dir
from pathlib import Path

from unlearn_core.settings import settings
from unlearn_core.store.code_version import running_code
from unlearn_core.store.files.log_file import LogFileHandler, logging_to, rotated_log_path
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import cpu_threads
from unlearn_core.worker import child_main, device_lock, leftovers
from unlearn_core.worker.child_process import CONTEXT
from unlearn_core.worker.device_supervisor import Supervisor, WorkerLimits

WORK_MODULE = "unlearn_core.engine.entry_point"

PRELOAD_MODULES = ("pytorch_grad_cam",)
"""Modules loaded before children start: saves seconds at the first Grad-CAM query and 300 MB per child."""

IDLE_SECONDS = 600.0
"""Seconds after which a worker that the app started stops if it is idle and no web server is running."""


_logger = logging.getLogger(__name__)


@dataclass
class ShutdownFlags:
    """Requests by signals: to `leave` once idle, or to `stop` now."""

    leave: bool = False
    stop: bool = False


def run_worker(
    device: str,
    data_dir: Path,
    *,
    from_app: bool = False,
    limits: WorkerLimits | None = None,
    work_module: str = WORK_MODULE,
) -> None:
    """Run a worker on a device for a data folder, until a signal, an idle timeout or removal of the folder.

    `work_module` is a module with the functions of `engine/entry_point.py`.
    Raises WorkerAlreadyRunningError if a worker with the same code runs on the device.
    """
    info = device_lock.LockInfo(os.getpid(), running_code(), from_app, temp=get_temp_dir())
    limits = limits or WorkerLimits(
        idle_timeout=IDLE_SECONDS if from_app else None,
        silence=60.0 * settings().most_silent_minutes,
        memory_mb=settings().most_run_memory_mb,
    )
    with _logging(data_dir, from_app=from_app), _signal_flags() as flags:
        lock = device_lock.acquire(data_dir, device, info, is_wanted=lambda: not flags.leave and data_dir.exists())
        if lock is None:
            return
        try:
            if not from_app:  # otherwise the app has done so and holds the new file open
                rotated_log_path(data_dir)
            leftovers.end_marked(lock.path)
            leftovers.mark_processes(lock.path)
            leftovers.adopt_orphans()
            prepare_forkserver(work_module)
            Supervisor(
                device, RunStore(data_dir), lock, info=info, shutdown=flags, limits=limits, work_module=work_module
            ).serve()
        except Exception:
            _logger.exception(f"The worker on {device} failed:")
            raise
        finally:
            lock.release()


def _logging(data_dir: Path, *, from_app: bool) -> AbstractContextManager[None]:
    """Log to stdout and worker.log, which are the same file if the app started this worker."""
    logging.raiseExceptions = False  # nor does a closed terminal or a full disk write tracebacks
    stdout = logging.StreamHandler(sys.stdout)
    return logging_to(stdout) if from_app else logging_to(stdout, LogFileHandler(data_dir))


@contextmanager
def _signal_flags() -> Generator[ShutdownFlags]:
    flags = ShutdownFlags()

    def handle(number: int, _frame: object) -> None:
        flags.leave = True
        flags.stop = flags.stop or number != device_lock.LEAVE_SIGNAL

    former = {
        number: signal.getsignal(number)
        for number in (device_lock.LEAVE_SIGNAL, device_lock.STOP_SIGNAL, signal.SIGINT, signal.SIGHUP)
    }
    for number, handler in former.items():
        if handler is not signal.SIG_IGN:  # respect `nohup`
            signal.signal(number, handle)
    try:
        yield flags
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def prepare_forkserver(work_module: str) -> None:
    """Configure the forkserver, which imports the work module once and then forks children in milliseconds.

    It also imports what the engine imports late, once for all children; these imports do not use a GPU.
    """
    # The forkserver is a new interpreter: it needs the module search path, and reads how threads wait.
    cpu_threads.limit_spinning(os.environ)
    os.environ["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    late = PRELOAD_MODULES if work_module == WORK_MODULE else ()
    CONTEXT.set_forkserver_preload([work_module, child_main.__name__, *late])
