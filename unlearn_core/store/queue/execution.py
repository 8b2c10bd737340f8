"""RunExecution: what workers and other processes that execute runs do with them: claim, report on and end them."""

import shutil
import time
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, delete, select

from unlearn_core.domain.errors import DamagedRunError, StoreError
from unlearn_core.domain.jobs import AnySpec, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import CurvePoint, Priority, Progress, Run, RunState, Silence
from unlearn_core.store.access import owned_items
from unlearn_core.store.access.rules import Access
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import RUN
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue import clock, lease, run_rows, scheduling, workers
from unlearn_core.store.queue.lease import ControlSignal
from unlearn_core.store.queue.workers import WorkerRow

RESUMED = "train"
"""The kind of run whose next attempt resumes with the files of the last one; others do once they are unlearned."""


class RunExecution:
    """The runs of one data folder for whoever executes them; a visitor may do none of this."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database, self._access, self._data_dir = database, access, access.data_dir

    def register_running(
        self,
        spec: AnySpec,
        *,
        title: str,
        owner: str | None = None,
        device: str,
        seconds: float = 0.0,
        group: str | None = None,
    ) -> int:
        """Add a run that this process executes itself, started `seconds` ago.

        This process holds attempt 1 until it calls `finish` or `fail`. It sends no heartbeats: being alive is enough.
        """
        self._access.require_operator()
        owner, now = self._access.owner(owner), clock.now()
        row = rows.new_row(spec, title=title, owner=owner, priority=Priority.INTERACTIVE, now=now.date)
        with self._starting() as (connection, new_folders):
            own = lease.local_lease(device, now) | {
                "started": now.date - seconds,
                "began": now.uptime - seconds,
                "group": group,
            }
            run = run_rows.add(connection, row | own)
            started = self._begin(connection, run, new_folders)
        if not started:
            raise StoreError(self._folder_conflict(run))
        return run

    def claim(self, worker: str, *, device: str, kinds: Collection[str]) -> Run | None:
        """Give a worker the next run of these kinds, under a lease that `heartbeat` extends; None if there is none.

        A run that cannot be read fails.
        """
        self._access.require_operator()
        while self.has_queued(kinds):
            with self._starting() as (connection, new_folders):
                run = lease.claim(connection, worker, device=device, kinds=kinds, now=clock.now())
                if run is not None and self._begin(connection, run, new_folders):
                    row = run_rows.find(connection, run)
                    try:
                        return rows.to_run(row)
                    except DamagedRunError as problem:
                        now = clock.now()
                        lease.end_run(connection, run, row.attempt, RunState.FAILED, now=now, error=str(problem))
        return None

    def has_queued(self, kinds: Collection[str]) -> bool:
        """Return whether a run of these kinds is queued, without locking the database."""
        with self._database.reading() as connection:
            return scheduling.has_queued(connection, kinds)

    def claim_group(
        self, run: Run, worker: str, *, device: str, is_compatible: Callable[[UnlearnSpec], bool], limit: int
    ) -> list[Run]:
        """Give a worker up to `limit` more compatible queued runs of a run's group, in order.

        A run whose process has crashed runs alone, so that it cannot crash the others again.
        """
        self._access.require_operator()
        with self._starting() as (connection, new_folders):
            row = run_rows.find(connection, run.id)
            if row.deaths or row.losses:
                return []
            found = rows.to_runs(connection.execute(scheduling.group_members(run)).all())
            suitable = (
                member for member in found if isinstance(member.spec, UnlearnSpec) and is_compatible(member.spec)
            )
            chosen = list(suitable)[:limit]
            claimed = [
                member.id
                for member in chosen
                if lease.claim_run(connection, member.id, worker, device=device, now=clock.now())
            ]
            started = [number for number in claimed if self._begin(connection, number, new_folders)]
            return [rows.to_run(run_rows.find(connection, number)) for number in started]

    def heartbeat(
        self,
        run: int,
        attempt: int,
        *,
        progress: Progress | None = None,
        points: Sequence[CurvePoint] = (),
        silence: Silence | None = None,
    ) -> ControlSignal:
        """Extend a worker's lease on a run and return the control signal. Raises LeaseLostError."""
        self._access.require_operator()
        with self._database.writing() as connection:
            return lease.heartbeat(
                connection, run, attempt, progress=progress, points=points, silence=silence, now=clock.now()
            )

    def finish(self, run: int, attempt: int, *, metrics: RunMetrics) -> None:
        """End a run as done; a measurement also updates the metrics of its run. Raises LeaseLostError."""
        self._access.require_operator()
        text = metrics.to_json()
        with self._database.writing() as connection:
            lease.end_run(connection, run, attempt, RunState.DONE, now=clock.now(), headline=text)
            row = run_rows.find(connection, run)
            if row.kind == scheduling.MEASURE_KIND:
                run = row.about
                with suppress(ValueError):  # damaged: the report has the new measurement all the same
                    measured = RunMetrics.from_json(run_rows.find(connection, run).headline)
                    run_rows.change(connection, run, headline=measured.updated(metrics).to_json())
            else:
                owned_items.record(connection, self._data_dir, row, metrics)
            run_rows.record(connection, self._data_dir, run)

    def fail(self, run: int, attempt: int, reason: str) -> None:
        """End a run as failed, with a readable reason. Raises LeaseLostError."""
        self._access.require_operator()
        with self._database.writing() as connection:
            lease.end_run(connection, run, attempt, RunState.FAILED, now=clock.now(), error=reason)

    def mark_cancelled(self, run: int, attempt: int) -> None:
        """End a run as cancelled. Raises LeaseLostError."""
        self._access.require_operator()
        with self._database.writing() as connection:
            lease.end_run(connection, run, attempt, RunState.CANCELLED, now=clock.now())

    def requeue(self, run: int, attempt: int) -> None:
        """Return a run to its place in the queue: it was preempted, or its worker stops. Raises LeaseLostError."""
        self._access.require_operator()
        with self._database.writing() as connection:
            lease.requeue(connection, run, attempt, now=clock.now())

    def mark_crashed(self, run: int, attempt: int, reason: str) -> None:
        """Handle a crash of a run's process: it is restarted once, then it fails. Raises LeaseLostError."""
        self._access.require_operator()
        with self._database.writing() as connection:
            lease.mark_crashed(connection, run, attempt, reason, now=clock.now())

    def expire_leases(self) -> list[int]:
        """Take runs away from silent workers and return their ids; each is restarted, up to MAX_LOSSES times."""
        self._access.require_operator()
        with self._database.writing() as connection:
            return lease.expire_leases(connection, clock.now())

    def delete_finished(self, kinds: Collection[str], *, older_than: float) -> None:
        """Delete the runs of these kinds that ended so many seconds ago, and their folders."""
        self._access.require_operator()
        ended = RUN.c.kind.in_(sorted(kinds)) & (RUN.c.finished < time.time() - older_than)
        with self._database.reading() as connection:
            found = [row.id for row in connection.execute(select(RUN.c.id).where(ended))]
        if not found:
            return
        with self._database.writing() as connection:
            connection.execute(delete(RUN).where(RUN.c.id.in_(found)))
        for run in found:
            shutil.rmtree(artifacts.run_dir(self._data_dir, run), ignore_errors=True)

    def worker_heartbeat(self, name: str, *, device: str, pid: int, code: str, state: str) -> None:
        """Record that a worker is alive and its state: starting, idle, busy or leaving."""
        self._access.require_operator()
        with self._database.writing() as connection:
            workers.heartbeat(connection, WorkerRow(name, device, pid, code, state), clock.now())

    def deregister_worker(self, name: str) -> None:
        """Remove a worker from the list."""
        self._access.require_operator()
        with self._database.writing() as connection:
            workers.deregister(connection, name)

    @contextmanager
    def _starting(self) -> Generator[tuple[Connection, list[Path]]]:
        """A write transaction that starts runs, and a list of their new folders, which are removed if it fails."""
        new_folders: list[Path] = []
        try:
            with self._database.writing() as connection:
                yield connection, new_folders
        except BaseException:
            for folder in new_folders:
                with suppress(OSError):  # the data folder may have been removed
                    folder.rmdir()
            raise

    def _begin(self, connection: Connection, run: int, new_folders: list[Path]) -> bool:
        """Create the folder of a run that was just claimed; if it holds another run, this one fails."""
        row = run_rows.find(connection, run)
        if row.attempt > 1:
            if row.kind != RESUMED and not artifacts.is_unlearned(artifacts.run_dir(self._data_dir, run)):
                artifacts.clear_folder(self._data_dir, run)
            return True
        if artifacts.make_folder(self._data_dir, run):
            new_folders.append(artifacts.run_dir(self._data_dir, run))
            return True
        end = {"state": RunState.FAILED, "attempt": 0, "worker": None, "lease": None, "finished": time.time()}
        run_rows.change(connection, run, **end, error=self._folder_conflict(run))
        return False

    def _folder_conflict(self, run: int) -> str:
        folder = artifacts.run_dir(self._data_dir, run)
        return f"The folder {folder} holds another run, so run {run} was not started. Start it again."
