"""Pieces that tests of the store and the worker share."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec

REQUEST = ForgetRequest(classifier="tiny", dataset="shapes", forget=ForgetClasses(classes=(1,)))
EVERY = {"unlearn", "gold", "measure"}


def spec(**params: Any) -> UnlearnSpec:
    return UnlearnSpec(request=REQUEST, method="any", params=params)


def sql(home: Path, statement: str, *values: object) -> list[tuple]:
    """Speaks to the database past the store."""
    with closing(sqlite3.connect(home / "lab.db", timeout=30)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def multiply(home: Path, run: int, count: int, *, owners: int = 1) -> None:
    """Queues copies of a run, past the limit of the queue."""
    columns = [row[1] for row in sql(home, "PRAGMA table_info(run)")]
    kept = ", ".join(f'"{name}"' for name in columns if name not in ("id", "owner"))
    with closing(sqlite3.connect(home / "lab.db", timeout=30)) as connection, connection:
        connection.executemany(
            f"INSERT INTO run (owner, {kept}) SELECT ?, {kept} FROM run WHERE id = ?",
            [(f"owner {number % owners}", run) for number in range(count)],
        )


def expire(home: Path, run: int) -> None:
    """Lets the lease of a run end now."""
    sql(home, "UPDATE run SET lease = 0, uptime = 0 WHERE id = ?", run)
