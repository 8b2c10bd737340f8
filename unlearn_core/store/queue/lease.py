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

from unlearn_core.domain.errors import LeaseLostError
from unlearn_core.domain.run import CurvePoint, Progress, RunState
from unlearn_core.store.db import rows
from unlearn_core.store.db.schema import POINT, RUN
from unlearn_core.store.queue import clock, scheduling
from unlearn_core.store.queue.clock import Now
from unlearn_core.store.queue.processes import birth, is_alive

LEASE_SECONDS = 5.0
"""Seconds after which a run whose worker is silent is taken from it."""

MAX_DEATHS = 2
"""How often the process that works on a run may die before the run is given up."""

LOCAL_PROCESS = "maker"
"""The first word of who holds a run that is made outside of every worker; host, process id and birth follow."""

REMOTE_MAKER_TIMEOUT = 86_400.0
"""Seconds that a run is left to a maker whose life cannot be seen from here, or of whom only the id is known."""


class ControlSignal(NamedTuple):
    """What a worker learns when it says that it is alive. `give_way`: something of higher priority waits."""

    cancel: bool
    preempt: bool


def claim(connection: Connection, worker: str, *, device: str, kinds: Collection[str], now: Now) -> int | None:
    """Gives the next run to this worker."""
    run = scheduling.next_run(connection, kinds, now.date)
    return run if run is not None and claim_run(connection, run, worker, device=device, now=now) else None


def claim_run(connection: Connection, run: int, worker: str, *, device: str, now: Now) -> bool:
    """Gives this run to this worker, if it still waits."""
    taken = connection.execute(
        update(RUN)
        # On a database without SQLite's single writer, two workers may have chosen the same run: one gets it.
        .where(RUN.c.id == run, RUN.c.state == RunState.QUEUED)
        .values(state=RunState.RUNNING, attempt=RUN.c.attempt + 1, worker=worker, device=device, **_held_from(now))
        .values(started=now.date, progress=None, error=None)
    )
    if taken.rowcount == 0:
        return False
    connection.execute(delete(POINT).where(POINT.c.run == run))
    return True


def local_lease(device: str, now: Now) -> dict[str, Any]:
    """What a row says of a run that this very process makes."""
    holder = f"{LOCAL_PROCESS} {socket.gethostname()} {os.getpid()} {birth(os.getpid()) or ''}"
    return {"state": RunState.RUNNING, "attempt": 1, "device": device, "worker": holder, **_held_from(now)}


def heartbeat(
    connection: Connection,
    run: int,
    attempt: int,
    *,
    progress: Progress | None,
    points: Sequence[CurvePoint],
    now: Now,
) -> ControlSignal:
    """Extends the lease, adds what is new, and tells what is wished of the run."""
    news = {} if progress is None else {"progress": rows.dump_progress(progress)}
    _change(connection, run, attempt, **_held_from(now), **news)
    if points:
        connection.execute(insert(POINT), [point._asdict() | {"run": run} for point in points])
    row = connection.execute(select(RUN.c.cancelling, RUN.c.kind, RUN.c.priority).where(RUN.c.id == run)).one()
    return ControlSignal(row.cancelling, scheduling.has_higher_priority(connection, row.kind, row.priority))


def end_run(connection: Connection, run: int, attempt: int, state: RunState, *, now: Now, **values: Any) -> None:
    """Ends a run in a finished state."""
    values |= _UNHELD
    _change(connection, run, attempt, state=state, finished=now.date, cancelling=False, **values)


def requeue(connection: Connection, run: int, attempt: int, *, now: Now) -> None:
    """Puts a run back to its old place in the queue, or ends it where somebody asked for that meanwhile."""
    if _row(connection, run, attempt).cancelling:
        end_run(connection, run, attempt, RunState.CANCELLED, now=now)
    else:
        _change(connection, run, attempt, state=RunState.QUEUED, started=None, worker=None, **_UNHELD)


def mark_crashed(connection: Connection, run: int, attempt: int, reason: str, *, now: Now) -> None:
    """Deals with the death of the process that worked on a run: once it starts again, then it has failed."""
    row = _row(connection, run, attempt)
    if _fate(row) is RunState.FAILED:
        end_run(connection, run, attempt, RunState.FAILED, now=now, error=reason)
    else:
        _change(connection, run, attempt, deaths=row.deaths + 1)
        requeue(connection, run, attempt, now=now)


def expire_leases(connection: Connection, now: Now) -> list[int]:
    """Deals with all runs whose worker or maker has been silent for too long."""
    found = []
    for row in _left(connection, now):
        with suppress(LeaseLostError):  # on a database that lets two write at once, somebody else was faster
            if _is_made(row):
                end_run(connection, row.id, row.attempt, RunState.FAILED, now=now, error=_UNFINISHED)
            else:
                mark_crashed(connection, row.id, row.attempt, _DIED_TWICE, now=now)
            found.append(row.id)
    return found


def left(connection: Connection, now: Now) -> dict[int, RunState]:
    """The runs with which `settle` would have to deal now, and the state into which it would put each."""
    return {row.id: _fate(row) for row in _left(connection, now)}


def _left(connection: Connection, now: Now) -> list[Row]:
    silent = (RUN.c.state == RunState.RUNNING) & ~clock.within(RUN, RUN.c.lease, now, 0.0, LEASE_SECONDS)
    return [
        row for row in connection.execute(select(RUN).where(silent)) if not (_is_made(row) and _maker_alive(row, now))
    ]


def _fate(row: Row) -> RunState:
    """What becomes of a run when the process that worked on it has died."""
    if row.cancelling and not _is_made(row):
        return RunState.CANCELLED
    return RunState.FAILED if _is_made(row) or row.deaths + 1 >= MAX_DEATHS else RunState.QUEUED


def _is_made(row: Row) -> bool:
    return row.worker.startswith(f"{LOCAL_PROCESS} ")


def _maker_alive(row: Row, now: Now) -> bool:
    """Whether the maker of a run lives; the releases before this one have not written down when it was born."""
    host, pid, born = f"{row.worker} ".split(" ", 3)[1:]
    here = host == socket.gethostname()
    if here and not is_alive(int(pid), born.strip() or None):
        return False
    return (here and born.strip() != "") or abs(now.date - row.lease) < REMOTE_MAKER_TIMEOUT


_DIED_TWICE = (
    "The process that ran it died twice, and its worker with it. Look at the end of worker.log in the data folder; "
    "often the machine ran out of memory. Then start the run again, perhaps with a smaller batch size."
)

_UNFINISHED = "The program that made this run ended before the run was over. Start that program again."


def _row(connection: Connection, run: int, attempt: int) -> Row:
    row = connection.execute(select(RUN).where(_lease_filter(run, attempt))).one_or_none()
    if row is None:
        raise _lease_lost(run)
    return row


def _change(connection: Connection, run: int, attempt: int, **values: Any) -> None:
    if connection.execute(update(RUN).where(_lease_filter(run, attempt)).values(**values)).rowcount == 0:
        raise _lease_lost(run)


def _held_from(now: Now) -> dict[str, Any]:
    return clock.stamp("lease", now, LEASE_SECONDS)


_UNHELD = clock.unset("lease")


def _lease_filter(run: int, attempt: int):
    return (RUN.c.id == run) & (RUN.c.attempt == attempt) & (RUN.c.state == RunState.RUNNING)


def _lease_lost(run: int) -> LeaseLostError:
    return LeaseLostError(
        f"Run {run} is no longer in these hands: it is over, or was given to another worker. Drop the work."
    )
