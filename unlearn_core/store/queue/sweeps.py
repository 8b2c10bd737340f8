"""Sweeps and their trials: each trial is a queued run, stored with its sampler attributes in one transaction.

The worker that holds the lease of a sweep rebuilds the sampler from these rows. A crash therefore loses nothing, and
each trial is counted exactly once, because its number is assigned once.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, or_, select, update

from unlearn_core.domain.errors import DamagedSweepError, StoreError
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import UNFINISHED_STATES, Priority, RunState
from unlearn_core.domain.sweeps.sweep import Sweep, SweepFindings, SweepSpec, SweepState, Trial, sweep_group
from unlearn_core.store.access.rules import Access
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import RUN, SWEEP, TRIAL
from unlearn_core.store.files import shipped_runs
from unlearn_core.store.queue import clock
from unlearn_core.store.queue.clock import LEASE_SECONDS


class SweepStore:
    """The sweeps of one data folder."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database, self._access = database, access

    def submit(self, spec: SweepSpec, *, title: str, owner: str | None = None) -> int:
        """Start a sweep and return its number; `title` is the title of each of its runs."""
        row = {"spec": spec.model_dump_json(), "title": title, "owner": self._access.owner(owner), "facts": "{}"}
        with self._database.writing() as connection:
            self._access.check_spec(connection, spec)
            statement = insert(SWEEP).values(**row, state=SweepState.RUNNING, created=time.time())
            return connection.execute(statement.returning(SWEEP.c.id)).scalar_one()

    def get(self, sweep: int) -> Sweep:
        """Return one sweep; the number of the one that ships is negative. Raises NotFoundError or DamagedSweepError."""
        if sweep == shipped_runs.SWEEP_NUMBER:
            return shipped_runs.shipped_sweep()
        with self._database.reading() as connection:
            return _sweep(self._access.row(connection, SWEEP, sweep))

    def list_recent(self, *, limit: int = 50) -> list[Sweep]:
        """Return sweeps, newest first, without those that are damaged."""
        found: list[Sweep] = []
        wanted = select(SWEEP).where(self._access.readable(SWEEP)).order_by(SWEEP.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            for row in connection.execute(wanted):
                with suppress(DamagedSweepError):
                    found.append(_sweep(row))
        return found

    def trials(self, sweep: int) -> list[Trial]:
        """Return every trial of a sweep, in order. Raises DamagedSweepError if one of them cannot be read."""
        if sweep == shipped_runs.SWEEP_NUMBER:
            return shipped_runs.shipped_trials()
        with self._database.reading() as connection:
            self._access.row(connection, SWEEP, sweep)
            return [_trial(row) for row in connection.execute(_trials_of(sweep)).all()]

    def version(self, sweep: int) -> str:
        """Return a checksum of a sweep and of its trials with their results; it changes with any of them."""
        if sweep == shipped_runs.SWEEP_NUMBER:
            return "shipped"
        with self._database.reading() as connection:
            found = [self._access.row(connection, SWEEP, sweep), *connection.execute(_trials_of(sweep)).all()]
        return sha256(json.dumps([tuple(row) for row in found]).encode()).hexdigest()

    def finished_counts(self, sweeps: list[int]) -> dict[int, int]:
        """Return how many trials of each of these sweeps have ended."""
        wanted = (
            select(TRIAL.c.sweep, func.count())
            .outerjoin(RUN, TRIAL.c.run == RUN.c.id)
            .where(
                TRIAL.c.sweep.in_(self._readable(sweeps)),
                or_(RUN.c.id.is_(None), RUN.c.state.not_in(UNFINISHED_STATES)),
            )
            .group_by(TRIAL.c.sweep)
        )
        with self._database.reading() as connection:
            return dict.fromkeys(sweeps, 0) | {row[0]: row[1] for row in connection.execute(wanted)}

    def count_unfinished(self, sweep: int) -> int:
        """Return how many trials of a sweep are queued or running."""
        mine = TRIAL.c.sweep.in_(self._readable([sweep]))
        wanted = select(func.count()).select_from(TRIAL).join(RUN, TRIAL.c.run == RUN.c.id)
        with self._database.reading() as connection:
            return connection.execute(wanted.where(mine, RUN.c.state.in_(UNFINISHED_STATES))).scalar_one()

    def _readable(self, sweeps: list[int]) -> Select[Any]:
        return select(SWEEP.c.id).where(SWEEP.c.id.in_(sweeps), self._access.readable(SWEEP))

    def pause(self, sweep: int) -> None:
        """Pause a sweep: running trials finish, queued ones are withdrawn, and none are added."""
        with self._database.writing() as connection:
            self._access.own_row(connection, SWEEP, sweep)
            if not _transition(connection, sweep, SweepState.RUNNING, SweepState.PAUSED):
                return
            not_started = select(RUN.c.id).where(RUN.c.state == RunState.QUEUED, RUN.c.attempt == 0)
            waiting = [
                row.run
                for row in connection.execute(
                    select(TRIAL.c.run).where(TRIAL.c.sweep == sweep, TRIAL.c.run.in_(not_started))
                )
            ]
            connection.execute(delete(TRIAL).where(TRIAL.c.run.in_(waiting)))
            connection.execute(delete(RUN).where(RUN.c.id.in_(waiting)))

    def resume(self, sweep: int) -> None:
        """Resume a paused sweep."""
        with self._database.writing() as connection:
            self._access.own_row(connection, SWEEP, sweep)
            _transition(connection, sweep, SweepState.PAUSED, SweepState.RUNNING)

    def cancel(self, sweep: int) -> None:
        """Cancel a sweep and its unfinished runs; finished ones stay."""
        now = time.time()
        with self._database.writing() as connection:
            if SweepState(self._access.own_row(connection, SWEEP, sweep).state).is_finished:
                return
            _change(connection, SWEEP.c.id == sweep, state=SweepState.CANCELLED, finished=now)
            own = RUN.c.id.in_(select(TRIAL.c.run).where(TRIAL.c.sweep == sweep))
            queued, running = (own & (RUN.c.state == state) for state in UNFINISHED_STATES)
            connection.execute(update(RUN).where(queued).values(state=RunState.CANCELLED, finished=now))
            connection.execute(update(RUN).where(running).values(cancelling=True))

    def delete(self, sweep: int) -> None:
        """Delete a finished sweep; its runs stay in the history. Raises StoreError if it is unfinished."""
        with self._database.writing() as connection:
            if not SweepState(self._access.own_row(connection, SWEEP, sweep).state).is_finished:
                raise StoreError(f"Sweep {sweep} is not finished: cancel it first, then delete it.")
            connection.execute(delete(SWEEP).where(SWEEP.c.id == sweep))

    def acquire_leases(self, worker: str) -> list[Sweep]:
        """Return the running sweeps that this worker holds, after taking over those without a live holder.

        A sweep that cannot be read fails.
        """
        self._access.require_operator()
        now = clock.now()
        mine, free = SWEEP.c.worker == worker, or_(SWEEP.c.lease.is_(None), ~_leased(now, 0.0))
        fresh = func.coalesce(_leased(now, LEASE_SECONDS / 2), False).label("fresh")
        wanted = select(SWEEP, fresh).where(SWEEP.c.state == SweepState.RUNNING, or_(mine, free)).order_by(SWEEP.c.id)
        with self._database.reading() as connection:
            found = connection.execute(wanted).all()
        held: list[Sweep] = []
        for row in found:
            if row.worker != worker or not row.fresh:
                with self._database.writing() as connection:
                    still = (SWEEP.c.id == row.id) & (SWEEP.c.state == SweepState.RUNNING) & or_(mine, free)
                    if not _change(connection, still, worker=worker, **clock.stamp("lease", now, LEASE_SECONDS)):
                        continue
            try:
                held.append(_sweep(row))
            except DamagedSweepError as problem:
                self.end(row.id, worker, SweepState.FAILED, error=str(problem))
        return held

    def release_leases(self, worker: str) -> None:
        """Release the leases of this worker on its sweeps."""
        self._access.require_operator()
        with self._database.writing() as connection:
            _change(connection, SWEEP.c.worker == worker, **clock.unset("lease"))

    def add_trial(
        self, sweep: Sweep, worker: str, *, number: int, params: Mapping[str, Any], attributes: Mapping[str, Any]
    ) -> int | None:
        """Queue the run of a new trial at low priority and return the run's number.

        None if this worker no longer holds the sweep, the sweep is not running, or the trial already exists.
        """
        self._access.require_operator()
        values = dict(params)
        row = rows.new_row(
            sweep.spec.run_spec(values), title=sweep.title, owner=sweep.owner, priority=Priority.SWEEP, now=time.time()
        )
        own = (TRIAL.c.sweep == sweep.id) & (TRIAL.c.number == number)
        with self._database.writing() as connection:
            held = connection.execute(select(SWEEP.c.id).where(_lease_filter(sweep.id, worker))).first()
            if held is None or connection.execute(select(TRIAL.c.number).where(own)).first() is not None:
                return None
            statement = insert(RUN).values(**row, group=sweep_group(sweep.id)).returning(RUN.c.id)
            run = connection.execute(statement).scalar_one()
            texts = {"params": json.dumps(values), "attributes": json.dumps(dict(attributes))}
            connection.execute(insert(TRIAL).values(sweep=sweep.id, number=number, run=run, **texts))
            return run

    def set_findings(self, sweep: int, worker: str, findings: SweepFindings) -> None:
        """Store what was computed from all trials of a sweep that this worker holds."""
        self._access.require_operator()
        text = findings.model_dump_json(by_alias=True, exclude_unset=True)
        with self._database.writing() as connection:
            _change(connection, _lease_filter(sweep, worker), facts=text)

    def end(self, sweep: int, worker: str, state: SweepState, *, error: str | None = None) -> None:
        """End a sweep that this worker holds."""
        self._access.require_operator()
        with self._database.writing() as connection:
            _change(
                connection,
                _lease_filter(sweep, worker),
                state=state,
                finished=time.time(),
                error=error,
                **clock.unset("lease"),
            )

    def prune_trial(self, run: int, reason: str) -> None:
        """Stop a hopeless trial early; the reason becomes the note of its run."""
        self._access.require_operator()
        with self._database.writing() as connection:
            mark = update(TRIAL).where(TRIAL.c.run == run, TRIAL.c.stopped.is_(None)).values(stopped=reason)
            if connection.execute(mark).rowcount:
                running = (RUN.c.id == run) & (RUN.c.state == RunState.RUNNING)
                connection.execute(update(RUN).where(running).values(cancelling=True))
                connection.execute(update(RUN).where(running, RUN.c.note == "").values(note=reason))


def _leased(now: clock.Now, seconds: float) -> ColumnElement[bool]:
    """Whether a sweep's lease lasts at least this many seconds more."""
    return clock.within(SWEEP, SWEEP.c.lease, now, seconds, LEASE_SECONDS)


def _lease_filter(sweep: int, worker: str) -> ColumnElement[bool]:
    return (SWEEP.c.id == sweep) & (SWEEP.c.worker == worker) & (SWEEP.c.state == SweepState.RUNNING)


def _transition(connection: Connection, sweep: int, old: SweepState, new: SweepState) -> bool:
    return _change(connection, (SWEEP.c.id == sweep) & (SWEEP.c.state == old), state=new, **clock.unset("lease"))


def _change(connection: Connection, which: ColumnElement[bool], **values: Any) -> bool:
    return bool(connection.execute(update(SWEEP).where(which).values(**values)).rowcount)


def _sweep(row: Row[Any]) -> Sweep:
    times = {
        name: None if getattr(row, name) is None else datetime.fromtimestamp(getattr(row, name), UTC)
        for name in ("created", "finished")
    }
    fields = {name: getattr(row, name) for name in ("id", "title", "state", "owner", "error")}
    try:
        return Sweep.model_validate(fields | times | {"spec": json.loads(row.spec), "facts": json.loads(row.facts)})
    except ValueError as problem:
        raise DamagedSweepError(row.id, type(problem).__name__) from None


def _trials_of(sweep: int) -> Select[Any]:
    own = (RUN.c.state, RUN.c.error, RUN.c.headline, RUN.c.started, RUN.c.finished)
    wanted = select(TRIAL, *own).outerjoin(RUN, TRIAL.c.run == RUN.c.id).where(TRIAL.c.sweep == sweep)
    return wanted.order_by(TRIAL.c.number)


def _trial(row: Row[Any]) -> Trial:
    try:
        return Trial(
            row.number,
            row.run,
            json.loads(row.params),
            json.loads(row.attributes),
            row.stopped,
            None if row.state is None else RunState(row.state),
            row.error,
            RunMetrics.from_json(row.headline) if row.headline else RunMetrics(),
            row.started,
            row.finished,
        )
    except ValueError as problem:
        raise DamagedSweepError(row.sweep, type(problem).__name__) from None
