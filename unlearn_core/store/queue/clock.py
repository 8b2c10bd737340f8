"""The present moment by two clocks: the date, which may be set wrong, and this machine's uptime, which only grows."""

import time
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Table, case

from unlearn_core.store.queue.processes import boot

SKEW = 60.0
"""Seconds by which the clocks of two machines may differ. A date further ahead than that is one that was set wrong."""


class Now(NamedTuple):
    """A moment: seconds since 1970, and seconds of uptime since the boot of that name (None where it has none)."""

    date: float
    boot: str | None
    uptime: float


def now() -> Now:
    """This moment."""
    return Now(time.time(), boot(), time.monotonic())


def stamp(date: str, now: Now, seconds: float = 0.0) -> dict[str, Any]:
    """So many seconds from now, as columns of a row; `date` is the name of the column with the date."""
    return {date: now.date + seconds, "boot": now.boot, "uptime": now.uptime + seconds}


def unset(date: str) -> dict[str, None]:
    """The same columns for no moment at all."""
    return {date: None, "boot": None, "uptime": None}


def within(table: Table, date: Column, now: Now, low: float, high: float) -> ColumnElement[bool]:
    """Whether a row's stamp lies so many seconds from now: by the uptime where it was made since this machine's boot.

    A stamp of another machine, or of an earlier boot or release, has only its date; there `high` counts as well.
    """
    by_date = date.between(now.date + low, now.date + high + SKEW)
    if now.boot is None:
        return by_date
    return case((table.c.boot == now.boot, table.c.uptime > now.uptime + low), else_=by_date)
