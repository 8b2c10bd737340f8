"""One warm child process, seen from the supervisor, and the runs that it has in hand."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from unlearn_core.domain.errors import WorkerError
from unlearn_core.domain.run import Run
from unlearn_core.domain.stacking import MAX_STACK, StackableParams
from unlearn_core.store.queue.run_store import ControlSignal
from unlearn_core.worker.active_run import ActiveRun
from unlearn_core.worker.child_main import ChildConfig, ChildReady, serve
from unlearn_core.worker.failures import Outcome
from unlearn_core.worker.listener import CANCEL, PREEMPT, REPORT_INTERVAL, ProgressUpdate

MAX_RUNS_PER_CHILD = 200
"""How many runs a child carries out before a fresh one takes its place: what leaks, leaks no further."""

RESTART_DELAY = 1.0
"""Seconds between the start of a child that died idle and the next one's."""

CONTEXT = get_context("forkserver")


class ChildProcess:
    """A place for one run, or one stack, at a time. It knows nothing of the store: the supervisor stands between."""

    def __init__(self, config: ChildConfig, kinds: frozenset[str], *, persistent: bool = True) -> None:
        """Of which `kinds` the runs are that it takes. A child starts with `fill`; a `lasting` one stays for more."""
        self.config, self.kinds, self.persistent = config, kinds, persistent
        self.active_runs: list[ActiveRun] = []
        self.stacks: StackableParams = {}
        """What the child can make side by side, as soon as it has said so."""
        self._process: ForkServerProcess | None = None
        self._pipe: Connection | None = None
        self._signals = CONTEXT.RawArray("b", CANCEL + MAX_STACK)
        self._dispatched, self._started, self._retire = 0, -RESTART_DELAY, False

    def start(self) -> None:
        """Starts a child where there is none; one that died without a run has its successor wait a moment."""
        if self._process is not None or time.monotonic() < self._started + RESTART_DELAY:
            return
        self._started, self._dispatched, self._retire = time.monotonic(), 0, False
        self._pipe, other = CONTEXT.Pipe()
        process = CONTEXT.Process(target=serve, args=(other, self._signals, self.config), daemon=True)
        try:
            process.start()
        except (EOFError, OSError) as problem:
            raise WorkerError(
                f"No process for the work can be started ({type(problem).__name__}): see what is written above."
            ) from problem
        other.close()
        self._process = process

    def dispatch(self, runs: Sequence[Run]) -> None:
        """Hands one run, or several to be made side by side, to the child. `hear` finds out if it has just died."""
        assert self._pipe is not None
        self._signals[:] = bytes(len(self._signals))
        self.active_runs = [ActiveRun(run, place, REPORT_INTERVAL * len(runs)) for place, run in enumerate(runs)]
        self._dispatched += len(runs)
        with suppress(OSError):
            self._pipe.send(list(runs))

    def forward(self, active_run: ActiveRun, signal: ControlSignal) -> None:
        """Passes on what is wished of a run in hand."""
        self._signals[PREEMPT] = signal.preempt
        if signal.cancel:
            self.cancel(active_run)

    def cancel(self, active_run: ActiveRun) -> None:
        """Asks the child to stop a run in hand."""
        if active_run.cancelled_at is None:
            self._signals[CANCEL + active_run.index], active_run.cancelled_at = True, time.monotonic()

    def poll(self) -> Iterator[tuple[ActiveRun, ProgressUpdate]]:
        """What the child has told since the last time; its last word on a run becomes that one's `outcome`."""
        pipe, hands = self._pipe, {hand.index: hand for hand in self.active_runs}
        with suppress(EOFError, OSError):
            while pipe is not None and pipe.poll():
                message = pipe.recv()
                if isinstance(message, ChildReady):
                    self.stacks = message.stacks
                    continue
                place, said = message
                if isinstance(said, Outcome):
                    hands[place].outcome = said
                else:
                    yield hands[place], said

    def release(self, active_run: ActiveRun) -> None:
        """Forgets a run in hand that is over. After the last one a child that has served its time makes room."""
        self.active_runs.remove(active_run)
        self._retire |= active_run.outcome is None or active_run.outcome.restart_child
        if self.active_runs:
            return
        if self._retire or not self.persistent or self._dispatched >= MAX_RUNS_PER_CHILD:
            self.kill()
        self._started = -RESTART_DELAY  # if the child is gone, then a run was at fault: nothing to wait for

    def kill(self) -> int | None:
        """Ends the child, however busy it is; gives its exit code."""
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if process is None or pipe is None:
            return None
        with suppress(OSError):
            process.kill()
        process.join()
        pipe.close()
        return process.exitcode

    @property
    def is_free(self) -> bool:
        """Whether a child is there that has nothing to do."""
        return self._process is not None and not self.active_runs

    @property
    def is_dead(self) -> bool:
        """Whether the child has died."""
        return self._process is not None and not self._process.is_alive()

    @property
    def waitables(self) -> list[Connection | int]:
        """What becomes readable when the child speaks or dies."""
        if self._process is None or self._pipe is None:
            return []
        return [self._pipe, self._process.sentinel]
