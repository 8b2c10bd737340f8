"""The current time by two clocks: the date, which may be set wrong, and the machine's uptime, which only grows."""

import time
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Table, case

from unlearn_core.store.queue.processes import boot

LEASE_SECONDS = 5.0
"""Seconds without renewal after which a worker loses a run or a sweep."""
SKEW = 60.0
"""Seconds by which the clocks of two machines may differ; a date further ahead was set wrong."""


class Now(NamedTuple):
    """A time: seconds since 1970, and seconds of uptime since the boot with that id (None if unknown)."""

    date: float
    boot: str | None
    uptime: float


def now() -> Now:
    """Return the current time."""
    return Now(time.time(), boot(), time.monotonic())


def stamp(date: str, now: Now, seconds: float = 0.0) -> dict[str, Any]:
    """Return the columns of a time `seconds` from now; `date` is the name of the date column."""
    return {date: now.date + seconds, "boot": now.boot, "uptime": now.uptime + seconds}


def unset(date: str) -> dict[str, None]:
    """Return the same columns, empty."""
    return {date: None, "boot": None, "uptime": None}


def within(table: Table, date: Column[float], now: Now, low: float, high: float) -> ColumnElement[bool]:
    """Whether a row's time is more than `low` seconds from now, by uptime if it was written since this boot.

    A time from another machine, boot or release has only its date, which must also be at most `high` from now.
    """
    by_date = date.between(now.date + low, now.date + high + SKEW)
    if now.boot is None:
        return by_date
    return case((table.c.boot == now.boot, table.c.uptime > now.uptime + low), else_=by_date)
