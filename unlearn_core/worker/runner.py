"""The child process that does the work: it keeps data and nets warm, and takes one run after another from a pipe.

This is a module of its own because a forkserver's child must be able to import what it runs.
"""

import faulthandler
import fcntl
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, MutableSequence
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from unlearn_core.domain.run import Run
from unlearn_core.worker.failures import Outcome, outcome_of
from unlearn_core.worker.listener import PipeListener


class Job(NamedTuple):
    """What a child is for. `work` names the function that carries a run out, as "module:function"; the same module
    has `Warm(device, home)` with `prepare()`. `threads` limits torch's, where it is given."""

    work: str
    device: str
    home: Path
    threads: int | None


def serve(pipe: Connection, wishes: MutableSequence[int], job: Job) -> None:
    """Carries out the runs that come through the pipe, until it closes; answers each with an Outcome."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the supervisor decides
    faulthandler.enable()
    _die_with_supervisor()
    listener, work = PipeListener(pipe, wishes), None
    with suppress(Exception):  # the first run tries again, and its owner reads why
        work = _warm_up(job)
    while True:
        try:
            run: Run = pipe.recv()
        except EOFError:
            return
        try:
            work = work or _warm_up(job)
            headline = work(run, listener)
            outcome = Outcome("done", headline=json.loads(json.dumps(headline)))
        except Exception as problem:  # noqa: BLE001 (a method may raise anything, and its owner must hear of it)
            outcome = outcome_of(problem, job.home)
        listener.flush()
        pipe.send(outcome)


def _warm_up(job: Job) -> Callable[[Run, PipeListener], dict[str, Any]]:
    """Imports the work, opens the device and loads what ships; gives what carries out a run there."""
    module, _, function = job.work.partition(":")
    work = importlib.import_module(module)
    torch = sys.modules.get("torch")
    if job.threads is not None and torch is not None:
        torch.set_num_threads(job.threads)
    carry_out, warm = getattr(work, function), work.Warm(job.device, job.home)
    with suppress(Exception):  # a run that needs what cannot be loaded says so; the others need not suffer
        warm.prepare()
    return lambda run, listener: carry_out(run, warm, listener)


def _die_with_supervisor() -> None:
    """Ends this process when the supervisor dies, however that happens and whatever this process is doing.

    A parent-death signal would not do: the parent is the forkserver, which outlives the supervisor while it has
    children. Only the supervisor holds the other end of this pipe.
    """
    supervisor = parent_process()
    assert supervisor is not None
    if hasattr(fcntl, "F_SETSIG"):  # Linux: the kernel kills, even while C code keeps the interpreter to itself
        fcntl.fcntl(supervisor.sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(supervisor.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(supervisor.sentinel, fcntl.F_GETFL)
        fcntl.fcntl(supervisor.sentinel, fcntl.F_SETFL, flags | os.O_ASYNC)

    def watch() -> None:
        supervisor.join()
        os._exit(1)

    threading.Thread(target=watch, name="watch", daemon=True).start()
