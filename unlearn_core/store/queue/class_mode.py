"""A class is being held: each visitor has one interactive run at a time, and background work waits until it is over."""

import time

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, or_, select

from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.run import UNFINISHED_STATES, Priority
from unlearn_core.store.db import rows
from unlearn_core.store.db.schema import RUN, SWITCH

_NAME = "class"
_IS_ON = exists().where(SWITCH.c.name == _NAME)


def is_on(connection: Connection) -> bool:
    """Return whether a class is being held."""
    return bool(connection.execute(select(_IS_ON)).scalar())


def switch(connection: Connection, *, on: bool) -> None:
    """Begin or end it."""
    connection.execute(delete(SWITCH).where(SWITCH.c.name == _NAME))
    if on:
        connection.execute(insert(SWITCH).values(name=_NAME, since=time.time()))


def may_start() -> ColumnElement[bool]:
    """Which runs start now: during a class only those that somebody waits for."""
    return or_(RUN.c.priority == Priority.INTERACTIVE, ~_IS_ON)


def must_wait(connection: Connection, priority: int) -> bool:
    """Return whether a running run of this priority has to make room for a class."""
    return priority != Priority.INTERACTIVE and is_on(connection)


def check_one_run(connection: Connection, kind: str, visitor: str, priority: int) -> None:
    """Raise StoreError if a class is being held and this would be a visitor's second interactive run of a kind."""
    if priority != Priority.INTERACTIVE or not is_on(connection):
        return
    own = (RUN.c.kind == kind) & (RUN.c.priority == priority) & RUN.c.state.in_(UNFINISHED_STATES)
    first = connection.execute(select(RUN.c.id).where(own, rows.belongs_to([visitor])).limit(1)).scalar()
    if first is not None:
        raise StoreError(
            f"A class is being held, in which everybody has one run at a time. Yours is run {first}: wait until it is "
            "done, or cancel it."
        )
