"""What SQLite leaves of deleted rows: in unused pages and in the log beside the file, until both are written anew."""

import sqlite3
from contextlib import closing
from pathlib import Path

TIMEOUT = 30.0
"""Seconds to wait for other transactions."""


def compact(file: Path) -> None:
    """Write a database anew, so that neither it nor its log holds anything that was deleted. Raises sqlite3.Error."""
    with closing(sqlite3.connect(file, timeout=TIMEOUT, isolation_level=None)) as connection:
        connection.execute("VACUUM")
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("database is locked")


def delete_owner(copy: Path, owner: str) -> int:
    """Delete what belongs to an owner from a copy that an earlier release's database left, and return how many rows.

    Its tables are those of that release: each has the column `owner` or `visitor`, or none. Raises sqlite3.Error.
    """
    deleted = 0
    with closing(sqlite3.connect(copy, timeout=TIMEOUT, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = {row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')}
            of = {"id"} if table == "visitor" else columns & {"owner", "visitor"}
            for column in of:
                deleted += connection.execute(f'DELETE FROM "{table}" WHERE {column} = ?', (owner,)).rowcount
    if deleted:
        compact(copy)
    return deleted
