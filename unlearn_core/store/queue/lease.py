"""Leases: how a worker claims a run, extends its lease, returns it to the queue and ends it.

A worker holds a run by its lease and attempt number. A report from an earlier attempt changes nothing and raises
LeaseLostError, and a finished state is never overwritten.
"""

import os
import socket
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from unlearn_core.domain.errors import LeaseLostError
from unlearn_core.domain.run import CurvePoint, Progress, RunState, Silence
from unlearn_core.store.db import rows
from unlearn_core.store.db.schema import POINT, RUN
from unlearn_core.store.queue import class_mode, clock, scheduling
from unlearn_core.store.queue.clock import LEASE_SECONDS, Now
from unlearn_core.store.queue.processes import birth, is_alive

MAX_DEATHS = 2
"""How many crashes of its process make a run fail."""

MAX_LOSSES = 5
"""How many losses of its worker make a run fail: they are rarely its fault, but may be."""

CLOCK_JUMP = 2.0
"""Seconds by which date and uptime may differ about the duration of a run before the date was set meanwhile."""

LOCAL_PROCESS = "maker"
"""The first word of the holder of a run outside any worker; host, process id and start time follow."""

UNVERIFIED_TIMEOUT = 86_400.0
"""Seconds that a local process keeps a run if it cannot be checked from here, or only its id is known."""


class ControlSignal(NamedTuple):
    """What a worker learns from a heartbeat. `preempt`: a run of higher priority is waiting."""

    cancel: bool
    preempt: bool


def claim(connection: Connection, worker: str, *, device: str, kinds: Collection[str], now: Now) -> int | None:
    """Give the next run to this worker."""
    run = scheduling.next_run(connection, kinds, now.date)
    return run if run is not None and claim_run(connection, run, worker, device=device, now=now) else None


def claim_run(connection: Connection, run: int, worker: str, *, device: str, now: Now) -> bool:
    """Give this run to this worker if it is still queued."""
    claimed = connection.execute(
        update(RUN)
        # Without SQLite's single writer, two workers may have chosen the same run: one gets it.
        .where(RUN.c.id == run, RUN.c.state == RunState.QUEUED)
        .values(state=RunState.RUNNING, attempt=RUN.c.attempt + 1, worker=worker, device=device, **_lease_columns(now))
        .values(started=now.date, began=now.uptime, progress=None, silence=None, error=None)
    )
    if claimed.rowcount == 0:
        return False
    connection.execute(delete(POINT).where(POINT.c.run == run))
    return True


def local_lease(device: str, now: Now) -> dict[str, Any]:
    """Return the columns of a run that this process executes itself."""
    holder = f"{LOCAL_PROCESS} {socket.gethostname()} {os.getpid()} {birth(os.getpid()) or ''}"
    own = {"state": RunState.RUNNING, "attempt": 1, "device": device, "worker": holder, "began": now.uptime}
    return own | _lease_columns(now)


def heartbeat(
    connection: Connection,
    run: int,
    attempt: int,
    *,
    progress: Progress | None,
    points: Sequence[CurvePoint],
    silence: Silence | None,
    now: Now,
) -> ControlSignal:
    """Extend the lease, store new progress and points and how long there were none, and return the control signal."""
    changes: dict[str, str | None] = {"silence": None if silence is None else rows.dump_fields(silence)}
    changes |= {} if progress is None else {"progress": rows.dump_fields(progress)}
    _change(connection, run, attempt, **_lease_columns(now), **changes)
    if points:
        connection.execute(insert(POINT), [point._asdict() | {"run": run} for point in points])
    row = connection.execute(select(RUN.c.cancelling, RUN.c.kind, RUN.c.priority).where(RUN.c.id == run)).one()
    outranked = scheduling.has_higher_priority(connection, row.kind, row.priority)
    return ControlSignal(row.cancelling, outranked or class_mode.must_wait(connection, row.priority))


def end_run(connection: Connection, run: int, attempt: int, state: RunState, *, now: Now, **values: Any) -> None:
    """End a run in a finished state."""
    row = _row(connection, run, attempt)
    values |= _NO_LEASE | {"started": _true_start(row, now)}
    _change(connection, run, attempt, state=state, finished=now.date, cancelling=False, **values)


def _true_start(row: Row[Any], now: Now) -> float:
    """Return when a run started by the clock of now, which may have been set since: its duration is by the uptime."""
    started = now.date if row.started is None else float(row.started)
    if row.began is not None and row.boot is not None and row.boot == now.boot:
        by_uptime = now.date - (now.uptime - float(row.began))
        return by_uptime if abs(by_uptime - started) > CLOCK_JUMP else started
    return min(started, now.date)


def requeue(connection: Connection, run: int, attempt: int, *, now: Now) -> None:
    """Return a run to its place in the queue, or end it if it was cancelled meanwhile."""
    if _row(connection, run, attempt).cancelling:
        end_run(connection, run, attempt, RunState.CANCELLED, now=now)
    else:
        _change(connection, run, attempt, state=RunState.QUEUED, started=None, began=None, worker=None, **_NO_LEASE)


def mark_crashed(connection: Connection, run: int, attempt: int, reason: str, *, now: Now) -> None:
    """Handle a crash of the process of a run: the first time it is restarted, then it fails."""
    row = _row(connection, run, attempt)
    if row.deaths + 1 >= MAX_DEATHS and not row.cancelling:
        end_run(connection, run, attempt, RunState.FAILED, now=now, error=reason)
    else:
        _change(connection, run, attempt, deaths=row.deaths + 1)
        requeue(connection, run, attempt, now=now)


def _mark_lost(connection: Connection, row: Row[Any], now: Now) -> None:
    """Handle the loss of a run's worker: it is restarted, unless it has lost too many."""
    if _state_after_loss(row) is RunState.FAILED:
        end_run(connection, row.id, row.attempt, RunState.FAILED, now=now, error=_WORKERS_LOST)
    else:
        _change(connection, row.id, row.attempt, losses=row.losses + 1)
        requeue(connection, row.id, row.attempt, now=now)


def expire_leases(connection: Connection, now: Now) -> list[int]:
    """Handle all runs whose worker or local process has been silent for too long."""
    found: list[int] = []
    for row in _orphaned(connection, now):
        with suppress(LeaseLostError):  # on a database with several writers, another worker was faster
            if _is_local(row):
                end_run(connection, row.id, row.attempt, RunState.FAILED, now=now, error=_UNFINISHED)
            else:
                _mark_lost(connection, row, now)
            found.append(row.id)
    return found


def orphaned(connection: Connection, now: Now) -> dict[int, RunState]:
    """Return the runs that `expire_leases` would handle now, and the state that each would get."""
    return {row.id: _state_after_loss(row) for row in _orphaned(connection, now)}


def _orphaned(connection: Connection, now: Now) -> list[Row[Any]]:
    silent = (RUN.c.state == RunState.RUNNING) & ~clock.within(RUN, RUN.c.lease, now, 0.0, LEASE_SECONDS)
    return [
        row
        for row in connection.execute(select(RUN).where(silent))
        if not (_is_local(row) and _local_process_alive(row, now))
    ]


def _state_after_loss(row: Row[Any]) -> RunState:
    """Return the state of a run whose worker or local process was lost."""
    if row.cancelling and not _is_local(row):
        return RunState.CANCELLED
    return RunState.FAILED if _is_local(row) or row.losses + 1 >= MAX_LOSSES else RunState.QUEUED


def _is_local(row: Row[Any]) -> bool:
    return row.worker.startswith(f"{LOCAL_PROCESS} ")


def _local_process_alive(row: Row[Any], now: Now) -> bool:
    """Return whether the local process of a run is alive; older releases did not store its start time."""
    host, pid, born = f"{row.worker} ".split(" ", 3)[1:]
    here = host == socket.gethostname()
    if here and not is_alive(int(pid), born.strip() or None):
        return False
    return (here and born.strip() != "") or abs(now.date - row.lease) < UNVERIFIED_TIMEOUT


_WORKERS_LOST = (
    f"The worker stopped unexpectedly {MAX_LOSSES} times during this run, often because the machine ran out of memory. "
    "See the end of worker.log in the data folder, then start the run again, perhaps with a smaller batch size."
)

_UNFINISHED = "The program that started this run ended before the run finished. Start that program again."


def _row(connection: Connection, run: int, attempt: int) -> Row[Any]:
    row = connection.execute(select(RUN).where(_lease_filter(run, attempt))).one_or_none()
    if row is None:
        raise _lease_lost(run)
    return row


def _change(connection: Connection, run: int, attempt: int, **values: Any) -> None:
    if connection.execute(update(RUN).where(_lease_filter(run, attempt)).values(**values)).rowcount == 0:
        raise _lease_lost(run)


def _lease_columns(now: Now) -> dict[str, Any]:
    return clock.stamp("lease", now, LEASE_SECONDS)


_NO_LEASE = clock.unset("lease")


def _lease_filter(run: int, attempt: int) -> ColumnElement[bool]:
    return (RUN.c.id == run) & (RUN.c.attempt == attempt) & (RUN.c.state == RunState.RUNNING)


def _lease_lost(run: int) -> LeaseLostError:
    return LeaseLostError(f"Lease on run {run} was lost: the run has finished or was reassigned.")
