"""The supervisor of one device: claims its runs, hands them to child processes and reports their outcomes."""

import logging
import socket
import threading
import time
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import wait
from typing import NamedTuple, Protocol

from unlearn_core.data.atomic_files import ABANDONED_SECONDS, remove_abandoned
from unlearn_core.domain.errors import LeaseLostError, StoreError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import Run
from unlearn_core.domain.stacking import MAX_STACK, why_specs_not_stackable
from unlearn_core.store.data_folder import storage_problem
from unlearn_core.store.queue import cpu_load
from unlearn_core.store.queue.processes import web_servers
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker import device_lock
from unlearn_core.worker.active_run import ActiveRun, outcome_of_crash, outcome_of_kill, report_outcome
from unlearn_core.worker.child_main import ChildConfig
from unlearn_core.worker.child_process import ChildProcess
from unlearn_core.worker.failures import Outcome
from unlearn_core.worker.housekeeping_rounds import HousekeepingRounds
from unlearn_core.worker.listener import ProgressUpdate
from unlearn_core.worker.sweep_scheduler import SweepScheduler

RUN_KINDS = frozenset({"unlearn", "gold", "measure", "train", "add", "features"})
EXPLAIN_KINDS, IMPORT_KINDS, POINTS_KINDS = frozenset({"look"}), frozenset({"import"}), frozenset({"points"})

POLL_SECONDS = 0.1
"""Maximum seconds until an idle worker notices a new run."""

HOUSEKEEPING_SECONDS = 1.0
"""Seconds between two rounds of tasks that are not urgent."""

CLEAR_DELAY = ABANDONED_SECONDS + 1.0
"""Seconds from a worker's start, or from the end of a child, until the files are deleted that it did not complete."""

NOTICED_SILENCE = 60.0
"""Seconds without a step from which on the page of a run says so; less where it is soon stopped."""

IMPORT_NICENESS = 10
"""Nobody waits for an import as for a run, so it gives way."""

POINTS_HISTORY_SECONDS = 3600.0
"""How long finished runs of the playground stay in the queue, where they count for fairness; their frames stay."""

_logger = logging.getLogger(__name__)


class WorkerLimits(NamedTuple):
    """What a worker waits for in seconds, and what it allows its runs.

    It kills a run that is still there so long after a cancel, and stops when idle without a web server.
    """

    cancel_grace: float = 2.0
    idle_timeout: float | None = None
    """None for a worker that was started by hand, which stays."""
    silence: float = 600.0
    """Seconds that a run may at least make no step before it is stopped."""
    memory_mb: int | None = None
    """MiB that a run on the CPU may use; None for no limit."""


class ShutdownRequest(Protocol):
    """Requests by signals: to `leave` once idle, or to `stop` now."""

    leave: bool
    stop: bool


class Supervisor:
    """The worker of one device: a child for runs on it, and on the CPU one each for Grad-CAM, points and imports."""

    def __init__(
        self,
        device: str,
        store: RunStore,
        held_lock: device_lock.DeviceLock,
        *,
        info: device_lock.LockInfo,
        shutdown: ShutdownRequest,
        limits: WorkerLimits,
        work_module: str,
    ) -> None:
        self.device, self.store, self.lock, self.info = device, store, held_lock, info
        self.shutdown, self.limits = shutdown, limits
        self.name = f"{socket.gethostname()} {device} {info.pid}"
        memory_mb = limits.memory_mb
        self.run_child = ChildProcess(
            ChildConfig(work_module, device, store.data_dir, None, memory_mb=memory_mb if device == "cpu" else None),
            RUN_KINDS,
        )
        # Grad-CAM queries run in parallel to a run, on a single thread so that they hardly slow it down.
        self.explain_child = ChildProcess(ChildConfig(work_module, "cpu", store.data_dir, 1), EXPLAIN_KINDS)
        # A visitor of the playground waits for a run of less than a second, so it goes beside all others.
        self.points_child = ChildProcess(
            ChildConfig(work_module, "cpu", store.data_dir, 1, preload="points"), POINTS_KINDS
        )
        # Imports need no device and may take an hour, so runs do not wait for them.
        self.import_child = ChildProcess(
            ChildConfig(work_module, "cpu", store.data_dir, 1, preload="nothing", niceness=IMPORT_NICENESS),
            IMPORT_KINDS,
            persistent=False,
        )
        self.children = (self.run_child, self.explain_child, self.points_child, self.import_child)
        self.sweep_scheduler = SweepScheduler(store, self.name)
        self.load_meter = cpu_load.LoadMeter()
        self.housekeeping_rounds = HousekeepingRounds(store)
        self._run_ended = False
        self._next_housekeeping = 0.0
        self._clear_at: float | None = time.monotonic() + CLEAR_DELAY
        self._last_needed = time.monotonic()
        self._last_error = ""

    def serve(self) -> None:
        """Work until there is a reason to stop."""
        _logger.info(f"Worker on {self.device} (process {self.info.pid}) started for {self.store.data_dir}.")
        try:
            self._start()
            while not (reason := self._stop_reason()):
                self._tick()
                wait([item for child in self.children for item in child.waitables], POLL_SECONDS)
            _logger.info(f"Worker on {self.device} stopped: {reason}.")
        finally:
            self._shutdown()

    def _start(self) -> None:
        """Start the children; the forkserver imports torch first, and meanwhile the state is `starting`."""
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(lambda: [child.start() for child in self.children if child.persistent])
            while not starting.done():
                self._publish("starting")
                futures.wait([starting], HOUSEKEEPING_SECONDS)
            starting.result()
        self._last_needed = time.monotonic()

    def _stop_reason(self) -> str:
        busy = any(child.active_runs for child in self.children)
        if not self.lock.is_valid:
            return "the data folder was removed"
        if self.shutdown.stop:
            return "a stop was requested"
        if self.shutdown.leave and not busy:
            return "a stop when idle was requested"
        timeout = self.limits.idle_timeout
        if timeout is not None and not busy and time.monotonic() - self._last_needed > timeout:
            return f"it was idle for {timeout / 60:g} minutes and no web server is running"
        return ""

    def _tick(self) -> None:
        try:
            for child in self.children:
                if child.persistent or self.store.execution.has_queued(child.kinds):
                    child.start()
                self._poll_child(child)
            due = time.monotonic() >= self._next_housekeeping
            if (due or self._run_ended) and not self.shutdown.leave:
                self._run_ended = False
                self.sweep_scheduler.schedule(self.run_child.stacks)
            if due:
                self._next_housekeeping = time.monotonic() + HOUSEKEEPING_SECONDS
                self._housekeeping()
            for child in self.children:
                if child.is_free and (
                    not self.shutdown.leave or (child is self.explain_child and self.run_child.active_runs)
                ):
                    self._claim(child)
            self._last_error = ""
        except StoreError as problem:  # such as a locked database: nothing is lost, everything is tried again
            if str(problem) != self._last_error:
                self._last_error = str(problem)
                _logger.error(problem)

    def _claim(self, child: ChildProcess) -> None:
        if not self.store.execution.has_queued(child.kinds):
            return
        if problem := storage_problem(self.store.data_dir):
            raise StoreError(problem)
        run = self.store.execution.claim(self.name, device=child.config.device, kinds=set(child.kinds))
        if run is None:
            return
        runs = [run]
        try:
            runs += self._groupable(child, run)
        finally:  # a claimed run always reaches its child, alone if its group cannot be claimed
            _logger.debug(f"Claimed for {child.config.device}: runs {[own.id for own in runs]}.")
            child.dispatch(runs)
            self._update_lock()

    def _groupable(self, child: ChildProcess, run: Run) -> list[Run]:
        """Claim more runs of this run's group that the child can stack with it."""

        def is_stackable(other: UnlearnSpec) -> bool:
            return why_specs_not_stackable([run.spec, other], child.stacks) is None

        if run.group is None or not isinstance(run.spec, UnlearnSpec) or run.spec.method not in child.stacks:
            return []
        return self.store.execution.claim_group(
            run, self.name, device=child.config.device, is_compatible=is_stackable, limit=MAX_STACK - 1
        )

    def _poll_child(self, child: ChildProcess) -> None:
        """Forward the messages of a child, and finalize its active runs that have ended."""
        dead = child.is_dead  # checked before its last messages are read, so that none is missed
        for active_run, update in child.poll():
            self._heartbeat(child, active_run, update)
        if not child.active_runs:
            if dead:
                code, device = child.kill(), child.config.device
                _logger.warning(f"The idle child process on {device} died (exit code {code}) and is replaced.")
            return
        late = [
            active_run.cancelled_at
            for active_run in child.active_runs
            if active_run.outcome is None and active_run.cancelled_at is not None
        ]
        # In a stack, the runs before this one may still be evaluating.
        overdue = any(time.monotonic() - since > self.limits.cancel_grace * len(child.active_runs) for since in late)
        silence = child.silence(self.limits.silence)
        stuck = silence if silence.seconds > silence.limit else None
        code = child.kill() if dead or overdue or stuck else None
        if dead or overdue or stuck:
            self._clear_at = time.monotonic() + CLEAR_DELAY
        is_alone = len(child.active_runs) == 1
        for active_run in list(child.active_runs):
            if active_run.outcome is None and dead:
                active_run.outcome = outcome_of_crash(active_run, self.store.data_dir, code=code)
            elif active_run.outcome is None and (overdue or stuck):
                active_run.outcome = outcome_of_kill(active_run, stuck, is_alone=is_alone)
            if active_run.outcome is not None:
                self._finalize(child, active_run, active_run.outcome)
            elif time.monotonic() - active_run.last_heartbeat >= active_run.report_interval:
                self._heartbeat(child, active_run, ProgressUpdate(None, ()))

    def _heartbeat(self, child: ChildProcess, active_run: ActiveRun, update: ProgressUpdate) -> None:
        if not active_run.is_owned:
            return
        run, active_run.last_heartbeat = active_run.run, time.monotonic()
        silence = child.silence(self.limits.silence)
        is_noticed = silence.seconds > min(NOTICED_SILENCE, silence.limit / 10)
        try:
            signal = self.store.execution.heartbeat(
                run.id,
                run.attempt,
                progress=update.progress,
                points=update.points,
                silence=silence if is_noticed else None,
            )
            child.forward(active_run, signal)
        except LeaseLostError as problem:
            _logger.warning(problem)
            active_run.is_owned = False
            child.cancel(active_run)
        else:
            self.sweep_scheduler.prune_if_hopeless(run, update.points)

    def _finalize(self, child: ChildProcess, active_run: ActiveRun, outcome: Outcome) -> None:
        """Report the outcome of an active run to the store and release it; on a StoreError it stays active."""
        run = active_run.run.id
        if active_run.is_owned:
            try:
                report_outcome(self.store, active_run, outcome)
            except LeaseLostError as problem:
                _logger.warning(problem)
                active_run.is_owned = False
        if outcome.traceback:
            _logger.error(f"Run {run} failed:\n{outcome.traceback.rstrip()}")
        child.release(active_run)
        self._run_ended = True
        self._update_lock()
        if active_run.is_owned:
            row = self.store.get(run)
            state = outcome.state if outcome.state == row.state else f"{outcome.state}, now {row.state}"
            _logger.info(f"Run {run} ({row.title}): {state}. {row.error or outcome.reason}".rstrip())

    def _housekeeping(self) -> None:
        busy = any(child.active_runs for child in self.children)
        self._publish("leaving" if self.shutdown.leave else "busy" if busy else "idle")
        self.store.execution.delete_finished(POINTS_KINDS, older_than=POINTS_HISTORY_SECONDS)
        for run in self.store.execution.expire_leases():
            _logger.warning(f"Run {run} was taken from a worker that does not respond.")
        if self._clear_at is not None and time.monotonic() >= self._clear_at:
            self._clear_at = None
            threading.Thread(target=remove_abandoned, args=(self.store.data_dir,), daemon=True).start()
        self.housekeeping_rounds.tick(at_rest=not busy and not self.store.execution.has_queued(RUN_KINDS))
        servers = web_servers(self.store.data_dir)
        self._measure_load(servers)
        if busy or servers:
            self._last_needed = time.monotonic()

    def _measure_load(self, servers: list[int]) -> None:
        """Measure how many cores the programs of others want, and how many they use during a run."""
        children = [child.pid for child in self.children if child.pid is not None]
        self.load_meter.sample([self.info.pid, *children, *servers])
        load, used = self.load_meter.load(), self.load_meter.used()
        self.run_child.set_load(load)
        for active_run in self.run_child.active_runs:
            active_run.loads += [] if used is None else [used]
        cpu_load.publish(self.store.data_dir, load)

    def _shutdown(self) -> None:
        """End the children, return their active runs to the queue, and remove the worker from the list."""
        for child in self.children:
            for _ in child.poll():
                pass
            child.kill()
            for active_run in list(child.active_runs):
                if self.lock.is_valid:
                    with suppress(StoreError):
                        self._finalize(child, active_run, active_run.outcome or Outcome("preempted"))
        if self.lock.is_valid:
            with suppress(StoreError):
                self.store.sweeps.release_leases(self.name)
                self.store.execution.deregister_worker(self.name)

    def _publish(self, state: str) -> None:
        self.store.execution.worker_heartbeat(
            self.name, device=self.device, pid=self.info.pid, code=self.info.code, state=state
        )

    def _update_lock(self) -> None:
        with suppress(OSError):
            self.lock.write_info(
                self.info._replace(run=self.run_child.active_runs[0].run.id if self.run_child.active_runs else None)
            )
