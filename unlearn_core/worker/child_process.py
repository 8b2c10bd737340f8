"""One warm child process, seen from the supervisor, and the runs that it has in hand."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from unlearn_core.domain.errors import WorkerError
from unlearn_core.domain.run import Run
from unlearn_core.domain.stacking import ABREAST, Stacks
from unlearn_core.store.queue.run_store import Wish
from unlearn_core.worker.active_run import Hand
from unlearn_core.worker.child_main import Job, Ready, serve
from unlearn_core.worker.failures import Outcome
from unlearn_core.worker.listener import CANCEL, GIVE_WAY, RHYTHM, News

RUNS = 200
"""How many runs a child carries out before a fresh one takes its place: what leaks, leaks no further."""

REST = 1.0
"""Seconds between the start of a child that died idle and the next one's."""

CONTEXT = get_context("forkserver")


class Seat:
    """A place for one run, or one stack, at a time. It knows nothing of the store: the supervisor stands between."""

    def __init__(self, job: Job, kinds: frozenset[str], *, lasting: bool = True) -> None:
        """Of which `kinds` the runs are that it takes. A child starts with `fill`; a `lasting` one stays for more."""
        self.job, self.kinds, self.lasting = job, kinds, lasting
        self.hands: list[Hand] = []
        self.stacks: Stacks = {}
        """What the child can make side by side, as soon as it has said so."""
        self._process: ForkServerProcess | None = None
        self._pipe: Connection | None = None
        self._wishes = CONTEXT.RawArray("b", CANCEL + ABREAST)
        self._served, self._started, self._worn = 0, -REST, False

    def fill(self) -> None:
        """Starts a child where there is none; one that died without a run has its successor wait a moment."""
        if self._process is not None or time.monotonic() < self._started + REST:
            return
        self._started, self._served, self._worn = time.monotonic(), 0, False
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

    def give(self, runs: Sequence[Run]) -> None:
        """Hands one run, or several to be made side by side, to the child. `hear` finds out if it has just died."""
        assert self._pipe is not None
        self._wishes[:] = bytes(len(self._wishes))
        self.hands = [Hand(run, place, RHYTHM * len(runs)) for place, run in enumerate(runs)]
        self._served += len(runs)
        with suppress(OSError):
            self._pipe.send(list(runs))

    def wish(self, hand: Hand, wish: Wish) -> None:
        """Passes on what is wished of a run in hand."""
        self._wishes[GIVE_WAY] = wish.give_way
        if wish.cancel:
            self.stop(hand)

    def stop(self, hand: Hand) -> None:
        """Asks the child to stop a run in hand."""
        if hand.cancelled is None:
            self._wishes[CANCEL + hand.place], hand.cancelled = True, time.monotonic()

    def hear(self) -> Iterator[tuple[Hand, News]]:
        """What the child has told since the last time; its last word on a run becomes that one's `outcome`."""
        pipe, hands = self._pipe, {hand.place: hand for hand in self.hands}
        with suppress(EOFError, OSError):
            while pipe is not None and pipe.poll():
                message = pipe.recv()
                if isinstance(message, Ready):
                    self.stacks = message.stacks
                    continue
                place, said = message
                if isinstance(said, Outcome):
                    hands[place].outcome = said
                else:
                    yield hands[place], said

    def drop(self, hand: Hand) -> None:
        """Forgets a run in hand that is over. After the last one a child that has served its time makes room."""
        self.hands.remove(hand)
        self._worn |= hand.outcome is None or hand.outcome.renew
        if self.hands:
            return
        if self._worn or not self.lasting or self._served >= RUNS:
            self.clear()
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
        return self._process is not None and not self.hands

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
