"""Owns a device: claims runs, hands them to warm children, watches these, and answers for them to the store."""

import socket
import time
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import wait
from typing import NamedTuple, Protocol

from unlearn_core.domain.errors import Fenced, StoreError
from unlearn_core.store.processes import web_servers
from unlearn_core.store.runs import RunStore
from unlearn_core.worker import lock
from unlearn_core.worker.failures import Outcome, of_death
from unlearn_core.worker.listener import RHYTHM, News
from unlearn_core.worker.log import say, write_down
from unlearn_core.worker.runner import Job
from unlearn_core.worker.seat import Seat
from unlearn_core.worker.sweep import Conductor

RUNS, LOOKS = frozenset({"unlearn", "gold", "measure", "train", "add", "import"}), frozenset({"look"})

TICK = 0.1
"""Seconds that a new run waits at the most for an idle worker."""

ROUND = 1.0
"""Seconds between two rounds of everything that is not urgent."""


class Terms(NamedTuple):
    """How many seconds a worker waits: after a cancel before it kills, and idle without a web server before it goes."""

    grace: float = 2.0
    patience: float | None = None
    """None for a worker that somebody started by hand: it stays."""


class Asked(Protocol):
    """What signals have asked of this process: to `leave` when nothing is in hand, or to `stop` at once."""

    leave: bool
    stop: bool


class Supervisor:
    """One device's worker while it holds the lock: a seat for runs on the device, and one for looks on the CPU."""

    def __init__(
        self,
        device: str,
        store: RunStore,
        mine: lock.Lock,
        *,
        me: lock.Holder,
        asked: Asked,
        terms: Terms,
        work: str,
    ) -> None:
        self.device, self.store, self.lock, self.me, self.asked, self.terms = device, store, mine, me, asked, terms
        self.name = f"{socket.gethostname()} {device} {me.pid}"
        self.runner = Seat(Job(work, device, store.home, None), RUNS)
        # A look is answered while a run is in progress, and on a single thread so that the run hardly feels it.
        self.looker = Seat(Job(work, "cpu", store.home, 1), LOOKS)
        self.seats = (self.runner, self.looker)
        self.sweeps = Conductor(store, self.name)
        self._one_ended = False
        self._next_round = 0.0
        self._wanted = time.monotonic()
        self._trouble = ""

    def serve(self) -> None:
        """Works until there is a reason to go."""
        say(f"The worker on {self.device} (process {self.me.pid}) serves {self.store.home}.")
        try:
            self._start()
            while not (reason := self._reason_to_go()):
                self._turn()
                wait([sign for seat in self.seats for sign in seat.signs], TICK)
            say(f"The worker on {self.device} goes: {reason}.")
        finally:
            self._leave()

    def _start(self) -> None:
        """Starts the children. The forkserver imports torch first, which takes a while that people are told of."""
        with ThreadPoolExecutor(1) as pool:
            filling = pool.submit(lambda: [seat.fill() for seat in self.seats])
            while not filling.done():
                self._show("starting")
                futures.wait([filling], ROUND)
            filling.result()
        self._wanted = time.monotonic()

    def _reason_to_go(self) -> str:
        busy = any(seat.run for seat in self.seats)
        if not self.lock.is_there:
            return "its data folder is gone"
        if self.asked.stop:
            return "it was told to stop"
        if self.asked.leave and not busy:
            return "it was told to leave when idle"
        patience = self.terms.patience
        if patience is not None and not busy and time.monotonic() - self._wanted > patience:
            return f"it was idle for {patience / 60:g} minutes, and no web server is there"
        return ""

    def _turn(self) -> None:
        try:
            for seat in self.seats:
                seat.fill()
                self._attend(seat)
            due = time.monotonic() >= self._next_round
            if (due or self._one_ended) and not self.asked.leave:
                self._one_ended = False
                self.sweeps.turn()
            if due:
                self._next_round = time.monotonic() + ROUND
                self._go_round()
            for seat in self.seats:
                if seat.is_free and (not self.asked.leave or (seat is self.looker and self.runner.run)):
                    self._claim(seat)
            self._trouble = ""
        except StoreError as problem:  # a full disk, say: nothing is dropped, all of it is tried again
            if str(problem) != self._trouble:
                self._trouble = str(problem)
                say(self._trouble)

    def _claim(self, seat: Seat) -> None:
        run = self.store.claim(self.name, device=seat.job.device, kinds=set(seat.kinds))
        if run is not None:
            seat.give(run)
            self._tell_lock()

    def _attend(self, seat: Seat) -> None:
        """Passes on what the child of a busy seat says, and sees to its end."""
        dead = seat.is_dead  # asked before its last words are heard, so that none is missed
        if seat.run is None:
            if dead:
                say(f"The idle process on {seat.job.device} died (exit code {seat.clear()}); another takes its place.")
            return
        try:
            for news in seat.hear():
                self._beat(seat, news)
            if seat.outcome is None and not dead and time.monotonic() - seat.heard >= RHYTHM:
                self._beat(seat, News(None, ()))
            overdue = seat.cancelled is not None and time.monotonic() - seat.cancelled > self.terms.grace
            if seat.outcome is None and (dead or overdue):
                code = seat.clear()
                seat.outcome = Outcome("cancelled") if seat.cancelled else Outcome("died", reason=of_death(code))
            if seat.outcome is not None:
                self._conclude(seat, seat.outcome)
        except Fenced as problem:
            say(str(problem))
            seat.outcome = None
            seat.done()

    def _beat(self, seat: Seat, news: News) -> None:
        assert seat.run is not None
        run, seat.heard = seat.run, time.monotonic()
        seat.wish(self.store.beat(run.id, run.attempt, progress=news.progress, points=news.points))
        self.sweeps.watch(run, news.points)

    def _conclude(self, seat: Seat, outcome: Outcome) -> None:
        assert seat.run is not None
        run, attempt = seat.run.id, seat.run.attempt
        match outcome.state:
            case "done":
                self.store.finish(run, attempt, headline=outcome.headline or {})
            case "failed":
                self.store.fail(run, attempt, outcome.reason)
            case "cancelled":
                self.store.cancelled(run, attempt)
            case "gave way":
                self.store.requeue(run, attempt)
            case "died":
                self.store.lost(run, attempt, outcome.reason)
        if outcome.account:
            write_down(self.store.home, f"Run {run} stopped at this:\n{outcome.account}")
        seat.done()
        self._one_ended = True
        self._tell_lock()
        row = self.store.get(run)
        say(f"Run {run} ({row.title}) {outcome.state}: it is {row.state}. {row.error or ''}".rstrip())

    def _go_round(self) -> None:
        busy = any(seat.run for seat in self.seats)
        self._show("leaving" if self.asked.leave else "busy" if busy else "idle")
        for run in self.store.settle():
            say(f"Run {run} was left by the worker that had it.")
        if busy or web_servers(self.store.home):
            self._wanted = time.monotonic()

    def _leave(self) -> None:
        """Ends the children, gives back what they had in hand, and takes the worker off the list."""
        for seat in self.seats:
            for _ in seat.hear():
                pass
            seat.clear()
            if seat.run is not None and self.lock.is_there:
                with suppress(StoreError, Fenced):
                    self._conclude(seat, seat.outcome or Outcome("gave way"))
        if self.lock.is_there:
            with suppress(StoreError):
                self.store.sweeps.let_go(self.name)
                self.store.worker_left(self.name)

    def _show(self, state: str) -> None:
        self.store.worker_beat(self.name, device=self.device, pid=self.me.pid, code=self.me.code, state=state)

    def _tell_lock(self) -> None:
        with suppress(OSError):
            self.lock.tell(self.me._replace(run=self.runner.run.id if self.runner.run else None))
