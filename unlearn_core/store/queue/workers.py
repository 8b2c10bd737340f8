"""Which workers are alive: a row each, renewed every second."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from unlearn_core.store.db.schema import WORKER
from unlearn_core.store.queue import clock
from unlearn_core.store.queue.clock import Now

ALIVE_SECONDS = 5.0
"""Seconds of silence after which a worker is taken for dead."""

RETENTION_SECONDS = 300.0
"""Seconds after which the row of a dead one goes."""


class WorkerRow(NamedTuple):
    """A worker that is alive; `state` is starting, idle, busy or leaving."""

    name: str
    device: str
    pid: int
    code: str
    state: str


def heartbeat(connection: Connection, worker: WorkerRow, now: Now) -> None:
    """Writes the row of a worker anew, and forgets those that died long ago."""
    old = ~clock.within(WORKER, WORKER.c.seen, now, -RETENTION_SECONDS, 0.0)
    connection.execute(delete(WORKER).where((WORKER.c.name == worker.name) | old))
    connection.execute(insert(WORKER).values(**worker._asdict(), **clock.stamp("seen", now)))


def deregister(connection: Connection, name: str) -> None:
    """Takes a worker off the list."""
    connection.execute(delete(WORKER).where(WORKER.c.name == name))


def list_alive(connection: Connection, now: Now) -> list[WorkerRow]:
    """The workers that were heard of lately, by name."""
    columns = [WORKER.c[name] for name in WorkerRow._fields]
    recent = (
        select(*columns).where(clock.within(WORKER, WORKER.c.seen, now, -ALIVE_SECONDS, 0.0)).order_by(WORKER.c.name)
    )
    return [WorkerRow(*row) for row in connection.execute(recent)]
