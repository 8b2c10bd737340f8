"""The runs of all methods on one forget request: queue those that are missing, find them again, and list the groups."""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, case, func, insert, select

from unlearn_core.domain.errors import DamagedRunError
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.run import UNFINISHED_STATES, Priority, Run, RunState
from unlearn_core.store.access import readers
from unlearn_core.store.access.rules import Access
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import RUN
from unlearn_core.store.queue import same_run, scheduling

GROUP_PREFIX = "methods-"


class MethodGroup(NamedTuple):
    """A group of runs in brief: its newest run, and how many runs it has and how many of them are unfinished."""

    newest: Run
    runs: int
    unfinished: int


def method_group(spec: UnlearnSpec) -> str:
    """Return the group of the runs of all methods on this spec's request, from the same start with the same seed."""
    start = "" if spec.start is None else f"-after-{spec.start}"
    return f"{GROUP_PREFIX}{spec.request.fingerprint()}{start}-{spec.seed}"


class MethodRuns:
    """The runs of all methods in one data folder."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database, self._access = database, access

    def submit(self, wanted: Mapping[str, UnlearnSpec | TrainGoldSpec], *, owner: str | None = None) -> list[int]:
        """Queue the runs with these specs, by their titles, that are neither done, queued nor running; all or none.

        Runs of methods wait for runs that people start, and the training of a retrained model waits for both. Returns
        the new runs. Raises StoreError if the queue is full.
        """
        owner, new, now = self._access.owner(owner), list[int](), time.time()
        readable = self._access.listed(RUN)
        with self._database.writing() as connection:
            for title, spec in wanted.items():
                self._access.check_spec(connection, spec)
                is_method = isinstance(spec, UnlearnSpec)
                priority = Priority.SWEEP if is_method else Priority.BACKGROUND
                row = rows.new_row(spec, title=title, owner=owner, priority=priority, now=now)
                same = same_run.find_unfinished(connection, row, readable)
                if same is not None:
                    readers.join(connection, same, owner, priority=priority, now=now)
                    continue
                # The files of a retrained model can be gone although its training is done, so the caller decides.
                if is_method and _is_done(connection, row, readable):
                    continue
                scheduling.check_quota(connection, spec.kind, owner)
                row |= {"group": method_group(spec) if is_method else None}
                new.append(connection.execute(insert(RUN).values(row).returning(RUN.c.id)).scalar_one())
        return new

    def runs_of(self, specs: Iterable[UnlearnSpec | TrainGoldSpec]) -> list[Run | None]:
        """Return the run of each spec: the newest that is done, else the newest unfinished one, else the newest."""
        keys = [_key(spec) for spec in specs]
        requests, texts = {request for request, _ in keys}, [text for _, text in keys]
        wanted = select(RUN).where(RUN.c.request.in_(requests), RUN.c.spec.in_(texts), self._access.listed(RUN))
        with self._database.reading() as connection:
            found = connection.execute(wanted).all()
        best: dict[str, Run] = {}
        for row in sorted(found, key=lambda row: (row.state == RunState.DONE, row.state in UNFINISHED_STATES, row.id)):
            with suppress(DamagedRunError):
                best[row.spec] = rows.to_run(row)
        return [best.get(text) for text in texts]

    def list_recent(self, *, limit: int = 20) -> list[MethodGroup]:
        """Return the groups of runs that were queued here together, newest first."""
        unfinished = func.sum(case((RUN.c.state.in_(UNFINISHED_STATES), 1), else_=0))
        newest = func.max(RUN.c.id)
        wanted = (
            select(newest.label("newest"), func.count().label("runs"), unfinished.label("unfinished"))
            .where(RUN.c.group.startswith(GROUP_PREFIX), self._access.listed(RUN))
            .group_by(RUN.c.group)
            .order_by(newest.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            groups = connection.execute(wanted).all()
            found = connection.execute(select(RUN).where(RUN.c.id.in_([group.newest for group in groups]))).all()
        runs = {run.id: run for run in rows.to_runs(found)}
        return [
            MethodGroup(runs[group.newest], group.runs, int(group.unfinished))
            for group in groups
            if group.newest in runs
        ]


def _key(spec: UnlearnSpec | TrainGoldSpec) -> tuple[str, str]:
    """The columns by which a run with this spec is found: those of its request, which has an index, and its spec."""
    row = rows.new_row(spec, title="", owner="", priority=Priority.SWEEP, now=0.0)
    return row["request"], row["spec"]


def _is_done(connection: Connection, row: Mapping[str, Any], readable: ColumnElement[bool]) -> bool:
    same = (RUN.c.request == row["request"]) & (RUN.c.spec == row["spec"])
    done = select(RUN.c.id).where(same, RUN.c.state == RunState.DONE, readable)
    return connection.execute(done.limit(1)).first() is not None
