"""Starts a worker in this process: takes the device's lock, and serves until there is a reason to go."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unlearn_core.store.files.log_file import log_of
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker import child_main, device_lock
from unlearn_core.worker.child_process import CONTEXT
from unlearn_core.worker.code_version import of_code
from unlearn_core.worker.logging import say
from unlearn_core.worker.supervisor import Supervisor, Terms

WORK = "unlearn_core.engine.entry_point"

SLOW_TO_LOAD = ("pytorch_grad_cam",)
"""What the first look would otherwise wait seconds for, and each child hold 300 MB of for itself."""

PATIENCE = 600.0
"""Seconds after which a worker that the app started goes, if it is idle and no web server is there."""


@dataclass
class Asked:
    """What signals have asked of this process: to `leave` when nothing is in hand, or to `stop` at once."""

    leave: bool = False
    stop: bool = False


def supervise(device: str, home: Path, *, from_app: bool = False, terms: Terms | None = None, work: str = WORK) -> None:
    """Serves a device of this machine in a data folder, until a signal, idleness or the folder's end.

    `work` names a module that has all of `engine/entry_point.py`.
    Raises AlreadyServed where a worker of the same code serves the device.
    """
    me = device_lock.Holder(os.getpid(), of_code(), from_app)
    terms = terms or Terms(patience=PATIENCE if from_app else None)
    with _signals() as asked:
        mine = device_lock.take_over(home, device, me, wanted=lambda: not asked.leave and home.exists(), say=say)
        if mine is None:
            return
        try:
            if not from_app:  # the app has done so, and holds the new file open
                log_of(home)
            prepare(work)
            Supervisor(device, RunStore(home), mine, me=me, asked=asked, terms=terms, work=work).serve()
        finally:
            mine.let_go()


@contextmanager
def _signals() -> Iterator[Asked]:
    asked = Asked()

    def hear(number: int, _frame: object) -> None:
        asked.leave = True
        asked.stop = asked.stop or number != device_lock.LEAVE

    before = {
        number: signal.getsignal(number)
        for number in (device_lock.LEAVE, device_lock.STOP, signal.SIGINT, signal.SIGHUP)
    }
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # `nohup` means what it says
            signal.signal(number, hear)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def prepare(work: str) -> None:
    """Sets what the forkserver takes over when it starts; it has the work imported, and forks in milliseconds.

    What the engine imports late is imported there too, once for all children; importing it asks nothing of a GPU.
    """
    # It is a fresh interpreter, which finds modules only where it is told to look.
    os.environ["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    late = SLOW_TO_LOAD if work == WORK else ()
    CONTEXT.set_forkserver_preload([work, child_main.__name__, *late])
