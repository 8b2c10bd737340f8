"""RunStore, the history and queue of runs: each run is a row, and each state change one short transaction."""

import shutil
import time
from collections.abc import Collection
from copy import copy
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from sqlalchemy import Connection, delete, select

from unlearn_core.domain.errors import DamagedRunError, StoreError
from unlearn_core.domain.jobs import AnySpec, UnlearnSpec
from unlearn_core.domain.run import ALL_RUNS, CurvePoint, Priority, Run, RunFilter, RunState
from unlearn_core.store.access import readers
from unlearn_core.store.access.actor import OPERATOR, Actor
from unlearn_core.store.access.belongings import Belongings
from unlearn_core.store.access.items import OwnedItems
from unlearn_core.store.access.readers import Readers
from unlearn_core.store.access.rules import Access
from unlearn_core.store.access.visitor_store import Visitors
from unlearn_core.store.class_boards import ClassBoards
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import POINT, RUN
from unlearn_core.store.files import artifacts, restore
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.store.queue import class_mode, clock, lease, run_rows, same_run, scheduling, workers
from unlearn_core.store.queue.execution import RunExecution
from unlearn_core.store.queue.method_runs import MethodRuns
from unlearn_core.store.queue.queue_view import QueueView
from unlearn_core.store.queue.rates import Rate, RecentRates
from unlearn_core.store.queue.repeats import SeedRepeats
from unlearn_core.store.queue.run_listing import RunListing
from unlearn_core.store.queue.sweeps import SweepStore
from unlearn_core.store.queue.workers import WorkerRow


class SubmitResult(NamedTuple):
    """The id of a submitted run, and whether the same run was there already: queued or running, or done."""

    run: int
    known: Literal["unfinished", "done"] | None


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
        self._rates = RecentRates(self._database)
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
        self.queue = QueueView(database, access)
        self.boards = ClassBoards(database, access)
        self.visitors = Visitors(database, access)
        self.items = OwnedItems(database, access)
        self.execution = RunExecution(database, access)
        self.belongings = Belongings(database, access)

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
            self._check_room(connection, spec.kind, owner, priority)
            return run_rows.add(connection, row | {"group": group, "parent": parent})

    def submit_unique(
        self,
        spec: AnySpec,
        *,
        title: str,
        owner: str | None = None,
        priority: Priority = Priority.INTERACTIVE,
        parent: int | None = None,
        reuse: bool = False,
    ) -> SubmitResult:
        """Queue a run, unless one with the same spec is queued or running, which is then joined.

        With `reuse`, an unlearning run that is done is joined too, if a new one would repeat its result. Raises
        StoreError if the queue is full.
        """
        owner, now = self.access.owner(owner), time.time()
        row = rows.new_row(spec, title=title, owner=owner, priority=priority, now=now)
        with self._database.writing() as connection:
            self.access.check_spec(connection, spec)
            which = self.access.joinable(spec)
            same = same_run.find_unfinished(connection, row, which)
            if same is None and reuse and isinstance(spec, UnlearnSpec):
                same = same_run.find_finished(connection, self.data_dir, spec, row, which)
            if same is not None:
                readers.join(connection, same, owner, priority=priority, now=now)
                return SubmitResult(same.id, "done" if same.state == RunState.DONE else "unfinished")
            self._check_room(connection, spec.kind, owner, priority)
            return SubmitResult(run_rows.add(connection, row | {"parent": parent}), None)

    def readers(self, run: int) -> Readers:
        """Return whether a run is for whoever acts, and for how many others. Raises NotFoundError."""
        with self._database.reading() as connection:
            return readers.seen_by(connection, run, self.access.readable(RUN), self.access.actor.id)

    def joined(self, runs: Collection[int]) -> set[int]:
        """Return those of some runs that are for whoever acts: they own or joined them."""
        mine = select(RUN.c.id).where(RUN.c.id.in_(runs), rows.belongs_to([self.access.actor.id]))
        with self._database.reading() as connection:
            return set(connection.execute(mine).scalars())

    def _check_room(self, connection: Connection, kind: str, owner: str, priority: Priority) -> None:
        scheduling.check_quota(connection, kind, owner)
        if not self.access.actor.is_operator and kind not in (*scheduling.SEPARATE_KINDS, scheduling.MEASURE_KIND):
            class_mode.check_one_run(connection, kind, owner, priority)

    def get(self, run: int) -> Run:
        """Return one run. Raises NotFoundError, or DamagedRunError if neither its row nor its folder can be read."""
        try:
            with self._database.reading() as connection:
                return self.access.seen(rows.to_run(self.access.row(connection, RUN, run)))
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
                run_rows.change(connection, run, **own, progress=None, silence=None)
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
        """Leave a run that others want too; else cancel a queued one at once, and ask the worker to stop a running one.

        A finished one stays as it is. A run whose worker is dead also ends at once, because there may be no other
        worker to end it.
        """
        with self._database.writing() as connection:
            row = self.access.joined_row(connection, run)
            if RunState(row.state).is_finished or readers.leave(connection, row, self.access.actor.id):
                return
            if row.state == RunState.QUEUED:
                run_rows.change(connection, run, state=RunState.CANCELLED, finished=time.time())
            else:
                run_rows.change(connection, run, cancelling=True)
                lease.expire_leases(connection, clock.now())

    def set_note(self, run: int, text: str) -> None:
        """Replace the note of a run."""
        self._change_own(run, note=text)

    def share(self, run: int, *, shared: bool = True) -> None:
        """Let everybody who has its link read a run where sharing is private, or no longer."""
        self._change_own(run, shared=shared)

    def pin(self, run: int, *, pinned: bool = True) -> None:
        """Keep a run although retention would delete it, or no longer."""
        self._change_own(run, pinned=pinned)

    def delete(self, run: int) -> None:
        """Delete a finished run, its folder, its later queries and what is stored of its model; others may keep it.

        Raises StoreError if it is unfinished.
        """
        with self._database.writing() as connection:
            row = self.access.joined_row(connection, run)
            if not RunState(row.state).is_finished:
                raise StoreError(f"Run {run} is not finished: cancel it first, then delete it.")
            if readers.leave(connection, row, self.access.actor.id):
                return
            rows_to_delete = connection.execute(select(RUN).where((RUN.c.id == run) | (RUN.c.about == run))).all()
            if any(row.state == RunState.RUNNING for row in rows_to_delete):
                raise StoreError(
                    f"A measurement or Grad-CAM query of run {run} is running: wait a moment, then delete it."
                )
            connection.execute(delete(RUN).where(RUN.c.id.in_([row.id for row in rows_to_delete])))
            models = run_rows.models_only_of(connection, rows_to_delete)
        for row in rows_to_delete:
            if row.attempt:  # a run that never started has no folder
                shutil.rmtree(artifacts.run_dir(self.data_dir, row.id), ignore_errors=True)
        for model in models:
            EvaluationStore(self.data_dir / "evaluations").remove(model)

    def orphaned_runs(self) -> dict[int, RunState]:
        """Return the running runs whose worker is silent, and the state that the next worker will give each."""
        with self._database.reading() as connection:
            return lease.orphaned(connection, clock.now())

    def rates(self, device: str, model: str, *, method: str | None = None) -> list[Rate]:
        """Return the rates of recent jobs on this device, the newest first, each recorded with its load.

        `model` is the id of a classifier, or for trainings that of an architecture. With a method, only its runs count.
        """
        return self._rates.get(device, model, method)

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
        """Return runs, newest first, optionally only of some kinds or states, for one visitor, or those of a filter."""
        matches = rows.conditions(matching, notes_of=self.access.notes_of)
        wanted = select(RUN).where(*matches, self.access.listed(RUN)).order_by(RUN.c.id.desc()).limit(limit)
        for column, values in ((RUN.c.kind, kinds), (RUN.c.state, states)):
            wanted = wanted if values is None else wanted.where(column.in_(values))
        wanted = wanted if owner is None else wanted.where(rows.belongs_to([owner]))
        with self._database.reading() as connection:
            return [self.access.seen(run) for run in rows.to_runs(connection.execute(wanted))]

    def _change_own(self, run: int, **values: Any) -> None:
        """Change columns of a run that belongs to whoever acts, and its record."""
        with self._database.writing() as connection:
            self.access.own_row(connection, RUN, run)
            run_rows.change(connection, run, **values)
            run_rows.record(connection, self.data_dir, run)
