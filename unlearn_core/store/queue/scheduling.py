"""Who is next: there is no queue but the runs whose state is queued, and this order over them."""

import heapq
from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.db.schema import RUN

SEPARATE_KINDS = ("look", "import")
"""Looks and imports have queues of their own, because a worker sees to them beside everything else."""

MEASURE_KIND = "measure"
"""Measurements are few, one of a kind for each finished run, and most are queued by the lab itself: never refused."""

MAX_PER_OWNER, MAX_TOTAL = 20, 200
"""How many runs may wait."""

FAIRNESS_WINDOW = 3600.0
"""What an owner was served during so many past seconds counts against them."""

DEFAULT_RUN_SECONDS = 30.0
"""Seconds that a run is taken to last while none has ended yet."""

_seconds = RUN.c.finished - RUN.c.started


def has_queued(connection: Connection, kinds: Collection[str]) -> bool:
    """Whether there is a run to claim; a glance that locks nothing."""
    return connection.execute(select(RUN.c.id).where(_queued(_of_kinds(kinds))).limit(1)).first() is not None


def next_run(connection: Connection, kinds: Collection[str], now: float) -> int | None:
    """The run that goes next: of the highest priority, of the owner who has least in hand and was served least.

    One statement over aggregates: at a depth of 2,000 it holds the write lock for about a millisecond.
    """
    which = _of_kinds(kinds)
    top = select(func.min(RUN.c.priority)).where(_queued(which)).scalar_subquery()
    first = (
        select(RUN.c.owner, func.min(RUN.c.id).label("id"))
        .where(_queued(which), RUN.c.priority == top)
        .group_by(RUN.c.owner)
        .cte("first")
    )
    running, served = _running(which).cte("running"), _served(which, now).cte("served")
    joined = first.outerjoin(running, running.c.owner == first.c.owner).outerjoin(
        served, served.c.owner == first.c.owner
    )
    order = (func.coalesce(running.c.runs, 0), func.coalesce(served.c.seconds, 0), first.c.id)
    return connection.execute(select(first.c.id).select_from(joined).order_by(*order).limit(1)).scalar()


def group_members(run: Run) -> Select:
    """The other runs of a run's group that wait as urgently, in order, but for those on which a process has died."""
    same = (RUN.c.group == run.group) & (RUN.c.owner == run.owner) & (RUN.c.priority == run.priority)
    return select(RUN).where(_queued(_of_kinds((run.spec.kind,))), same, RUN.c.deaths == 0).order_by(RUN.c.id)


def queue_position(connection: Connection, run: Row, now: float) -> int:
    """How many queued runs go before this row's, as things stand: the order above, played through."""
    which = _same_queue(run.kind)
    queued = connection.execute(select(RUN.c.id, RUN.c.owner, RUN.c.priority).where(_queued(which))).all()
    recent = select(func.avg(_seconds)).where(RUN.c.finished > now - FAIRNESS_WINDOW, which)
    usual = float(connection.execute(recent).scalar() or DEFAULT_RUN_SECONDS)
    seconds = {row.owner: float(row.seconds) for row in connection.execute(_served(which, now))}
    for row in connection.execute(_running(which)):
        seconds[row.owner] = seconds.get(row.owner, 0.0) + row.runs * usual
    ahead = sum(row.priority < run.priority for row in queued)
    rivals = [(row.id, row.owner) for row in queued if row.priority == run.priority]
    return ahead + _fair_order(rivals, seconds, usual).index(run.id)


def check_quota(connection: Connection, kind: str, owner: str) -> None:
    """Raises StoreError where so many runs wait that another would only wait in vain."""
    if kind == MEASURE_KIND:
        return
    counted = _queued(_same_queue(kind)) & (RUN.c.kind != MEASURE_KIND)
    counts = select(RUN.c.owner, func.count().label("runs")).where(counted).group_by(RUN.c.owner)
    waiting = {row.owner: row.runs for row in connection.execute(counts)}
    mine, every = waiting.get(owner, 0), sum(waiting.values())
    if mine >= MAX_PER_OWNER:
        raise StoreError(
            f"The queue is full for you: {mine} of your runs wait, and {MAX_PER_OWNER} may. Wait for one, or cancel one."
        )
    if every >= MAX_TOTAL:
        raise StoreError(f"The queue is full: {every} runs wait, and {MAX_TOTAL} may. Try again when some are done.")


def find_duplicate(connection: Connection, kind: str, spec: str) -> int | None:
    """The oldest unfinished run with this very spec that nobody has cancelled."""
    unfinished = RUN.c.state.in_((RunState.QUEUED, RunState.RUNNING)) & RUN.c.cancelling.is_(False)
    wanted = select(RUN.c.id).where(unfinished, RUN.c.kind == kind, RUN.c.spec == spec).order_by(RUN.c.id)
    return connection.execute(wanted.limit(1)).scalar()


def has_higher_priority(connection: Connection, kind: str, priority: int) -> bool:
    """Whether something of higher priority waits for the same worker."""
    wanted = select(RUN.c.id).where(_queued(_same_queue(kind)), RUN.c.priority < priority).limit(1)
    return connection.execute(wanted).first() is not None


def _of_kinds(kinds: Collection[str]) -> ColumnElement[bool]:
    return RUN.c.kind.in_(sorted(kinds))


def _same_queue(kind: str) -> ColumnElement[bool]:
    """The runs that wait in the same queue as one of this kind."""
    return RUN.c.kind == kind if kind in SEPARATE_KINDS else RUN.c.kind.not_in(SEPARATE_KINDS)


def _queued(which: ColumnElement[bool]) -> ColumnElement[bool]:
    return (RUN.c.state == RunState.QUEUED) & which


def _running(which: ColumnElement[bool]) -> Select:
    """How many runs of each owner are in hand."""
    runs = func.count().label("runs")
    return select(RUN.c.owner, runs).where(RUN.c.state == RunState.RUNNING, which).group_by(RUN.c.owner)


def _served(which: ColumnElement[bool], now: float) -> Select:
    """How many seconds each owner was served in the last hour."""
    seconds = func.coalesce(func.sum(_seconds), 0).label("seconds")
    return select(RUN.c.owner, seconds).where(RUN.c.finished > now - FAIRNESS_WINDOW, which).group_by(RUN.c.owner)


def _fair_order(runs: Iterable[tuple[int, str]], seconds: dict[str, float], usual: float) -> list[int]:
    """Runs (id, owner) of one priority in the order in which they will be claimed, if each lasts `usual` seconds."""
    queues: dict[str, list[int]] = {}
    for run, owner in sorted(runs, reverse=True):
        queues.setdefault(owner, []).append(run)
    heap = [(seconds.get(owner, 0.0), waiting[-1], owner) for owner, waiting in queues.items()]
    heapq.heapify(heap)
    order = []
    while heap:
        served, run, owner = heapq.heappop(heap)
        order.append(queues[owner].pop())
        if queues[owner]:
            heapq.heappush(heap, (served + usual, queues[owner][-1], owner))
    return order
