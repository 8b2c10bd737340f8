"""The order of queued runs: which is next, positions, quotas and duplicates."""

import heapq
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.db.schema import RUN
from unlearn_core.store.queue import class_mode

SEPARATE_KINDS = ("look", "import", "points")
"""Grad-CAM queries, imports and runs of the playground have their own queues, because a worker handles them in parallel
to runs."""

MEASURE_KIND = "measure"
"""Measurements are few and mostly queued automatically, so they are never refused."""

MAX_PER_OWNER, MAX_TOTAL = 20, 200
"""How many runs can be queued, per owner and in total."""

FAIRNESS_WINDOW = 3600.0
"""Computation of an owner during this many past seconds lowers the priority of their next runs."""

DEFAULT_RUN_SECONDS = 30.0
"""Assumed seconds per run until one has finished."""

_seconds = RUN.c.finished - RUN.c.started


def has_queued(connection: Connection, kinds: Collection[str]) -> bool:
    """Return whether there is a run to claim, without locking the database."""
    wanted = select(RUN.c.id).where(_queued(_of_kinds(kinds)), class_mode.may_start())
    return connection.execute(wanted.limit(1)).first() is not None


def next_run(connection: Connection, kinds: Collection[str], now: float) -> int | None:
    """Return the next run: of highest priority, then of the owner with the fewest running runs and least computation.

    One statement over aggregates: with 2,000 queued runs it holds the write lock for about a millisecond.
    """
    which = _of_kinds(kinds) & class_mode.may_start()
    top = select(func.min(RUN.c.priority)).where(_queued(which)).scalar_subquery()
    first = (
        select(RUN.c.owner, func.min(RUN.c.id).label("id"))
        .where(_queued(which), RUN.c.priority == top)
        .group_by(RUN.c.owner)
        .cte("first")
    )
    running, served = _running(_of_kinds(kinds)).cte("running"), _served(_of_kinds(kinds), now).cte("served")
    joined = first.outerjoin(running, running.c.owner == first.c.owner).outerjoin(
        served, served.c.owner == first.c.owner
    )
    order = (func.coalesce(running.c.runs, 0), func.coalesce(served.c.seconds, 0), first.c.id)
    return connection.execute(select(first.c.id).select_from(joined).order_by(*order).limit(1)).scalar()


def group_members(run: Run) -> Select[Any]:
    """Return the query of a run's group: its queued runs of the same priority, in order, without crashed ones."""
    same = (RUN.c.group == run.group) & (RUN.c.owner == run.owner) & (RUN.c.priority == run.priority)
    never_ended = (RUN.c.deaths == 0) & (RUN.c.losses == 0)
    return select(RUN).where(_queued(_of_kinds((run.spec.kind,))), same, never_ended).order_by(RUN.c.id)


def queued_ahead(connection: Connection, run: Row[Any], now: float) -> list[int]:
    """Return the queued runs ahead of this row, the next one first."""
    order = queued_in_order(connection, run.kind, now)
    return order[: order.index(run.id)]


def queued_in_order(connection: Connection, kind: str, now: float) -> list[int]:
    """Return the runs in the queue of this kind, the next one first, by simulating the order of `next_run`."""
    which = _same_queue(kind)
    queued = connection.execute(select(RUN.c.id, RUN.c.owner, RUN.c.priority).where(_queued(which))).all()
    recent = select(func.avg(_seconds)).where(RUN.c.finished > now - FAIRNESS_WINDOW, which)
    run_seconds = float(connection.execute(recent).scalar() or DEFAULT_RUN_SECONDS)
    seconds = {row.owner: float(row.seconds) for row in connection.execute(_served(which, now))}
    for row in connection.execute(_running(which)):
        seconds[row.owner] = seconds.get(row.owner, 0.0) + row.runs * run_seconds
    order: list[int] = []
    for priority in sorted({row.priority for row in queued}):
        rivals = [(row.id, row.owner) for row in queued if row.priority == priority]
        order += _fair_order(rivals, seconds, run_seconds)
    return order


def running_beside(kind: str) -> Select[Any]:
    """Return the query of the running runs that this kind of run may have to wait for."""
    return select(RUN).where(RUN.c.state == RunState.RUNNING, _same_queue(kind)).order_by(RUN.c.id)


def check_quota(connection: Connection, kind: str, owner: str) -> None:
    """Raise StoreError if the queue is full, for this owner or in total."""
    if kind == MEASURE_KIND:
        return
    counted = _queued(_same_queue(kind)) & (RUN.c.kind != MEASURE_KIND)
    counts = select(RUN.c.owner, func.count().label("runs")).where(counted).group_by(RUN.c.owner)
    waiting = {row.owner: row.runs for row in connection.execute(counts)}
    own, total = waiting.get(owner, 0), sum(waiting.values())
    if own >= MAX_PER_OWNER:
        raise StoreError(
            f"Your queue is full: you have {own} queued runs (the limit is {MAX_PER_OWNER}). Cancel one, or wait."
        )
    if total >= MAX_TOTAL:
        raise StoreError(f"The queue is full: {total} runs are queued (the limit is {MAX_TOTAL}). Try again later.")


def has_higher_priority(connection: Connection, kind: str, priority: int) -> bool:
    """Return whether a run of higher priority is waiting in the same queue."""
    wanted = select(RUN.c.id).where(_queued(_same_queue(kind)), RUN.c.priority < priority).limit(1)
    return connection.execute(wanted).first() is not None


def _of_kinds(kinds: Collection[str]) -> ColumnElement[bool]:
    return RUN.c.kind.in_(sorted(kinds))


def _same_queue(kind: str) -> ColumnElement[bool]:
    """The runs in the same queue as this kind."""
    return RUN.c.kind == kind if kind in SEPARATE_KINDS else RUN.c.kind.not_in(SEPARATE_KINDS)


def _queued(which: ColumnElement[bool]) -> ColumnElement[bool]:
    return (RUN.c.state == RunState.QUEUED) & which


# Types in quotes because SQLAlchemy 2.0, unlike 2.1, takes one argument here when the module is loaded.
def _running(which: ColumnElement[bool]) -> "Select[Any, int]":
    """The number of running runs per owner."""
    runs = func.count().label("runs")
    return select(RUN.c.owner, runs).where(RUN.c.state == RunState.RUNNING, which).group_by(RUN.c.owner)


def _served(which: ColumnElement[bool], now: float) -> "Select[Any, Any]":
    """The seconds of computation per owner in the last hour."""
    seconds = func.coalesce(func.sum(_seconds), 0).label("seconds")
    return select(RUN.c.owner, seconds).where(RUN.c.finished > now - FAIRNESS_WINDOW, which).group_by(RUN.c.owner)


def _fair_order(runs: Iterable[tuple[int, str]], seconds: dict[str, float], run_seconds: float) -> list[int]:
    """Return runs (id, owner) of one priority in the order in which they will be claimed, at `run_seconds` each."""
    queues: dict[str, list[int]] = {}
    for run, owner in sorted(runs, reverse=True):
        queues.setdefault(owner, []).append(run)
    heap = [(seconds.get(owner, 0.0), waiting[-1], owner) for owner, waiting in queues.items()]
    heapq.heapify(heap)
    order: list[int] = []
    while heap:
        served, run, owner = heapq.heappop(heap)
        order.append(queues[owner].pop())
        if queues[owner]:
            heapq.heappush(heap, (served + run_seconds, queues[owner][-1], owner))
    return order
