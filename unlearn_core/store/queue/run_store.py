"""RunStore, the history and queue of runs: each run is a row, and each state change one short transaction."""

import shutil
import time
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, Row, delete, insert, select, update

from unlearn_core.domain.errors import DamagedRunError, NotFoundError, StoreError
from unlearn_core.domain.jobs import AnySpec, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import ALL_RUNS, CurvePoint, Priority, Progress, Run, RunFilter, RunState, Silence
from unlearn_core.store.access import owned_items
from unlearn_core.store.access.actor import OPERATOR, Actor
from unlearn_core.store.access.items import OwnedItems
from unlearn_core.store.access.rules import Access
from unlearn_core.store.access.visitor_store import Visitors
from unlearn_core.store.class_boards import ClassBoards
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import POINT, RUN
from unlearn_core.store.files import artifacts, restore
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.store.queue import clock, lease, rates, scheduling, workers
from unlearn_core.store.queue.lease import ControlSignal
from unlearn_core.store.queue.method_runs import MethodRuns
from unlearn_core.store.queue.rates import Rate
from unlearn_core.store.queue.repeats import SeedRepeats
from unlearn_core.store.queue.run_listing import RunListing
from unlearn_core.store.queue.sweeps import SweepStore
from unlearn_core.store.queue.workers import WorkerRow

RESUMED = "train"
"""The kind of run whose next attempt resumes with the files of the last one; others do once they are unlearned."""


class SubmitResult(NamedTuple):
    """The id of a submitted run, and whether the same run was already queued."""

    run: int
    already_queued: bool


class RunsAhead(NamedTuple):
    """What a queued run waits for: the runs that may be read, in their order, and how many others."""

    runs: list[Run]
    hidden: int


class RunStore:
    """The runs of one data folder. Threads can share an instance; every process opens its own.

    It acts as the operator, who may do everything, as workers and the command line do; `acting_as` gives the store that
    a visitor may use. What a visitor may not read is not found, and changing what is not theirs raises NotAllowedError.
    """

    def __init__(self, data_dir: Path, url: str | None = None) -> None:
        """Open the history and migrate an older one. Raises StoreError, which says what to do."""
        self.data_dir = data_dir
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise StoreError(f"Cannot create the data folder {data_dir} ({problem.strerror}). Use another.") from None
        self._database = Database(data_dir, url)
        self._set_actor(OPERATOR, RunListing(self._database, Access(OPERATOR, data_dir)))

    def acting_as(self, actor: Actor) -> Self:
        """Return this store as somebody may use it."""
        view = copy(self)
        view._set_actor(actor, self.listing)
        return view

    def _set_actor(self, actor: Actor, listing: RunListing) -> None:
        database, access = self._database, Access(actor, self.data_dir)
        self.access, self.listing = access, listing.acting_as(access)
        self.sweeps = SweepStore(database, access)
        self.repeats = SeedRepeats(database, access)
        self.method_runs = MethodRuns(database, access)
        self.boards = ClassBoards(database, access)
        self.visitors = Visitors(database, access)
        self.items = OwnedItems(database, access)

    def submit(
        self,
        spec: AnySpec,
        *,
        title: str,
        owner: str | None = None,
        priority: Priority = Priority.INTERACTIVE,
        group: str | None = None,
        parent: int | None = None,
    ) -> int:
        """Queue a run and return its id. Raises StoreError if the queue is full."""
        owner = self.access.owner(owner)
        row = rows.new_row(spec, title=title, owner=owner, priority=priority, now=time.time())
        with self._database.writing() as connection:
            self.access.check_spec(connection, spec)
            scheduling.check_quota(connection, spec.kind, owner)
            return _insert(connection, row | {"group": group, "parent": parent})

    def submit_unique(
        self,
        spec: AnySpec,
        *,
        title: str,
        owner: str | None = None,
        priority: Priority = Priority.INTERACTIVE,
        parent: int | None = None,
    ) -> SubmitResult:
        """Queue a run, unless one with the same spec is queued or running, which is then shared.

        Raises StoreError if the queue is full.
        """
        owner = self.access.owner(owner)
        row = rows.new_row(spec, title=title, owner=owner, priority=priority, now=time.time())
        with self._database.writing() as connection:
            self.access.check_spec(connection, spec)
            duplicate = scheduling.find_duplicate(connection, row, self.access.readable(RUN))
            if duplicate is not None:
                return SubmitResult(duplicate, already_queued=True)
            scheduling.check_quota(connection, spec.kind, owner)
            return SubmitResult(_insert(connection, row | {"parent": parent}), already_queued=False)

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
        self.access.require_operator()
        owner, now = self.access.owner(owner), clock.now()
        row = rows.new_row(spec, title=title, owner=owner, priority=Priority.INTERACTIVE, now=now.date)
        with self._starting() as (connection, new_folders):
            own = lease.local_lease(device, now) | {
                "started": now.date - seconds,
                "began": now.uptime - seconds,
                "group": group,
            }
            run = _insert(connection, row | own)
            started = self._begin(connection, run, new_folders)
        if not started:
            raise StoreError(self._folder_conflict(run))
        return run

    def get(self, run: int) -> Run:
        """Return one run. Raises NotFoundError, or DamagedRunError if neither its row nor its folder can be read."""
        try:
            with self._database.reading() as connection:
                return rows.to_run(self.access.row(connection, RUN, run))
        except DamagedRunError:
            if self.repair([run]):
                raise
            return self.get(run)

    def repair(self, runs: Collection[int]) -> list[int]:
        """Replace the damaged rows among these by what the folders of their runs record; return those without one."""
        with self._database.reading() as connection:
            readable = self.access.readable(RUN)
            found = connection.execute(select(RUN).where(RUN.c.id.in_(sorted(runs)), readable)).all()
        lost: list[int] = []
        for run in rows.damaged(found):
            folder = artifacts.run_dir(self.data_dir, run)
            recorded = restore.read_record(folder) or restore.read_run(folder, run)
            if recorded is None or recorded.id != run:
                lost.append(run)
                continue
            own = {name: rows.finished_row(recorded)[name] for name in ("spec", "headline", "created", "state")}
            with self._database.writing() as connection:
                _change(connection, run, **own, progress=None, silence=None)
        return lost

    def queue_position(self, run: int) -> int:
        """Return how many runs are ahead of this one; 0 if it is next or no longer queued."""
        with self._database.reading() as connection:
            row = self.access.row(connection, RUN, run)
            return len(scheduling.queued_ahead(connection, row, time.time())) if row.state == RunState.QUEUED else 0

    def runs_ahead(self, run: int) -> RunsAhead:
        """Return what a queued run waits for: the running runs, then the queued ones ahead of it, in their order."""
        with self._database.reading() as connection:
            row = self.access.row(connection, RUN, run)
            if row.state != RunState.QUEUED:
                return RunsAhead([], 0)
            running = connection.execute(scheduling.running_beside(row.kind)).scalars()
            ids = [*running, *scheduling.queued_ahead(connection, row, time.time())]
            wanted = select(RUN).where(RUN.c.id.in_(ids), self.access.readable(RUN))
            found = {one.id: one for one in rows.to_runs(connection.execute(wanted))}
            return RunsAhead([found[one] for one in ids if one in found], len(ids) - len(found))

    def curve(self, run: int, after: int = -1) -> list[CurvePoint]:
        """Return the live curve of the current attempt: the points with a step greater than `after`."""
        columns = [POINT.c[name] for name in CurvePoint._fields]
        readable = select(RUN.c.id).where(RUN.c.id == run, self.access.readable(RUN))
        wanted = select(*columns).where(POINT.c.run.in_(readable), POINT.c.step > after).order_by(POINT.c.id)
        with self._database.reading() as connection:
            return [rows.to_curve_point(row) for row in connection.execute(wanted)]

    def cancel(self, run: int) -> None:
        """Cancel a queued run at once, ask the worker to stop a running one, and leave a finished one as it is.

        A run whose worker is dead also ends at once, because there may be no other worker to end it.
        """
        with self._database.writing() as connection:
            state = self.access.own_row(connection, RUN, run).state
            if state == RunState.QUEUED:
                _change(connection, run, state=RunState.CANCELLED, finished=time.time())
            elif state == RunState.RUNNING:
                _change(connection, run, cancelling=True)
                lease.expire_leases(connection, clock.now())

    def set_note(self, run: int, text: str) -> None:
        """Replace the note of a run."""
        self._change_own(run, note=text)

    def share(self, run: int, *, shared: bool = True) -> None:
        """Let everybody who has its link read a run where sharing is private, or no longer."""
        self._change_own(run, shared=shared)

    def delete(self, run: int) -> None:
        """Delete a finished run, its folder, its later queries and what is stored of its model.

        Raises StoreError if it is unfinished.
        """
        with self._database.writing() as connection:
            if not RunState(self.access.own_row(connection, RUN, run).state).is_finished:
                raise StoreError(f"Run {run} is not finished: cancel it first, then delete it.")
            rows_to_delete = connection.execute(select(RUN).where((RUN.c.id == run) | (RUN.c.about == run))).all()
            if any(row.state == RunState.RUNNING for row in rows_to_delete):
                raise StoreError(
                    f"A measurement or Grad-CAM query of run {run} is running: wait a moment, then delete it."
                )
            connection.execute(delete(RUN).where(RUN.c.id.in_([row.id for row in rows_to_delete])))
            models = [model for model in _models_of(rows_to_delete) if not _is_mentioned(connection, model)]
        for row in rows_to_delete:
            if row.attempt:  # a run that never started has no folder
                shutil.rmtree(artifacts.run_dir(self.data_dir, row.id), ignore_errors=True)
        for model in models:
            EvaluationStore(self.data_dir / "evaluations").remove(model)

    def delete_finished(self, kinds: Collection[str], *, older_than: float) -> None:
        """Delete the runs of these kinds that ended so many seconds ago, and their folders."""
        self.access.require_operator()
        ended = RUN.c.kind.in_(sorted(kinds)) & (RUN.c.finished < time.time() - older_than)
        with self._database.reading() as connection:
            found = [row.id for row in connection.execute(select(RUN.c.id).where(ended))]
        if not found:
            return
        with self._database.writing() as connection:
            connection.execute(delete(RUN).where(RUN.c.id.in_(found)))
        for run in found:
            shutil.rmtree(artifacts.run_dir(self.data_dir, run), ignore_errors=True)

    def claim(self, worker: str, *, device: str, kinds: Collection[str]) -> Run | None:
        """Give a worker the next run of these kinds, under a lease that `heartbeat` extends; None if there is none.

        A run that cannot be read fails.
        """
        self.access.require_operator()
        while self.has_queued(kinds):
            with self._starting() as (connection, new_folders):
                run = lease.claim(connection, worker, device=device, kinds=kinds, now=clock.now())
                if run is not None and self._begin(connection, run, new_folders):
                    row = _row(connection, run)
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
        self.access.require_operator()
        with self._starting() as (connection, new_folders):
            row = _row(connection, run.id)
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
            return [rows.to_run(_row(connection, number)) for number in started]

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
        self.access.require_operator()
        with self._database.writing() as connection:
            return lease.heartbeat(
                connection, run, attempt, progress=progress, points=points, silence=silence, now=clock.now()
            )

    def finish(self, run: int, attempt: int, *, metrics: RunMetrics) -> None:
        """End a run as done; a measurement also updates the metrics of its run. Raises LeaseLostError."""
        self.access.require_operator()
        text = metrics.to_json()
        with self._database.writing() as connection:
            lease.end_run(connection, run, attempt, RunState.DONE, now=clock.now(), headline=text)
            row = _row(connection, run)
            if row.kind == scheduling.MEASURE_KIND:
                run = row.about
                with suppress(ValueError):  # damaged: the report has the new measurement all the same
                    measured = RunMetrics.from_json(_row(connection, run).headline)
                    _change(connection, run, headline=measured.updated(metrics).to_json())
            else:
                owned_items.record(connection, self.data_dir, row, metrics)
            self._record(connection, run)

    def fail(self, run: int, attempt: int, reason: str) -> None:
        """End a run as failed, with a readable reason. Raises LeaseLostError."""
        self.access.require_operator()
        with self._database.writing() as connection:
            lease.end_run(connection, run, attempt, RunState.FAILED, now=clock.now(), error=reason)

    def mark_cancelled(self, run: int, attempt: int) -> None:
        """End a run as cancelled. Raises LeaseLostError."""
        self.access.require_operator()
        with self._database.writing() as connection:
            lease.end_run(connection, run, attempt, RunState.CANCELLED, now=clock.now())

    def requeue(self, run: int, attempt: int) -> None:
        """Return a run to its place in the queue: it was preempted, or its worker stops. Raises LeaseLostError."""
        self.access.require_operator()
        with self._database.writing() as connection:
            lease.requeue(connection, run, attempt, now=clock.now())

    def mark_crashed(self, run: int, attempt: int, reason: str) -> None:
        """Handle a crash of a run's process: it is restarted once, then it fails. Raises LeaseLostError."""
        self.access.require_operator()
        with self._database.writing() as connection:
            lease.mark_crashed(connection, run, attempt, reason, now=clock.now())

    def expire_leases(self) -> list[int]:
        """Take runs away from silent workers and return their ids; each is restarted, up to MAX_LOSSES times."""
        self.access.require_operator()
        with self._database.writing() as connection:
            return lease.expire_leases(connection, clock.now())

    def orphaned_runs(self) -> dict[int, RunState]:
        """Return the running runs whose worker is silent, and the state that the next worker will give each."""
        with self._database.reading() as connection:
            return lease.orphaned(connection, clock.now())

    def rates(self, device: str, model: str, *, method: str | None = None) -> list[Rate]:
        """Return the rates of recent jobs on this device, the newest first, each recorded with its load.

        `model` is the id of a classifier, or for trainings that of an architecture. With a method, only its runs count.
        """
        with self._database.reading() as connection:
            return rates.recent(connection, device, model, method)

    def worker_heartbeat(self, name: str, *, device: str, pid: int, code: str, state: str) -> None:
        """Record that a worker is alive and its state: starting, idle, busy or leaving."""
        self.access.require_operator()
        with self._database.writing() as connection:
            workers.heartbeat(connection, WorkerRow(name, device, pid, code, state), clock.now())

    def deregister_worker(self, name: str) -> None:
        """Remove a worker from the list."""
        self.access.require_operator()
        with self._database.writing() as connection:
            workers.deregister(connection, name)

    def workers(self) -> list[WorkerRow]:
        """Return the live workers."""
        with self._database.reading() as connection:
            return workers.list_alive(connection, clock.now())

    def list_runs(
        self,
        *,
        kinds: Collection[str] | None = None,
        states: Collection[RunState] | None = None,
        owner: str | None = None,
        matching: RunFilter = ALL_RUNS,
        limit: int | None = 200,
    ) -> list[Run]:
        """Return runs, newest first, optionally only of some kinds, states or one owner, or those of a filter."""
        known = select(RUN).where(*rows.conditions(matching), self.access.listed(RUN))
        wanted = known.order_by(RUN.c.id.desc()).limit(limit)
        for column, values in ((RUN.c.kind, kinds), (RUN.c.state, states), (RUN.c.owner, owner and (owner,))):
            wanted = wanted if values is None else wanted.where(column.in_(values))
        with self._database.reading() as connection:
            return rows.to_runs(connection.execute(wanted))

    def _change_own(self, run: int, **values: Any) -> None:
        """Change columns of a run that belongs to whoever acts, and its record."""
        with self._database.writing() as connection:
            self.access.own_row(connection, RUN, run)
            _change(connection, run, **values)
            self._record(connection, run)

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
        row = _row(connection, run)
        if row.attempt > 1:
            if row.kind != RESUMED and not artifacts.is_unlearned(artifacts.run_dir(self.data_dir, run)):
                artifacts.clear_folder(self.data_dir, run)
            return True
        if artifacts.make_folder(self.data_dir, run):
            new_folders.append(artifacts.run_dir(self.data_dir, run))
            return True
        end = {"state": RunState.FAILED, "attempt": 0, "worker": None, "lease": None, "finished": time.time()}
        _change(connection, run, **end, error=self._folder_conflict(run))
        return False

    def _folder_conflict(self, run: int) -> str:
        folder = artifacts.run_dir(self.data_dir, run)
        return f"The folder {folder} holds another run, so run {run} was not started. Start it again."

    def _record(self, connection: Connection, run: int) -> None:
        """Write the row of a finished run into its folder, from which a lost database is restored."""
        try:
            found = rows.to_run(_row(connection, run))
        except DamagedRunError:
            return
        if found.state is RunState.DONE and found.spec.kind not in (
            *scheduling.SEPARATE_KINDS,
            scheduling.MEASURE_KIND,
        ):
            restore.record(self.data_dir, found)


def _models_of(deleted: Sequence[Row[Any]]) -> list[str]:
    """Return the checksums of the models that deleted runs unlearned."""
    found: list[str] = []
    for row in deleted:
        with suppress(ValueError):  # damaged
            weights = RunMetrics.from_json(row.headline).weights
            found += [weights] if weights and row.kind == UnlearnSpec.model_fields["kind"].default else []
    return found


def _is_mentioned(connection: Connection, model: str) -> bool:
    """Return whether another run has the same model, or is compared with it."""
    return connection.execute(select(RUN.c.id).where(RUN.c.headline.contains(model)).limit(1)).first() is not None


def _insert(connection: Connection, row: dict[str, Any]) -> int:
    return connection.execute(insert(RUN).values(row).returning(RUN.c.id)).scalar_one()


def _row(connection: Connection, run: int) -> Row[Any]:
    row = connection.execute(select(RUN).where(RUN.c.id == run)).one_or_none()
    if row is None:
        raise NotFoundError("run", run, [])
    return row


def _change(connection: Connection, run: int, **values: Any) -> None:
    connection.execute(update(RUN).where(RUN.c.id == run).values(**values))
