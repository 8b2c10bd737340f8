"""The queue as people see it: what runs, and who waits in which order; what they may not read is only counted."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from unlearn_core.domain.run import UNFINISHED_STATES, Run
from unlearn_core.store.access.readers import Readers
from unlearn_core.store.access.rules import Access
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import READER, RUN
from unlearn_core.store.queue import class_mode, clock, scheduling, workers
from unlearn_core.store.queue.workers import WorkerRow


class Entry(NamedTuple):
    """A run that runs or waits. `run` is None if whoever looks may not read it."""

    number: int
    run: Run | None
    readers: Readers


class Queue(NamedTuple):
    """The live workers, what runs, what waits in the order of its start, and how many of those are one's own.

    `beside` counts unfinished jobs that have their own queues, by kind.
    """

    workers: list[WorkerRow]
    running: list[Entry]
    waiting: list[Entry]
    own_waiting: int
    beside: dict[str, int]
    is_class: bool


class QueueView:
    """The queue of one data folder."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database, self._access = database, access

    def now(self) -> Queue:
        """Return the queue as whoever acts may see it."""
        moment = clock.now()
        with self._database.reading() as connection:
            running = list(connection.execute(scheduling.running_beside(scheduling.MEASURE_KIND)).scalars())
            waiting = scheduling.queued_in_order(connection, scheduling.MEASURE_KIND, moment.date)
            entries = self._entries(connection, [*running, *waiting])
            alive = workers.list_alive(connection, moment)
            return Queue(
                alive,
                [entries[run] for run in running],
                [entries[run] for run in waiting],
                sum(entries[run].readers.has_me for run in waiting),
                _beside(connection),
                class_mode.is_on(connection),
            )

    def is_class(self) -> bool:
        """Return whether a class is being held."""
        with self._database.reading() as connection:
            return class_mode.is_on(connection)

    def hold_class(self, *, on: bool) -> None:
        """Begin or end a class. Raises NotAllowedError: only the operator may."""
        self._access.require_operator()
        with self._database.writing() as connection:
            class_mode.switch(connection, on=on)

    def _entries(self, connection: Connection, runs: list[int]) -> dict[int, Entry]:
        me = self._access.actor.id
        found = connection.execute(select(RUN).where(RUN.c.id.in_(runs), self._access.readable(RUN))).all()
        readable = {run.id: self._access.seen(run) for run in rows.to_runs(found)}
        mine = set(connection.execute(select(RUN.c.id).where(RUN.c.id.in_(runs), rows.belongs_to([me]))).scalars())
        counted = select(READER.c.run, func.count()).where(READER.c.run.in_(runs)).group_by(READER.c.run)
        readers = {row[0]: row[1] for row in connection.execute(counted)}
        return {
            run: Entry(run, readable.get(run), Readers(run in mine, readers.get(run, 1) - (run in mine)))
            for run in runs
        }


def _beside(connection: Connection) -> dict[str, int]:
    counted = select(RUN.c.kind, func.count()).where(
        RUN.c.kind.in_(scheduling.SEPARATE_KINDS), RUN.c.state.in_(UNFINISHED_STATES)
    )
    return {row[0]: row[1] for row in connection.execute(counted.group_by(RUN.c.kind))}
