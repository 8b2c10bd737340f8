"""Opens the lab's database: settings, transactions, migrations, and plain words for what can go wrong."""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from unlearn_core.domain.errors import StoreError
from unlearn_core.store.db.schema import HEAD
from unlearn_core.store.files import restore
from unlearn_core.store.queue.processes import locks_dir

DATABASE_VARIABLE = "UNLEARN_DATABASE"
"""The variable that names another database, as a URL."""

DATABASE_FILE = "lab.db"
LOCK_TIMEOUT = 30.0
"""Seconds that a transaction waits for another one's end."""

GOING = 0.5
"""Seconds that a database is missed before another one is made in its place."""

MIGRATIONS_DIR = Path(__file__).parent / "migrations"


class Database:
    """Short transactions on one database; every failure leaves here as a StoreError in plain words."""

    def __init__(
        self, data_dir: Path, url: str | None = None, *, scripts: Path = MIGRATIONS_DIR, head: str = HEAD
    ) -> None:
        """Opens the database and brings it to the newest schema; `scripts` and `head` say which that is.

        Runs of `home` that it knows nothing of are restored from their folders.
        """
        url = url or os.environ.get(DATABASE_VARIABLE)
        try:
            where = make_url(url) if url else URL.create("sqlite", database=str(data_dir / DATABASE_FILE))
            self._engine = create_engine(where)
        except (ArgumentError, ImportError) as problem:
            raise StoreError(
                f"{DATABASE_VARIABLE} is not the URL of a database that can be opened: {problem}."
            ) from None
        self.location = where.database if where.drivername == "sqlite" else where.render_as_string(hide_password=True)
        self._file = None
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _set_up)
            event.listen(self._engine, "begin", _begin)
            if where.database and where.database != ":memory:":
                self._file = Path(where.database).resolve()
        self._writer = self._engine.execution_options(writes=True)
        self._home, self._scripts, self._head = data_dir, scripts, head
        self._opened: tuple[int, int] | None = None
        self._opening = threading.Lock()
        with self._explained():
            self._open()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that changes nothing and waits for nobody."""
        with self._explained():
            self._follow()
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is alone in changing the database from its first moment."""
        with self._explained():
            self._follow()
            with self._writer.begin() as connection:
                yield connection

    def _follow(self) -> None:
        """Opens the database again where its file was deleted, moved away, emptied or replaced under this process."""
        if self._file is None or _identity(self._file) == self._opened:
            return
        with self._opening:
            if _identity(self._file) is None:  # if the whole data folder is being removed, nothing is made in it again
                time.sleep(GOING)
            if _identity(self._file) != self._opened:
                self._engine.dispose()
                self._open()

    def _open(self) -> None:
        with _one_by_one(self._home, self._file):
            _migrate(self._engine, self._writer, scripts=self._scripts, head=self._head)
            with self._engine.begin() as connection:
                behind = restore.is_behind(connection, self._home)
            if behind:
                with self._writer.begin() as connection:
                    _alone(connection)
                    restore.restore(connection, self._home)
            self._opened = self._file and _identity(self._file)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as problem:
            cause = str(getattr(problem, "orig", None) or problem)
            raise StoreError(_sentence(cause, str(self.location))) from problem


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file this is; None where there is none or it is empty, as no database is that was ever opened."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_size else None


@contextmanager
def _one_by_one(data_dir: Path, file: Path | None) -> Iterator[None]:
    """Lets one process after the other open the database's file, and clears away what is left of a lost one.

    An emptied file is still locked by the processes that had it open, so a new one must take its place.
    """
    if file is None:
        yield
        return
    with ExitStack() as stack:
        try:
            lock = stack.enter_context((locks_dir(data_dir) / "database").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _identity(file) is None:
                for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
                    file.with_name(name).unlink(missing_ok=True)
        except OSError:
            raise StoreError(_sentence("unable to open", str(file))) from None
        yield


def _alone(connection: Connection) -> None:
    """Keeps other openers waiting on PostgreSQL, where, unlike in SQLite, two may write tables at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(1)"))


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin when `_begin` says so, not when the driver thinks fit
    connection.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT * 1000:.0f}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    _write_ahead(connection)


def _write_ahead(connection: Any) -> None:
    # Several processes that open a new file at once collide here, and this one statement does not wait by itself.
    end = time.monotonic() + LOCK_TIMEOUT
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _migrate(engine: Engine, writer: Engine, *, scripts: Path, head: str) -> None:
    """Brings the database to the newest schema; a copy of one that held something is kept beside it."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            damage = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if damage != "ok":
                raise StoreError(_sentence("database disk image is malformed", str(engine.url.database)))
        if _version(connection) == head:
            return
    # Imported here because it takes a quarter of a second that only the first start after an upgrade needs.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with writer.begin() as connection:
        _alone(connection)
        version = _version(connection)
        if version == head:
            return
        if version not in known | {None}:
            raise StoreError(
                f"The database {engine.url.database} was made by a newer release of the lab (schema {version}; this "
                f"release knows {head}). Install that release again, or name another data folder."
            )
        if version and engine.dialect.name == "sqlite":
            _copy(Path(str(engine.url.database)), version)
        config.attributes["connection"] = connection
        command.upgrade(config, head)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _copy(file: Path, version: str) -> None:
    """Keeps the database as it is before a migration, under a name that says which schema it has."""
    source, target = sqlite3.connect(file), sqlite3.connect(file.with_suffix(f".before-{version}.db"))
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()


def _sentence(cause: str, place: str) -> str:
    for part, words in _WORDS.items():
        if part in cause:
            return words.format(place=place)
    return f"The database {place} refused: {cause}."


_WORDS = {
    "is full": "The disk that holds {place} is full. Make room on it, then try again.",
    "readonly": "The database {place} cannot be written to. Give this user the right to, or name another data folder.",
    "unable to open": "The database {place} cannot be opened: its folder is missing, or this user may not write there. "
    "Make the folder, give this user the right to write to it, or name another data folder.",
    "malformed": "The database {place} is damaged. Put back a copy of it, or move it away: then finished runs are "
    "restored from their folders.",
    "not a database": "{place} is not a database, or is damaged. Put back a copy of it, or move it away: then finished "
    "runs are restored from their folders.",
    "locked": "The database {place} is held by another program. End that program, then try again.",
}
