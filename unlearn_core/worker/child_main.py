"""The child process that does the work: it keeps data and nets warm, and takes from a pipe what is to be run next.

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
from collections.abc import Iterator, MutableSequence
from contextlib import suppress
from itertools import repeat
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.run import Run
from unlearn_core.domain.stacking import StackableParams
from unlearn_core.worker.failures import Outcome, outcome_of
from unlearn_core.worker.listener import REPORT_INTERVAL, PipeListener


class ChildConfig(NamedTuple):
    """What a child is for. `work` names a module like `engine/entry_point.py`, which has all that is done here. `threads`
    limits torch's, where it is given. With `ahead` it loads what ships before it is asked for it."""

    work_module: str
    device: str
    data_dir: Path
    threads: int | None
    preload: bool = True


def serve(pipe: Connection, signals: MutableSequence[int], config: ChildConfig) -> None:
    """Carries out the runs that come through the pipe, until it closes; answers each with its place and an Outcome.

    What comes is a list: one run, or several to be made side by side. The first answer is a Ready.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the supervisor decides
    faulthandler.enable()
    _die_with_supervisor()
    work = None
    with suppress(Exception):  # the first run tries again, and its owner reads why
        work = _warm_up(config)
        pipe.send(ChildReady(dict(work.stacks)))
    while True:
        try:
            runs: list[Run] = pipe.recv()
        except EOFError:
            return
        rhythm = REPORT_INTERVAL * len(runs)
        listeners = [PipeListener(pipe, signals, index=place, interval=rhythm) for place in range(len(runs))]
        try:
            work = work or _warm_up(config)
        except Exception as problem:  # noqa: BLE001 (opening a device may raise anything, and owners must hear of it)
            ends: Iterator[Outcome] = repeat(outcome_of(problem, config.data_dir), len(runs))
        else:
            ends = work.execute(runs, listeners)
        for place, outcome in enumerate(ends):
            listeners[place].flush()
            pipe.send((place, outcome))


class ChildReady(NamedTuple):
    """Said once, by a child that has warmed up: what it can make side by side."""

    stacks: dict[str, frozenset[str]]


class _Workload:
    """The work's module, with the device opened and what ships loaded."""

    def __init__(self, module: Any, config: ChildConfig) -> None:
        self._module, self._warm, self._home = (
            module,
            module.ModelCache(config.device, config.data_dir),
            config.data_dir,
        )
        self.stacks: StackableParams = module.stackable_params(config.device)
        if config.preload:
            with suppress(Exception):  # a run that needs what cannot be loaded says so; the others need not suffer
                self._warm.prepare()

    def execute(self, runs: list[Run], listeners: list[PipeListener]) -> Iterator[Outcome]:
        """How each run ended, in turn. Several are made side by side, or the first is, and the others wait again."""
        if len(runs) == 1:
            yield self._execute_one(runs[0], listeners[0])
            return
        done = 0
        try:
            for end in self._module.execute_stacked(runs, self._warm, listeners):
                yield self._to_outcome(end)
                done += 1
        except NotSupportedError as problem:  # as with a net that draws by chance, which only the engine can know
            yield self._execute_one(runs[done], listeners[done])
            yield from repeat(Outcome("gave way", reason=str(problem)), len(runs) - done - 1)
        except Exception as problem:  # noqa: BLE001 (a method may raise anything, as when memory is short for so many:
            # the log has the account, and each run has a second life, which it lives alone)
            yield from repeat(
                outcome_of(problem, self._home)._replace(state="died", restart_child=True), len(runs) - done
            )

    def _execute_one(self, run: Run, listener: PipeListener) -> Outcome:
        try:
            return self._to_outcome(self._module.execute_job(run, self._warm, listener))
        except Exception as problem:  # noqa: BLE001 (a method may raise anything, and its owner must hear of it)
            return outcome_of(problem, self._home)

    def _to_outcome(self, result: dict[str, Any] | Exception) -> Outcome:
        if isinstance(result, Exception):
            return outcome_of(result, self._home)
        return Outcome("done", metrics=json.loads(json.dumps(result)))


def _warm_up(config: ChildConfig) -> _Workload:
    """Imports the work, opens the device and loads what ships."""
    module = importlib.import_module(config.work_module)
    torch = sys.modules.get("torch")
    if config.threads is not None and torch is not None:
        torch.set_num_threads(config.threads)
    return _Workload(module, config)


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
