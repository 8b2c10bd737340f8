"""Owns a device: claims runs, hands them to warm children, watches these, and answers for them to the store."""

import socket
import time
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import wait
from typing import NamedTuple, Protocol

from unlearn_core.domain.errors import Fenced, StoreError
from unlearn_core.domain.jobs import RunSpec
from unlearn_core.domain.run import Run
from unlearn_core.domain.stacking import ABREAST, unlike
from unlearn_core.store.queue.processes import web_servers
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker import device_lock
from unlearn_core.worker.active_run import Hand, of_lost, tell
from unlearn_core.worker.child_main import Job
from unlearn_core.worker.child_process import Seat
from unlearn_core.worker.failures import Outcome
from unlearn_core.worker.listener import News
from unlearn_core.worker.logging import say, write_down
from unlearn_core.worker.sweep_scheduler import Conductor

RUNS = frozenset({"unlearn", "gold", "measure", "train", "add"})
LOOKS, IMPORTS = frozenset({"look"}), frozenset({"import"})

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
    """One device's worker while it holds the lock: a seat for runs on the device; on the CPU for looks and imports."""

    def __init__(
        self,
        device: str,
        store: RunStore,
        mine: device_lock.Lock,
        *,
        me: device_lock.Holder,
        asked: Asked,
        terms: Terms,
        work: str,
    ) -> None:
        self.device, self.store, self.lock, self.me, self.asked, self.terms = device, store, mine, me, asked, terms
        self.name = f"{socket.gethostname()} {device} {me.pid}"
        self.runner = Seat(Job(work, device, store.home, None), RUNS)
        # A look is answered while a run is in progress, and on a single thread so that the run hardly feels it.
        self.looker = Seat(Job(work, "cpu", store.home, 1), LOOKS)
        # Downloads and pictures keep no device busy, and may take an hour: nobody's run waits behind them.
        self.intake = Seat(Job(work, "cpu", store.home, 1, ahead=False), IMPORTS, lasting=False)
        self.seats = (self.runner, self.looker, self.intake)
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
            filling = pool.submit(lambda: [seat.fill() for seat in self.seats if seat.lasting])
            while not filling.done():
                self._show("starting")
                futures.wait([filling], ROUND)
            filling.result()
        self._wanted = time.monotonic()

    def _reason_to_go(self) -> str:
        busy = any(seat.hands for seat in self.seats)
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
                if seat.lasting or self.store.waits(seat.kinds):
                    seat.fill()
                self._attend(seat)
            due = time.monotonic() >= self._next_round
            if (due or self._one_ended) and not self.asked.leave:
                self._one_ended = False
                self.sweeps.turn(self.runner.stacks)
            if due:
                self._next_round = time.monotonic() + ROUND
                self._go_round()
            for seat in self.seats:
                if seat.is_free and (not self.asked.leave or (seat is self.looker and self.runner.hands)):
                    self._claim(seat)
            self._trouble = ""
        except StoreError as problem:  # a full disk, say: nothing is dropped, all of it is tried again
            if str(problem) != self._trouble:
                self._trouble = str(problem)
                say(self._trouble)

    def _claim(self, seat: Seat) -> None:
        run = self.store.claim(self.name, device=seat.job.device, kinds=set(seat.kinds))
        if run is not None:
            seat.give([run, *self._mates(seat, run)])
            self._tell_lock()

    def _mates(self, seat: Seat, run: Run) -> list[Run]:
        """More runs of this run's group, which the seat's child can make side by side with it."""

        def alike(other: RunSpec) -> bool:
            return unlike([run.spec, other], seat.stacks) is None

        if run.group is None or not isinstance(run.spec, RunSpec) or run.spec.method not in seat.stacks:
            return []
        return self.store.claim_mates(run, self.name, device=seat.job.device, alike=alike, most=ABREAST - 1)

    def _attend(self, seat: Seat) -> None:
        """Passes on what the child of a busy seat says, and sees to the end of what it has in hand."""
        dead = seat.is_dead  # asked before its last words are heard, so that none is missed
        for hand, news in seat.hear():
            self._beat(seat, hand, news)
        if not seat.hands:
            if dead:
                say(f"The idle process on {seat.job.device} died (exit code {seat.clear()}); another takes its place.")
            return
        late = [hand.cancelled for hand in seat.hands if hand.outcome is None and hand.cancelled is not None]
        # Of a stack, the runs before this one may be in the middle of their evaluation.
        overdue = any(time.monotonic() - since > self.terms.grace * len(seat.hands) for since in late)
        code = seat.clear() if dead or overdue else None
        for hand in list(seat.hands):
            if hand.outcome is None and (dead or overdue):
                hand.outcome = of_lost(hand, dead=dead, code=code)
            if hand.outcome is not None:
                self._conclude(seat, hand, hand.outcome)
            elif time.monotonic() - hand.heard >= hand.rhythm:
                self._beat(seat, hand, News(None, ()))

    def _beat(self, seat: Seat, hand: Hand, news: News) -> None:
        if not hand.ours:
            return
        run, hand.heard = hand.run, time.monotonic()
        try:
            seat.wish(hand, self.store.beat(run.id, run.attempt, progress=news.progress, points=news.points))
        except Fenced as problem:
            say(str(problem))
            hand.ours = False
            seat.stop(hand)
        else:
            self.sweeps.watch(run, news.points)

    def _conclude(self, seat: Seat, hand: Hand, outcome: Outcome) -> None:
        """Tells the store how a run in hand ended, and forgets it; where the store does not listen now, it is kept."""
        run = hand.run.id
        if hand.ours:
            try:
                tell(self.store, hand.run, outcome)
            except Fenced as problem:
                say(str(problem))
                hand.ours = False
        if outcome.account:
            write_down(self.store.home, f"Run {run} stopped at this:\n{outcome.account}")
        seat.drop(hand)
        self._one_ended = True
        self._tell_lock()
        if hand.ours:
            row = self.store.get(run)
            say(f"Run {run} ({row.title}) {outcome.state}: it is {row.state}. {row.error or outcome.reason}".rstrip())

    def _go_round(self) -> None:
        busy = any(seat.hands for seat in self.seats)
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
            for hand in list(seat.hands):
                if self.lock.is_there:
                    with suppress(StoreError):
                        self._conclude(seat, hand, hand.outcome or Outcome("gave way"))
        if self.lock.is_there:
            with suppress(StoreError):
                self.store.sweeps.let_go(self.name)
                self.store.worker_left(self.name)

    def _show(self, state: str) -> None:
        self.store.worker_beat(self.name, device=self.device, pid=self.me.pid, code=self.me.code, state=state)

    def _tell_lock(self) -> None:
        with suppress(OSError):
            self.lock.tell(self.me._replace(run=self.runner.hands[0].run.id if self.runner.hands else None))
