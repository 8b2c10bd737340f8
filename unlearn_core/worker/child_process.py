"""ChildProcess, the supervisor's side of one warm child process and its active runs."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import isnan, nan
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from unlearn_core.domain.errors import WorkerError
from unlearn_core.domain.run import Run, Silence
from unlearn_core.domain.stacking import MAX_STACK, StackableParams
from unlearn_core.store.queue.lease import ControlSignal
from unlearn_core.worker import leftovers
from unlearn_core.worker.active_run import ActiveRun
from unlearn_core.worker.child_main import ChildConfig, ChildReady, SharedValues, serve
from unlearn_core.worker.failures import Outcome
from unlearn_core.worker.listener import CANCEL, PREEMPT, REPORT_INTERVAL, ProgressUpdate

MAX_RUNS_PER_CHILD = 200
"""Runs after which a child is replaced, which limits memory leaks."""

NO_FORECAST = 6
"""How many times as long a run may show no sign of life if there is no forecast for it."""

RESTART_DELAY = 1.0
"""Seconds between the start of a child that died idle and the start of the next."""

CONTEXT = get_context("forkserver")


class ChildProcess:
    """A child that executes one run or stack at a time; only the supervisor talks to the store."""

    def __init__(self, config: ChildConfig, kinds: frozenset[str], *, persistent: bool = True) -> None:
        """`kinds` are the kinds of run that it executes; `start` starts it, and a `persistent` one stays for more."""
        self.config, self.kinds, self.persistent = config, kinds, persistent
        self.active_runs: list[ActiveRun] = []
        self.stacks: StackableParams = {}
        """The hyperparameters that can differ in a stack, by method, once the child has reported them."""
        self._process: ForkServerProcess | None = None
        self._pipe: Connection | None = None
        self._shared = SharedValues(
            CONTEXT.RawArray("b", CANCEL + MAX_STACK),
            load=CONTEXT.RawValue("d", nan),
            pulse=CONTEXT.RawValue("L", 0),
            longest_silence=CONTEXT.RawValue("d", nan),
        )
        self._last_pulse, self._last_sign = 0, time.monotonic()
        self._dispatched, self._started, self._retire = 0, -RESTART_DELAY, False

    def start(self) -> None:
        """Start the child if there is none; after one that died idle, wait a moment."""
        if self._process is not None or time.monotonic() < self._started + RESTART_DELAY:
            return
        self._started, self._dispatched, self._retire = time.monotonic(), 0, False
        self._pipe, child_end = CONTEXT.Pipe()
        process = CONTEXT.Process(target=serve, args=(child_end, self._shared, self.config), daemon=True)
        try:
            process.start()
        except (EOFError, OSError) as problem:
            raise WorkerError(
                f"Cannot start a child process ({type(problem).__name__}): see the output above."
            ) from problem
        child_end.close()
        self._process = process

    def dispatch(self, runs: Sequence[Run]) -> None:
        """Send one run, or several to train stacked, to the child. `is_dead` tells if it has just died."""
        assert self._pipe is not None
        self._shared.signals[:] = bytes(len(self._shared.signals))
        self._shared.longest_silence.value, self._last_sign = nan, time.monotonic()
        self.active_runs = [ActiveRun(run, index, REPORT_INTERVAL * len(runs)) for index, run in enumerate(runs)]
        self._dispatched += len(runs)
        with suppress(OSError):
            self._pipe.send(list(runs))

    def set_load(self, load: float | None) -> None:
        """Tell the child the load of other programs in cores, None if unknown, for the next job that it starts."""
        self._shared.load.value = nan if load is None else load

    def forward(self, active_run: ActiveRun, signal: ControlSignal) -> None:
        """Forward a control signal to an active run."""
        self._shared.signals[PREEMPT] = signal.preempt
        if signal.cancel:
            self.cancel(active_run)

    def cancel(self, active_run: ActiveRun) -> None:
        """Tell the child to stop an active run."""
        if active_run.cancelled_at is None:
            self._shared.signals[CANCEL + active_run.index], active_run.cancelled_at = True, time.monotonic()

    def poll(self) -> Iterator[tuple[ActiveRun, ProgressUpdate]]:
        """Yield the progress updates since the last call; the last message of a run becomes its `outcome`."""
        pipe, by_index = self._pipe, {active_run.index: active_run for active_run in self.active_runs}
        with suppress(EOFError, OSError):
            while pipe is not None and pipe.poll():
                message = pipe.recv()
                if isinstance(message, ChildReady):
                    self.stacks = message.stacks
                    continue
                index, content = message
                if isinstance(content, Outcome):
                    by_index[index].outcome = content
                else:
                    yield by_index[index], content

    def silence(self, usual: float) -> Silence:
        """Return how long its runs have shown no sign of life, and how long they may.

        That is at least the `usual` seconds, longer by the forecast, and NO_FORECAST times as long if there is none.
        """
        pulse, now = self._shared.pulse.value, time.monotonic()
        if pulse != self._last_pulse:
            self._last_pulse, self._last_sign = pulse, now
        by_forecast = self._shared.longest_silence.value
        return Silence(now - self._last_sign, NO_FORECAST * usual if isnan(by_forecast) else max(usual, by_forecast))

    def release(self, active_run: ActiveRun) -> None:
        """Remove a finished run. After the last one, end a child that has reached its limit."""
        self.active_runs.remove(active_run)
        self._retire |= active_run.outcome is None or active_run.outcome.restart_child
        if self.active_runs:
            return
        if self._retire or not self.persistent or self._dispatched >= MAX_RUNS_PER_CHILD:
            self.kill()
        self._started = -RESTART_DELAY  # if the child is gone, a run was the cause: restart without delay

    def kill(self) -> int | None:
        """Kill the child, even if busy, and return its exit code."""
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if process is None or pipe is None:
            return None
        with suppress(OSError):
            process.kill()
        process.join()
        pipe.close()
        leftovers.end_orphans()
        return process.exitcode

    @property
    def pid(self) -> int | None:
        """The id of the child's process; None if there is none."""
        return None if self._process is None else self._process.pid

    @property
    def is_free(self) -> bool:
        """Whether the child is started and idle."""
        return self._process is not None and not self.active_runs

    @property
    def is_dead(self) -> bool:
        """Whether the child has died."""
        return self._process is not None and not self._process.is_alive()

    @property
    def waitables(self) -> list[Connection | int]:
        """The objects that become readable when the child sends a message or dies."""
        if self._process is None or self._pipe is None:
            return []
        return [self._pipe, self._process.sentinel]
