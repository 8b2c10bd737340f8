"""Readers: the visitors who want one run, which is computed once for all of them.

Each can leave it. It belongs to the first one, then to the next, and has the highest priority that one of them asked
for; it ends, or is deleted, only when the last one leaves. A run that nobody joined has no rows here.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from unlearn_core.domain.errors import NotFoundError
from unlearn_core.store.db.schema import READER, RUN


class Readers(NamedTuple):
    """Whether a run is for whoever asks, and for how many others."""

    has_me: bool
    others: int


def of_run(connection: Connection, run: Row[Any]) -> list[str]:
    """Return the visitors that a run is for, the owner first, then as they joined it."""
    joined = select(READER.c.visitor).where(READER.c.run == run.id).order_by(READER.c.joined, READER.c.visitor)
    return list(dict.fromkeys([run.owner, *connection.execute(joined).scalars()]))


def seen_by(connection: Connection, run: int, readable: ColumnElement[bool], visitor: str) -> Readers:
    """Return whether a run is for a visitor, and for how many others. Raises NotFoundError if it is not readable.

    One statement, since every page with a run in progress asks at each update.
    """
    wanted = select(RUN.c.owner, READER.c.visitor).outerjoin(READER, READER.c.run == RUN.c.id)
    found = connection.execute(wanted.where(RUN.c.id == run, readable)).all()
    if not found:
        raise NotFoundError("run", run, [])
    visitors = {name for row in found for name in row if name is not None}
    return Readers(visitor in visitors, len(visitors - {visitor}))


def join(connection: Connection, run: Row[Any], visitor: str, *, priority: int, now: float) -> None:
    """Add a visitor to a run, which gets the higher of its priority and theirs."""
    if visitor != run.owner or priority < run.priority:
        _set_priority(connection, run.id, run.owner, run.priority, joined=run.created)
        _set_priority(connection, run.id, visitor, priority, joined=now)
        connection.execute(update(RUN).where(RUN.c.id == run.id, RUN.c.priority > priority).values(priority=priority))


def leave(connection: Connection, run: Row[Any], visitor: str) -> bool:
    """Let a visitor leave a run that others want too; return whether they left it.

    Not if it is for nobody else, nor if it is not for them at all, as when the operator ends it.
    """
    everybody = of_run(connection, run)
    others = [one for one in everybody if one != visitor]
    if not others or visitor not in everybody:
        return False
    connection.execute(delete(READER).where(READER.c.run == run.id, READER.c.visitor == visitor))
    left = select(READER.c.priority).where(READER.c.run == run.id)
    values: dict[str, Any] = {"priority": min(connection.execute(left).scalars(), default=run.priority)}
    if run.owner == visitor:  # what its owner wrote and allowed goes with them
        values |= {"owner": others[0], "note": "", "shared": False}
    connection.execute(update(RUN).where(RUN.c.id == run.id).values(values))
    return True


def _set_priority(connection: Connection, run: int, visitor: str, priority: int, *, joined: float) -> None:
    """Record what a visitor asked for, unless they already asked for as much."""
    mine = (READER.c.run == run) & (READER.c.visitor == visitor)
    known = connection.execute(select(READER.c.priority).where(mine)).scalar()
    if known is None:
        connection.execute(insert(READER).values(run=run, visitor=visitor, priority=priority, joined=joined))
    elif priority < known:
        connection.execute(update(READER).where(mine).values(priority=priority))
