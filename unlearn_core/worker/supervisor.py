"""Owns a device: claims runs, hands them to warm children, watches these, and answers for them to the store."""

import socket
import time
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import wait
from typing import NamedTuple, Protocol

from unlearn_core.domain.errors import LeaseLostError, StoreError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import Run
from unlearn_core.domain.stacking import MAX_STACK, why_specs_not_stackable
from unlearn_core.store.queue.processes import web_servers
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker import device_lock
from unlearn_core.worker.active_run import ActiveRun, outcome_of_crash, report_outcome
from unlearn_core.worker.child_main import ChildConfig
from unlearn_core.worker.child_process import ChildProcess
from unlearn_core.worker.failures import Outcome
from unlearn_core.worker.listener import ProgressUpdate
from unlearn_core.worker.logging import append_to_log, log_line
from unlearn_core.worker.sweep_scheduler import SweepScheduler

RUN_KINDS = frozenset({"unlearn", "gold", "measure", "train", "add"})
EXPLAIN_KINDS, IMPORT_KINDS = frozenset({"look"}), frozenset({"import"})

POLL_SECONDS = 0.1
"""Seconds that a new run waits at the most for an idle worker."""

HOUSEKEEPING_SECONDS = 1.0
"""Seconds between two rounds of everything that is not urgent."""


class WorkerTimeouts(NamedTuple):
    """How many seconds a worker waits: after a cancel before it kills, and idle without a web server before it goes."""

    cancel_grace: float = 2.0
    idle_timeout: float | None = None
    """None for a worker that somebody started by hand: it stays."""


class ShutdownRequest(Protocol):
    """What signals have asked of this process: to `leave` when nothing is in hand, or to `stop` at once."""

    leave: bool
    stop: bool


class Supervisor:
    """One device's worker while it holds the lock: a seat for runs on the device; on the CPU for looks and imports."""

    def __init__(
        self,
        device: str,
        store: RunStore,
        held_lock: device_lock.DeviceLock,
        *,
        info: device_lock.LockInfo,
        shutdown: ShutdownRequest,
        timeouts: WorkerTimeouts,
        work_module: str,
    ) -> None:
        self.device, self.store, self.lock, self.info, self.shutdown, self.timeouts = (
            device,
            store,
            held_lock,
            info,
            shutdown,
            timeouts,
        )
        self.name = f"{socket.gethostname()} {device} {info.pid}"
        self.run_child = ChildProcess(ChildConfig(work_module, device, store.data_dir, None), RUN_KINDS)
        # A look is answered while a run is in progress, and on a single thread so that the run hardly feels it.
        self.explain_child = ChildProcess(ChildConfig(work_module, "cpu", store.data_dir, 1), EXPLAIN_KINDS)
        # Downloads and pictures keep no device busy, and may take an hour: nobody's run waits behind them.
        self.import_child = ChildProcess(
            ChildConfig(work_module, "cpu", store.data_dir, 1, preload=False), IMPORT_KINDS, persistent=False
        )
        self.children = (self.run_child, self.explain_child, self.import_child)
        self.sweep_scheduler = SweepScheduler(store, self.name)
        self._one_ended = False
        self._next_round = 0.0
        self._wanted = time.monotonic()
        self._trouble = ""

    def serve(self) -> None:
        """Works until there is a reason to go."""
        log_line(f"The worker on {self.device} (process {self.info.pid}) serves {self.store.data_dir}.")
        try:
            self._start()
            while not (reason := self._reason_to_go()):
                self._tick()
                wait([sign for seat in self.children for sign in seat.waitables], POLL_SECONDS)
            log_line(f"The worker on {self.device} goes: {reason}.")
        finally:
            self._shutdown()

    def _start(self) -> None:
        """Starts the children. The forkserver imports torch first, which takes a while that people are told of."""
        with ThreadPoolExecutor(1) as pool:
            filling = pool.submit(lambda: [seat.start() for seat in self.children if seat.persistent])
            while not filling.done():
                self._publish("starting")
                futures.wait([filling], HOUSEKEEPING_SECONDS)
            filling.result()
        self._wanted = time.monotonic()

    def _reason_to_go(self) -> str:
        busy = any(seat.active_runs for seat in self.children)
        if not self.lock.is_valid:
            return "its data folder is gone"
        if self.shutdown.stop:
            return "it was told to stop"
        if self.shutdown.leave and not busy:
            return "it was told to leave when idle"
        patience = self.timeouts.idle_timeout
        if patience is not None and not busy and time.monotonic() - self._wanted > patience:
            return f"it was idle for {patience / 60:g} minutes, and no web server is there"
        return ""

    def _tick(self) -> None:
        try:
            for seat in self.children:
                if seat.persistent or self.store.has_queued(seat.kinds):
                    seat.start()
                self._poll_child(seat)
            due = time.monotonic() >= self._next_round
            if (due or self._one_ended) and not self.shutdown.leave:
                self._one_ended = False
                self.sweep_scheduler.schedule(self.run_child.stacks)
            if due:
                self._next_round = time.monotonic() + HOUSEKEEPING_SECONDS
                self._housekeeping()
            for seat in self.children:
                if seat.is_free and (
                    not self.shutdown.leave or (seat is self.explain_child and self.run_child.active_runs)
                ):
                    self._claim(seat)
            self._trouble = ""
        except StoreError as problem:  # a full disk, say: nothing is dropped, all of it is tried again
            if str(problem) != self._trouble:
                self._trouble = str(problem)
                log_line(self._trouble)

    def _claim(self, child: ChildProcess) -> None:
        run = self.store.claim(self.name, device=child.config.device, kinds=set(child.kinds))
        if run is not None:
            child.dispatch([run, *self._groupable(child, run)])
            self._update_lock()

    def _groupable(self, child: ChildProcess, run: Run) -> list[Run]:
        """More runs of this run's group, which the seat's child can make side by side with it."""

        def alike(other: UnlearnSpec) -> bool:
            return why_specs_not_stackable([run.spec, other], child.stacks) is None

        if run.group is None or not isinstance(run.spec, UnlearnSpec) or run.spec.method not in child.stacks:
            return []
        return self.store.claim_group(
            run, self.name, device=child.config.device, is_compatible=alike, limit=MAX_STACK - 1
        )

    def _poll_child(self, child: ChildProcess) -> None:
        """Passes on what the child of a busy seat says, and sees to the end of what it has in hand."""
        dead = child.is_dead  # asked before its last words are heard, so that none is missed
        for hand, news in child.poll():
            self._heartbeat(child, hand, news)
        if not child.active_runs:
            if dead:
                log_line(
                    f"The idle process on {child.config.device} died (exit code {child.kill()}); another takes its place."
                )
            return
        late = [
            hand.cancelled_at for hand in child.active_runs if hand.outcome is None and hand.cancelled_at is not None
        ]
        # Of a stack, the runs before this one may be in the middle of their evaluation.
        overdue = any(time.monotonic() - since > self.timeouts.cancel_grace * len(child.active_runs) for since in late)
        code = child.kill() if dead or overdue else None
        for hand in list(child.active_runs):
            if hand.outcome is None and (dead or overdue):
                hand.outcome = outcome_of_crash(hand, dead=dead, code=code)
            if hand.outcome is not None:
                self._finalize(child, hand, hand.outcome)
            elif time.monotonic() - hand.last_heartbeat >= hand.report_interval:
                self._heartbeat(child, hand, ProgressUpdate(None, ()))

    def _heartbeat(self, child: ChildProcess, active_run: ActiveRun, update: ProgressUpdate) -> None:
        if not active_run.is_owned:
            return
        run, active_run.last_heartbeat = active_run.run, time.monotonic()
        try:
            child.forward(
                active_run, self.store.heartbeat(run.id, run.attempt, progress=update.progress, points=update.points)
            )
        except LeaseLostError as problem:
            log_line(str(problem))
            active_run.is_owned = False
            child.cancel(active_run)
        else:
            self.sweep_scheduler.prune_if_hopeless(run, update.points)

    def _finalize(self, child: ChildProcess, active_run: ActiveRun, outcome: Outcome) -> None:
        """Tells the store how a run in hand ended, and forgets it; where the store does not listen now, it is kept."""
        run = active_run.run.id
        if active_run.is_owned:
            try:
                report_outcome(self.store, active_run.run, outcome)
            except LeaseLostError as problem:
                log_line(str(problem))
                active_run.is_owned = False
        if outcome.traceback:
            append_to_log(self.store.data_dir, f"Run {run} stopped at this:\n{outcome.traceback}")
        child.release(active_run)
        self._one_ended = True
        self._update_lock()
        if active_run.is_owned:
            row = self.store.get(run)
            log_line(
                f"Run {run} ({row.title}) {outcome.state}: it is {row.state}. {row.error or outcome.reason}".rstrip()
            )

    def _housekeeping(self) -> None:
        busy = any(seat.active_runs for seat in self.children)
        self._publish("leaving" if self.shutdown.leave else "busy" if busy else "idle")
        for run in self.store.expire_leases():
            log_line(f"Run {run} was left by the worker that had it.")
        if busy or web_servers(self.store.data_dir):
            self._wanted = time.monotonic()

    def _shutdown(self) -> None:
        """Ends the children, gives back what they had in hand, and takes the worker off the list."""
        for seat in self.children:
            for _ in seat.poll():
                pass
            seat.kill()
            for hand in list(seat.active_runs):
                if self.lock.is_valid:
                    with suppress(StoreError):
                        self._finalize(seat, hand, hand.outcome or Outcome("gave way"))
        if self.lock.is_valid:
            with suppress(StoreError):
                self.store.sweeps.release_leases(self.name)
                self.store.deregister_worker(self.name)

    def _publish(self, state: str) -> None:
        self.store.worker_heartbeat(self.name, device=self.device, pid=self.info.pid, code=self.info.code, state=state)

    def _update_lock(self) -> None:
        with suppress(OSError):
            self.lock.write_info(
                self.info._replace(run=self.run_child.active_runs[0].run.id if self.run_child.active_runs else None)
            )
