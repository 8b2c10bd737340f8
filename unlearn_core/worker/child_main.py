"""The code of a child process: it keeps data and models loaded, and executes the runs that come through a pipe.

It is a module of its own because the child of a forkserver must be able to import what it runs.
"""

import faulthandler
import fcntl
import importlib
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator, MutableSequence
from contextlib import suppress
from ctypes import c_double, c_ulong
from itertools import repeat
from math import isnan, nan
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, NamedTuple

from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import TIMED_KINDS, Run
from unlearn_core.domain.stacking import StackableParams
from unlearn_core.store.code_version import running_code
from unlearn_core.store.queue import cpu_load
from unlearn_core.training import cpu_threads
from unlearn_core.worker import leftovers
from unlearn_core.worker.failures import Outcome, outcome_of
from unlearn_core.worker.listener import REPORT_INTERVAL, PipeListener


class ChildConfig(NamedTuple):
    """The settings of a child.

    `work_module` is a module with the functions of `engine/entry_point.py`. `threads` sets the threads of torch;
    None adapts them to the load when a job starts. `niceness` is added to that of the process.
    `preload` says which of the bundled data and models are loaded before the first run; for runs on points, one is made
    too, because the first takes two seconds longer.
    `memory_mb` are the MiB that its runs may use beyond what the process has then; None leaves it unlimited.
    """

    work_module: str
    device: str
    data_dir: Path
    threads: int | None
    preload: Literal["all", "points", "nothing"] = "all"
    niceness: int = 0
    memory_mb: int | None = None


class SharedValues(NamedTuple):
    """The memory that a child shares with its supervisor."""

    signals: MutableSequence[int]
    """What the supervisor asks for: `listener.PREEMPT`, and CANCEL for each run."""
    load: c_double
    """The load of other programs in cores, kept by the supervisor; nan while unknown."""
    pulse: c_ulong
    """Counted up by whatever its runs do that shows that they are alive."""
    longest_silence: c_double
    """The seconds that its present runs may show nothing, set by the child; nan where there is no forecast."""


def serve(pipe: Connection, shared: SharedValues, config: ChildConfig) -> None:
    """Execute the runs that come through the pipe until it closes; for each, send its index and Outcome.

    Each message is a list: one run, or several to train stacked. The first reply is a ChildReady.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the supervisor decides
    faulthandler.enable()
    _die_with_supervisor()
    leftovers.adopt_orphans()
    os.nice(config.niceness)
    work = None
    with suppress(Exception):  # the first run tries again and reports the error
        work = _warm_up(config)
        pipe.send(ChildReady(dict(work.stacks)))
    while True:
        try:
            runs: list[Run] = pipe.recv()
        except EOFError:
            return
        interval = REPORT_INTERVAL * len(runs)
        listeners = [
            PipeListener(pipe, shared.signals, shared.pulse, index=index, interval=interval)
            for index in range(len(runs))
        ]
        try:
            work = work or _warm_up(config)
        except Exception as problem:  # noqa: BLE001 (opening a device may raise anything, which the run must report)
            outcomes: Iterator[Outcome] = repeat(outcome_of(problem, config.data_dir, runs[0]), len(runs))
        else:
            shared.longest_silence.value = work.longest_silence(runs)
            outcomes = work.execute(runs, listeners, None if isnan(shared.load.value) else shared.load.value)
        for index, outcome in enumerate(outcomes):
            listeners[index].flush()
            if index == len(runs) - 1:
                leftovers.end_descendants()
            pipe.send((index, outcome))


class ChildReady(NamedTuple):
    """Sent once by a child that has warmed up: the hyperparameters by method that can differ in a stack."""

    stacks: dict[str, frozenset[str]]


class _Workload:
    """The work module with its device opened and the bundled data loaded."""

    def __init__(self, module: Any, config: ChildConfig) -> None:
        self._module, self._data_dir = module, config.data_dir
        self._adapts = config.threads is None and config.device == "cpu"
        self._model_cache = module.ModelCache(config.device, config.data_dir)
        self.stacks: StackableParams = module.stackable_params(config.device)
        with suppress(Exception):  # runs that need what cannot be loaded report it; others can still run
            if config.preload == "all":
                self._model_cache.prepare()
            elif config.preload == "points":
                module.prepare_points(self._model_cache)

    def execute(self, runs: list[Run], listeners: list[PipeListener], load: float | None) -> Iterator[Outcome]:
        """Yield the outcome of each run in order. If runs cannot be stacked, execute one and requeue the others.

        The number of threads follows the load of other programs at the start, and stays until the end.
        """
        if self._adapts and "torch" in sys.modules:
            cpu_threads.adapt(load, cpu_load.usable_cores())
        for run, outcome in zip(runs, self._execute(runs, listeners), strict=True):
            yield with_circumstances(outcome, run)

    def longest_silence(self, runs: list[Run]) -> float:
        """Return how many seconds these runs may show no sign of life by their forecasts; nan if one has none."""
        found = [self._module.longest_silence(run, self._model_cache) for run in runs]
        return nan if None in found else max(found)

    def _execute(self, runs: list[Run], listeners: list[PipeListener]) -> Iterator[Outcome]:
        if len(runs) == 1:
            yield self._execute_one(runs[0], listeners[0])
            return
        done = 0
        try:
            for result in self._module.execute_stacked(runs, self._model_cache, listeners):
                yield self._to_outcome(result, runs[done])
                done += 1
        except NotSupportedError as problem:  # such as a model with random layers, which only the engine detects
            yield self._execute_one(runs[done], listeners[done])
            yield from repeat(Outcome("preempted", reason=str(problem)), len(runs) - done - 1)
        except Exception as problem:  # noqa: BLE001 (a method may raise anything, such as for lack of memory:
            # the traceback is logged, and each run is restarted alone)
            yield from repeat(
                outcome_of(problem, self._data_dir, runs[done])._replace(state="crashed", restart_child=True),
                len(runs) - done,
            )

    def _execute_one(self, run: Run, listener: PipeListener) -> Outcome:
        try:
            return self._to_outcome(self._module.execute_job(run, self._model_cache, listener), run)
        except Exception as problem:  # noqa: BLE001 (a method may raise anything, which the run must report)
            return outcome_of(problem, self._data_dir, run)

    def _to_outcome(self, result: RunMetrics | Exception, run: Run) -> Outcome:
        if isinstance(result, Exception):
            return outcome_of(result, self._data_dir, run)
        return Outcome("done", metrics=RunMetrics.from_json(result.to_json()))


def with_circumstances(outcome: Outcome, run: Run) -> Outcome:
    """Return the outcome of a job with the threads and the code that it ran with."""
    torch = sys.modules.get("torch")
    if outcome.metrics is None or torch is None or run.spec.kind not in TIMED_KINDS:
        return outcome
    here = RunMetrics(threads=torch.get_num_threads(), code=running_code())
    return outcome._replace(metrics=outcome.metrics.updated(here))


def _warm_up(config: ChildConfig) -> _Workload:
    """Import the work module, open the device and load the bundled data."""
    module = importlib.import_module(config.work_module)
    running_code()
    torch = sys.modules.get("torch")
    if config.threads is not None and torch is not None:
        torch.set_num_threads(config.threads)
    work = _Workload(module, config)
    if config.memory_mb is not None:
        _limit_memory(config.memory_mb)
    return work


def _limit_memory(mebibytes: int) -> None:
    """Limit what this process may use beyond what it has now: then a run fails instead of the machine."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = now + (mebibytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _die_with_supervisor() -> None:
    """Make this process end when the supervisor dies, in any way and whatever this process is doing.

    A parent-death signal does not work: the parent is the forkserver, which outlives the supervisor while it has
    children. Only the supervisor holds the other end of this pipe.
    """
    supervisor = parent_process()
    assert supervisor is not None
    if hasattr(fcntl, "F_SETSIG"):  # Linux: the kernel kills it even while C code holds the GIL
        fcntl.fcntl(supervisor.sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(supervisor.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(supervisor.sentinel, fcntl.F_GETFL)
        fcntl.fcntl(supervisor.sentinel, fcntl.F_SETFL, flags | os.O_ASYNC)

    def watch() -> None:
        supervisor.join()
        os._exit(1)

    threading.Thread(target=watch, name="watch", daemon=True).start()
