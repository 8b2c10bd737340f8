"""The live workers: one row each, renewed every second."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from unlearn_core.store.db.schema import WORKER
from unlearn_core.store.queue import clock
from unlearn_core.store.queue.clock import Now

ALIVE_SECONDS = 5.0
"""Seconds without a heartbeat after which a worker counts as dead."""

RETENTION_SECONDS = 300.0
"""Seconds after which the row of a dead worker is deleted."""


class WorkerRow(NamedTuple):
    """A live worker; `state` is starting, idle, busy or leaving."""

    name: str
    device: str
    pid: int
    code: str
    state: str


def heartbeat(connection: Connection, worker: WorkerRow, now: Now) -> None:
    """Renew the row of a worker, and delete those of workers that died long ago."""
    old = ~clock.within(WORKER, WORKER.c.seen, now, -RETENTION_SECONDS, 0.0)
    connection.execute(delete(WORKER).where((WORKER.c.name == worker.name) | old))
    connection.execute(insert(WORKER).values(**worker._asdict(), **clock.stamp("seen", now)))


def deregister(connection: Connection, name: str) -> None:
    """Remove a worker from the list."""
    connection.execute(delete(WORKER).where(WORKER.c.name == name))


def list_alive(connection: Connection, now: Now) -> list[WorkerRow]:
    """Return the live workers, by name."""
    columns = [WORKER.c[name] for name in WorkerRow._fields]
    recent = (
        select(*columns).where(clock.within(WORKER, WORKER.c.seen, now, -ALIVE_SECONDS, 0.0)).order_by(WORKER.c.name)
    )
    return [WorkerRow(*row) for row in connection.execute(recent)]
