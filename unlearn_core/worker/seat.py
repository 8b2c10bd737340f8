"""One warm child process, seen from the supervisor, and the run that it has in hand."""

import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from unlearn_core.domain.errors import WorkerError
from unlearn_core.domain.run import Run
from unlearn_core.store.runs import Wish
from unlearn_core.worker.failures import Outcome
from unlearn_core.worker.listener import CANCEL, GIVE_WAY, News
from unlearn_core.worker.runner import Job, serve

RUNS = 200
"""How many runs a child carries out before a fresh one takes its place: what leaks, leaks no further."""

REST = 1.0
"""Seconds between the start of a child that died idle and the next one's."""

CONTEXT = get_context("forkserver")


class Seat:
    """A place for one run at a time. It knows nothing of the store: the supervisor stands between them."""

    def __init__(self, job: Job, kinds: frozenset[str]) -> None:
        """Of which `kinds` the runs are that it takes. The child starts with `fill`."""
        self.job, self.kinds = job, kinds
        self.run: Run | None = None
        self.outcome: Outcome | None = None
        """How the run in hand ended, until the store knows."""
        self.heard = 0.0
        """When the store last heard that the run in hand is alive."""
        self.cancelled: float | None = None
        """When the child was asked to stop the run in hand."""
        self._process: ForkServerProcess | None = None
        self._pipe: Connection | None = None
        self._wishes = CONTEXT.RawArray("b", 2)
        self._served, self._started = 0, -REST

    def fill(self) -> None:
        """Starts a child where there is none; one that died without a run has its successor wait a moment."""
        if self._process is not None or time.monotonic() < self._started + REST:
            return
        self._started, self._served = time.monotonic(), 0
        self._pipe, other = CONTEXT.Pipe()
        process = CONTEXT.Process(target=serve, args=(other, self._wishes, self.job), daemon=True)
        try:
            process.start()
        except (EOFError, OSError) as problem:
            raise WorkerError(
                f"No process for the work can be started ({type(problem).__name__}): see what is written above."
            ) from problem
        other.close()
        self._process = process

    def give(self, run: Run) -> None:
        """Hands a run to the child. A child that died this very moment is found out by `hear`."""
        assert self._pipe is not None
        self._wishes[CANCEL] = self._wishes[GIVE_WAY] = False
        self.run, self.outcome, self.cancelled, self.heard = run, None, None, time.monotonic()
        self._served += 1
        with suppress(OSError):
            self._pipe.send(run)

    def wish(self, wish: Wish) -> None:
        """Passes on what is wished of the run in hand."""
        self._wishes[GIVE_WAY] = wish.give_way
        if wish.cancel and self.cancelled is None:
            self._wishes[CANCEL], self.cancelled = True, time.monotonic()

    def hear(self) -> Iterator[News]:
        """What the child has told since the last time; its last word becomes `outcome`."""
        pipe = self._pipe
        with suppress(EOFError, OSError):
            while pipe is not None and pipe.poll():
                message = pipe.recv()
                if isinstance(message, Outcome):
                    self.outcome = message
                else:
                    yield message

    def done(self) -> None:
        """Forgets the run in hand, whose end the store knows; a child that has served its time makes room."""
        if self.outcome is None or self.outcome.renew or self._served >= RUNS:
            self.clear()
        self.run = self.outcome = self.cancelled = None
        self._started = -REST  # if the child is gone, then a run was at fault: nothing to wait for

    def clear(self) -> int | None:
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
        return self._process is not None and self.run is None

    @property
    def is_dead(self) -> bool:
        """Whether the child has died."""
        return self._process is not None and not self._process.is_alive()

    @property
    def signs(self) -> list[Connection | int]:
        """What becomes readable when the child speaks or dies."""
        if self._process is None or self._pipe is None:
            return []
        return [self._pipe, self._process.sentinel]
