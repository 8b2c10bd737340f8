"""What a worker may do with a run: take it, keep it alive, give it back, end it. All of it is fenced.

Who works on a run holds its lease and its attempt number. What is reported later than that changes nothing and raises
Fenced, and a finished state is never overwritten.
"""

import os
import socket
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select, update

from unlearn_core.domain.errors import Fenced
from unlearn_core.domain.run import Point, Progress, RunState
from unlearn_core.store import queue, rows
from unlearn_core.store.processes import lives
from unlearn_core.store.schema import POINT, RUN

LEASE = 5.0
"""Seconds after which a run whose worker is silent is taken from it."""

LIVES = 2
"""How often the process that works on a run may die before the run is given up."""

MAKER = "maker"
"""The first word of who holds a run that is made outside of every worker; host and process id follow."""

DAY = 86_400.0
"""Seconds that a run is left to a maker on another machine, whose life cannot be seen from here."""


class Wish(NamedTuple):
    """What a worker learns when it says that it is alive. `give_way`: something of higher priority waits."""

    cancel: bool
    give_way: bool


def claim(connection: Connection, worker: str, *, device: str, kinds: Collection[str], now: float) -> int | None:
    """Gives the next run to this worker."""
    run = queue.next_of(connection, kinds, now)
    return run if run is not None and take(connection, run, worker, device=device, now=now) else None


def take(connection: Connection, run: int, worker: str, *, device: str, now: float) -> bool:
    """Gives this run to this worker, if it still waits."""
    taken = connection.execute(
        update(RUN)
        # On a database without SQLite's single writer, two workers may have chosen the same run: one gets it.
        .where(RUN.c.id == run, RUN.c.state == RunState.QUEUED)
        .values(state=RunState.RUNNING, attempt=RUN.c.attempt + 1, worker=worker, device=device, lease=now + LEASE)
        .values(started=now, progress=None, error=None)
    )
    if taken.rowcount == 0:
        return False
    connection.execute(delete(POINT).where(POINT.c.run == run))
    return True


def to_maker(device: str, now: float) -> dict[str, Any]:
    """What a row says of a run that this very process makes."""
    holder = f"{MAKER} {socket.gethostname()} {os.getpid()}"
    return {"state": RunState.RUNNING, "attempt": 1, "device": device, "worker": holder, "lease": now + LEASE}


def beat(
    connection: Connection,
    run: int,
    attempt: int,
    *,
    progress: Progress | None,
    points: Sequence[Point],
    now: float,
) -> Wish:
    """Extends the lease, adds what is new, and tells what is wished of the run."""
    news = {} if progress is None else {"progress": rows.progress(progress)}
    _change(connection, run, attempt, lease=now + LEASE, **news)
    if points:
        connection.execute(insert(POINT), [point._asdict() | {"run": run} for point in points])
    row = connection.execute(select(RUN.c.cancelling, RUN.c.kind, RUN.c.priority).where(RUN.c.id == run)).one()
    return Wish(row.cancelling, queue.more_urgent(connection, row.kind, row.priority))


def end(connection: Connection, run: int, attempt: int, state: RunState, *, now: float, **values: Any) -> None:
    """Ends a run in a finished state."""
    _change(connection, run, attempt, state=state, finished=now, lease=None, cancelling=False, **values)


def give_back(connection: Connection, run: int, attempt: int, *, now: float) -> None:
    """Puts a run back to its old place in the queue, or ends it where somebody asked for that meanwhile."""
    if _row(connection, run, attempt).cancelling:
        end(connection, run, attempt, RunState.CANCELLED, now=now)
    else:
        _change(connection, run, attempt, state=RunState.QUEUED, started=None, worker=None, lease=None)


def lose(connection: Connection, run: int, attempt: int, reason: str, *, now: float) -> None:
    """Deals with the death of the process that worked on a run: once it starts again, then it has failed."""
    row = _row(connection, run, attempt)
    if row.deaths + 1 >= LIVES and not row.cancelling:
        end(connection, run, attempt, RunState.FAILED, now=now, error=reason)
    else:
        _change(connection, run, attempt, deaths=row.deaths + 1)
        give_back(connection, run, attempt, now=now)


def settle(connection: Connection, now: float) -> list[int]:
    """Deals with all runs whose worker or maker has been silent for too long."""
    silent = select(RUN.c.id, RUN.c.attempt, RUN.c.worker, RUN.c.lease)
    found = []
    for row in connection.execute(silent.where(RUN.c.state == RunState.RUNNING, RUN.c.lease < now)).all():
        with suppress(Fenced):  # on a database that lets two write at once, somebody else was faster
            if not row.worker.startswith(MAKER):
                lose(connection, row.id, row.attempt, _SILENT, now=now)
            elif not _at_it(row.worker, row.lease, now):
                end(connection, row.id, row.attempt, RunState.FAILED, now=now, error=_UNFINISHED)
            else:
                continue
            found.append(row.id)
    return found


def _at_it(maker: str, lease: float, now: float) -> bool:
    _, host, pid = maker.split(" ")
    return lives(int(pid)) if host == socket.gethostname() else now < lease + DAY


_SILENT = (
    "The process that ran it died twice, and its worker with it. Look at the end of worker.log in the data folder; "
    "often the machine ran out of memory. Then start the run again, perhaps with a smaller batch size."
)

_UNFINISHED = "The program that made this run ended before the run was over. Start that program again."


def _row(connection: Connection, run: int, attempt: int) -> Row:
    row = connection.execute(select(RUN).where(_held(run, attempt))).one_or_none()
    if row is None:
        raise _fenced(run)
    return row


def _change(connection: Connection, run: int, attempt: int, **values: Any) -> None:
    if connection.execute(update(RUN).where(_held(run, attempt)).values(**values)).rowcount == 0:
        raise _fenced(run)


def _held(run: int, attempt: int):
    return (RUN.c.id == run) & (RUN.c.attempt == attempt) & (RUN.c.state == RunState.RUNNING)


def _fenced(run: int) -> Fenced:
    return Fenced(f"Run {run} is no longer in these hands: it is over, or was given to another worker. Drop the work.")
