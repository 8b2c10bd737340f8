"""The history and the queue: every run is a row, and every change of its state one short transaction."""

import json
import shutil
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select, update

from unlearn_core.domain.errors import NotFoundError, StoreError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import CurvePoint, Priority, Progress, Run, RunState
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import POINT, RUN
from unlearn_core.store.files import artifacts, restore
from unlearn_core.store.queue import clock, lease, scheduling, workers
from unlearn_core.store.queue.lease import ControlSignal
from unlearn_core.store.queue.repeats import SeedRepeats
from unlearn_core.store.queue.sweeps import SweepStore
from unlearn_core.store.queue.workers import WorkerRow

RESUMED = "train"
"""The kind of run whose next attempt goes on with what the last one left in the folder."""


class SubmitResult(NamedTuple):
    """A run that was asked for: its id, and whether somebody had asked for the very same already."""

    run: int
    already_queued: bool


class RunStore:
    """The runs of one data folder. Threads may share it; every process opens its own."""

    def __init__(self, data_dir: Path, url: str | None = None) -> None:
        """Opens the history and brings an older one up to date. Raises StoreError, with what to do."""
        self.data_dir = data_dir
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise StoreError(f"The data folder {data_dir} cannot be made ({problem.strerror}). Name another.") from None
        self._database = Database(data_dir, url)
        self.sweeps = SweepStore(self._database)
        self.repeats = SeedRepeats(self._database)

    def submit(
        self,
        spec: rows.AnySpec,
        *,
        title: str,
        owner: str = "local",
        priority: Priority = Priority.INTERACTIVE,
        group: str | None = None,
        parent: int | None = None,
    ) -> int:
        """Queues a run and gives its id. Raises StoreError where too many wait already."""
        row = rows.new_row(spec, title=title, owner=owner, priority=priority, now=time.time())
        with self._database.writing() as connection:
            scheduling.check_quota(connection, spec.kind, owner)
            return _insert(connection, row | {"group": group, "parent": parent})

    def submit_unique(
        self,
        spec: rows.AnySpec,
        *,
        title: str,
        owner: str = "local",
        priority: Priority = Priority.INTERACTIVE,
        parent: int | None = None,
    ) -> SubmitResult:
        """Queues a run, unless one with this very spec waits or works: whoever asks for the same shares one run.

        Raises StoreError where too many wait already.
        """
        row = rows.new_row(spec, title=title, owner=owner, priority=priority, now=time.time())
        with self._database.writing() as connection:
            same = scheduling.find_duplicate(connection, row["kind"], row["spec"])
            if same is not None:
                return SubmitResult(same, already_queued=True)
            scheduling.check_quota(connection, spec.kind, owner)
            return SubmitResult(_insert(connection, row | {"parent": parent}), already_queued=False)

    def register_running(
        self,
        spec: rows.AnySpec,
        *,
        title: str,
        owner: str = "local",
        device: str,
        seconds: float = 0.0,
    ) -> int:
        """Takes in a run that this process makes itself, and began so many seconds ago.

        Its maker holds attempt 1 until it calls `finish` or `fail`; it need not beat, for its life is proof enough.
        """
        now = clock.now()
        row = rows.new_row(spec, title=title, owner=owner, priority=Priority.INTERACTIVE, now=now.date)
        with self._database.writing() as connection:
            run = _insert(connection, row | lease.local_lease(device, now) | {"started": now.date - seconds})
            begun = self._begin(connection, run)
        if not begun:
            raise StoreError(self._in_the_way(run))
        return run

    def get(self, run: int) -> Run:
        """One run; raises UnknownName."""
        with self._database.reading() as connection:
            return rows.to_run(_row(connection, run))

    def queue_position(self, run: int) -> int:
        """How many runs go before this one as things stand; 0 when it is next or waits no longer."""
        with self._database.reading() as connection:
            row = _row(connection, run)
            return scheduling.queue_position(connection, row, time.time()) if row.state == RunState.QUEUED else 0

    def curve(self, run: int, after: int = -1) -> list[CurvePoint]:
        """The live curve of the attempt in hand: the points whose step is greater than `after`."""
        columns = [POINT.c[name] for name in CurvePoint._fields]
        wanted = select(*columns).where(POINT.c.run == run, POINT.c.step > after).order_by(POINT.c.id)
        with self._database.reading() as connection:
            return [rows.to_curve_point(row) for row in connection.execute(wanted)]

    def cancel(self, run: int) -> None:
        """Ends a run that waits at once, asks the worker to end one in progress, and leaves a finished one alone.

        One whose worker is dead ends at once too, for there may be no other worker to see to that.
        """
        with self._database.writing() as connection:
            state = _row(connection, run).state
            if state == RunState.QUEUED:
                _change(connection, run, state=RunState.CANCELLED, finished=time.time())
            elif state == RunState.RUNNING:
                _change(connection, run, cancelling=True)
                lease.expire_leases(connection, clock.now())

    def set_note(self, run: int, text: str) -> None:
        """Writes a person's words beside a run, in place of what was there."""
        with self._database.writing() as connection:
            _row(connection, run)
            _change(connection, run, note=text)
            self._record(connection, run)

    def delete(self, run: int) -> None:
        """Removes a finished run, its folder, and what was asked about it later. Raises StoreError while it lasts."""
        with self._database.writing() as connection:
            if not RunState(_row(connection, run).state).is_finished:
                raise StoreError(f"Run {run} is not over yet: cancel it first, then delete it.")
            gone = connection.execute(select(RUN).where((RUN.c.id == run) | (RUN.c.about == run))).all()
            if any(row.state == RunState.RUNNING for row in gone):
                raise StoreError(f"Run {run} is being measured or looked at: wait a moment, then delete it.")
            connection.execute(delete(RUN).where(RUN.c.id.in_([row.id for row in gone])))
        for row in gone:
            if row.attempt:  # one that never began has no folder of its own
                shutil.rmtree(artifacts.run_dir(self.data_dir, row.id), ignore_errors=True)

    def claim(self, worker: str, *, device: str, kinds: Collection[str]) -> Run | None:
        """Gives the next run of these kinds to a worker, under a lease that `beat` extends; to no other as well."""
        while self.has_queued(kinds):
            with self._database.writing() as connection:
                run = lease.claim(connection, worker, device=device, kinds=kinds, now=clock.now())
                if run is not None and self._begin(connection, run):
                    return rows.to_run(_row(connection, run))
        return None

    def has_queued(self, kinds: Collection[str]) -> bool:
        """Whether a run of these kinds is to be claimed; a glance that locks nothing."""
        with self._database.reading() as connection:
            return scheduling.has_queued(connection, kinds)

    def claim_group(
        self, run: Run, worker: str, *, device: str, is_compatible: Callable[[UnlearnSpec], bool], limit: int
    ) -> list[Run]:
        """Gives more runs of a run's group that wait to its worker: those `alike`, in their order, `most` at most.

        One whose process has died on it goes alone, so that the others do not die with it once more.
        """
        with self._database.writing() as connection:
            if _row(connection, run.id).deaths:
                return []
            found = [rows.to_run(row) for row in connection.execute(scheduling.group_members(run)).all()]
            chosen = [one for one in found if isinstance(one.spec, UnlearnSpec) and is_compatible(one.spec)][:limit]
            taken = [
                one.id for one in chosen if lease.claim_run(connection, one.id, worker, device=device, now=clock.now())
            ]
            return [rows.to_run(_row(connection, number)) for number in taken if self._begin(connection, number)]

    def heartbeat(
        self, run: int, attempt: int, *, progress: Progress | None = None, points: Sequence[CurvePoint] = ()
    ) -> ControlSignal:
        """Keeps a run for its worker, and tells what is wished of it. Raises Fenced when it no longer is."""
        with self._database.writing() as connection:
            return lease.heartbeat(connection, run, attempt, progress=progress, points=points, now=clock.now())

    def finish(self, run: int, attempt: int, *, metrics: dict[str, Any]) -> None:
        """Ends a run well. What a measurement found becomes part of the measured run's headline too. Raises Fenced."""
        figures = json.dumps(metrics)
        with self._database.writing() as connection:
            lease.end_run(connection, run, attempt, RunState.DONE, now=clock.now(), headline=figures)
            row = _row(connection, run)
            if row.kind == scheduling.MEASURE_KIND:
                measured = _row(connection, row.about)
                _change(connection, row.about, headline=json.dumps(json.loads(measured.headline) | metrics))
                run = row.about
            self._record(connection, run)

    def fail(self, run: int, attempt: int, reason: str) -> None:
        """Ends a run badly, with a sentence that a person understands. Raises Fenced."""
        with self._database.writing() as connection:
            lease.end_run(connection, run, attempt, RunState.FAILED, now=clock.now(), error=reason)

    def mark_cancelled(self, run: int, attempt: int) -> None:
        """Ends a run that somebody asked to stop. Raises Fenced."""
        with self._database.writing() as connection:
            lease.end_run(connection, run, attempt, RunState.CANCELLED, now=clock.now())

    def requeue(self, run: int, attempt: int) -> None:
        """Puts a run back to its old place in the queue: it gave way, or its worker leaves. Raises Fenced."""
        with self._database.writing() as connection:
            lease.requeue(connection, run, attempt, now=clock.now())

    def mark_crashed(self, run: int, attempt: int, reason: str) -> None:
        """Deals with a dead runner: the run starts again once; then it has failed, for this reason. Raises Fenced."""
        with self._database.writing() as connection:
            lease.mark_crashed(connection, run, attempt, reason, now=clock.now())

    def expire_leases(self) -> list[int]:
        """Takes runs away from workers that have gone silent, and gives their ids: each starts again once."""
        with self._database.writing() as connection:
            return lease.expire_leases(connection, clock.now())

    def left(self) -> dict[int, RunState]:
        """The runs in progress whose worker has gone silent, and what each becomes as soon as a worker is there."""
        with self._database.reading() as connection:
            return lease.left(connection, clock.now())

    def seconds_per_image(self, device: str, classifier: str, *, kind: str = "unlearn") -> float | None:
        """What a training picture of this classifier lately took on this device: the median of 20 runs of that kind.

        None while there is none: what another classifier takes says nothing about this one.
        """
        ours = (RUN.c.kind == kind) & (RUN.c.state == RunState.DONE) & (RUN.c.device == device)
        with self._database.reading() as connection:
            recent = select(RUN.c.spec, RUN.c.headline).where(ours, rows.mentions_classifier(classifier))
            lately = connection.execute(recent.order_by(RUN.c.id.desc()).limit(20)).all()
        exact = [row.headline for row in lately if json.loads(row.spec)["request"]["classifier"] == classifier]
        found = [json.loads(text).get("seconds_per_picture") for text in exact]
        known = [seconds for seconds in found if seconds is not None]
        return statistics.median(known) if known else None

    def worker_heartbeat(self, name: str, *, device: str, pid: int, code: str, state: str) -> None:
        """Says that a worker is alive, and what it does: starting, idle, busy or leaving."""
        with self._database.writing() as connection:
            workers.heartbeat(connection, WorkerRow(name, device, pid, code, state), clock.now())

    def deregister_worker(self, name: str) -> None:
        """Strikes a worker off the list."""
        with self._database.writing() as connection:
            workers.deregister(connection, name)

    def workers(self) -> list[WorkerRow]:
        """The workers that are alive."""
        with self._database.reading() as connection:
            return workers.list_alive(connection, clock.now())

    def list_runs(
        self,
        *,
        kinds: Collection[str] | None = None,
        states: Collection[RunState] | None = None,
        owner: str | None = None,
        limit: int = 200,
    ) -> list[Run]:
        """Runs, the newest first; of all kinds, states and owners unless some are named."""
        wanted = select(RUN).order_by(RUN.c.id.desc()).limit(limit)
        for column, values in ((RUN.c.kind, kinds), (RUN.c.state, states), (RUN.c.owner, owner and (owner,))):
            wanted = wanted if values is None else wanted.where(column.in_(values))
        with self._database.reading() as connection:
            return [rows.to_run(row) for row in connection.execute(wanted)]

    def _begin(self, connection: Connection, run: int) -> bool:
        """Makes the folder of a run that was just taken. Where another run's is in its place, this one has failed."""
        row = _row(connection, run)
        if row.attempt > 1:
            if row.kind != RESUMED:
                artifacts.clear_folder(self.data_dir, run)
            return True
        if artifacts.make_folder(self.data_dir, run):
            return True
        end = {"state": RunState.FAILED, "attempt": 0, "worker": None, "lease": None, "finished": time.time()}
        _change(connection, run, **end, error=self._in_the_way(run))
        return False

    def _in_the_way(self, run: int) -> str:
        folder = artifacts.run_dir(self.data_dir, run)
        return f"The folder {folder} holds another run, so run {run} was not begun. Start it again."

    def _record(self, connection: Connection, run: int) -> None:
        """Writes what the row of a finished run says into its folder, from where a lost database is restored."""
        found = rows.to_run(_row(connection, run))
        if found.state is RunState.DONE and found.spec.kind not in (
            *scheduling.SEPARATE_KINDS,
            scheduling.MEASURE_KIND,
        ):
            restore.record(self.data_dir, found)


def _insert(connection: Connection, row: dict[str, Any]) -> int:
    return connection.execute(insert(RUN).values(row).returning(RUN.c.id)).scalar_one()


def _row(connection: Connection, run: int) -> Row:
    row = connection.execute(select(RUN).where(RUN.c.id == run)).one_or_none()
    if row is None:
        raise NotFoundError("run", run, [])
    return row


def _change(connection: Connection, run: int, **values: Any) -> None:
    connection.execute(update(RUN).where(RUN.c.id == run).values(**values))
