"""The database connection: settings, transactions, migrations, and readable errors."""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from unlearn_core.domain.errors import StoreError
from unlearn_core.settings import settings
from unlearn_core.store import data_folder
from unlearn_core.store.db.compaction import compact
from unlearn_core.store.db.schema import HEAD
from unlearn_core.store.db.snapshot import Snapshot
from unlearn_core.store.files import restore
from unlearn_core.store.queue.processes import locks_dir

DATABASE_FILE = "lab.db"
LOCK_TIMEOUT = 30.0
"""Seconds that a transaction waits for another one to end."""

RECREATE_DELAY = 0.5
"""Seconds that a database must be missing before a new one is created."""

MIGRATIONS_DIR = Path(__file__).parent / "migrations"


class Database:
    """Short transactions on one database; every failure is raised as a StoreError that says what to do."""

    def __init__(
        self, data_dir: Path, url: str | None = None, *, scripts: Path = MIGRATIONS_DIR, head: str = HEAD
    ) -> None:
        """Open the database and migrate it to the newest schema, given by `scripts` and `head`.

        Runs that are only in the folders of `data_dir` are restored from there.
        """
        url = url or settings().database
        try:
            location = make_url(url) if url else URL.create("sqlite", database=str(data_dir / DATABASE_FILE))
            self._engine = self._writable_engine = create_engine(location)
        except (ArgumentError, ImportError) as problem:
            raise StoreError(f"UNLEARN_DATABASE is not the URL of a supported database: {problem}.") from None
        is_sqlite = location.drivername == "sqlite"
        self.location = location.database if is_sqlite else location.render_as_string(hide_password=True)
        self._file = None
        if self._engine.dialect.name == "sqlite":
            _listen(self._engine)
            if location.database and location.database != ":memory:":
                self._file = Path(location.database).resolve()
        self._writer = self._engine.execution_options(writes=True)
        self._data_dir, self._scripts, self._head = data_dir, scripts, head
        self._opened: tuple[int, int] | None = None
        self._snapshot: Snapshot | None = None
        self._opening = threading.Lock()
        with self._translated_errors():
            self._open()

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A read-only transaction, which waits for no other."""
        with self._translated_errors():
            self._reopen_if_replaced()
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """A write transaction; it is the only one from its start."""
        with self._translated_errors():
            self._reopen_if_replaced()
            if self._snapshot is not None:
                raise StoreError(_message("readonly", str(self.location)))
            with self._writer.begin() as connection:
                yield connection

    def compact(self) -> None:
        """Write the database anew without what was deleted from it; only in SQLite, others do so by themselves.

        Raises StoreError if another program keeps it from that.
        """
        self._reopen_if_replaced()
        if self._file is None:
            return
        if self._snapshot is not None:
            raise StoreError(_message("readonly", str(self.location)))
        try:
            compact(self._file)
        except sqlite3.Error as problem:
            raise StoreError(_message(str(problem), str(self.location))) from None

    def _reopen_if_replaced(self) -> None:
        """Open the database again if its file was deleted, moved, emptied or replaced, or may be written to again."""
        if self._file is None:
            return
        is_read_only = not data_folder.is_writable(self._file.parent)
        if _identity(self._file) == self._opened and is_read_only == (self._snapshot is not None):
            return
        with self._opening:
            if is_read_only != (self._snapshot is not None):
                self._open()
                return
            if _identity(self._file) is None:  # do not recreate files in a data folder that is being removed
                time.sleep(RECREATE_DELAY)
            if _identity(self._file) != self._opened:
                self._engine.dispose()
                self._open()

    def _open(self) -> None:
        if self._file is not None and _identity(self._file) and not data_folder.is_writable(self._file.parent):
            self._open_snapshot(self._file)
            return
        self._snapshot, self._engine = None, self._writable_engine
        with _exclusive_open(self._data_dir, self._file):
            _migrate(self._engine, self._writer, scripts=self._scripts, head=self._head)
            with self._engine.begin() as connection:
                behind = restore.is_behind(connection, self._data_dir)
            if behind:
                with self._writer.begin() as connection:
                    _lock_schema(connection)
                    restore.restore(connection, self._data_dir)
            self._opened = self._file and _identity(self._file)

    def _open_snapshot(self, file: Path) -> None:
        """Open a copy of a database that cannot be written to: even reading it would need files beside it."""
        try:
            snapshot = Snapshot(file)
        except OSError as problem:
            raise StoreError(f"Cannot read the database {file} ({problem.strerror}).") from None
        self._writable_engine.dispose()
        engine = create_engine(URL.create("sqlite", database=str(snapshot.file)))
        _listen(engine)
        _migrate(engine, engine.execution_options(writes=True), scripts=self._scripts, head=self._head)
        self._engine, self._snapshot, self._opened = engine, snapshot, _identity(file)

    @contextmanager
    def _translated_errors(self) -> Generator[None]:
        try:
            yield
        except SQLAlchemyError as problem:
            cause = str(getattr(problem, "orig", None) or problem)
            raise StoreError(_message(cause, str(self.location))) from problem


def _identity(file: Path) -> tuple[int, int] | None:
    """Return the identity of a file; None if it is missing or empty, which an opened database never is."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_size else None


@contextmanager
def _exclusive_open(data_dir: Path, file: Path | None) -> Generator[None]:
    """Let one process at a time open the database file, and remove what is left of a lost one.

    An emptied file is still locked by the processes that had it open, so it must be replaced by a new one.
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
            raise StoreError(_message("unable to open", str(file))) from None
        yield


def _lock_schema(connection: Connection) -> None:
    """Make other processes wait on PostgreSQL, where, unlike in SQLite, two can write tables at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(1)"))


def _listen(engine: Engine) -> None:
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # `_begin` starts transactions, not the driver
    connection.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT * 1000:.0f}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    _enable_wal(connection)


def _enable_wal(connection: Any) -> None:
    # Processes that open a new file at the same time collide here, and this statement ignores the busy timeout.
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
    """Migrate the database to the newest schema; an existing one is copied first."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            damage = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if damage != "ok":
                raise StoreError(_message("database disk image is malformed", str(engine.url.database)))
        if _version(connection) == head:
            return
    # Imported here because it takes 0.25 s and is only needed at the first start after an upgrade.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with writer.begin() as connection:
        _lock_schema(connection)
        version = _version(connection)
        if version == head:
            return
        if version not in known | {None}:
            raise StoreError(
                f"The database {engine.url.database} was made by a newer release (schema {version}; this release reads "
                f"{head}). Install that release again, or use another data folder."
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
    """Copy the database before a migration, under a name that contains its schema version."""
    source, target = sqlite3.connect(file), sqlite3.connect(file.with_suffix(f".before-{version}.db"))
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()


def _message(cause: str, place: str) -> str:
    for part, message in _MESSAGES.items():
        if part in cause:
            return message.format(place=place)
    return f"The database {place} reported an error: {cause}."


_MESSAGES = {
    "is full": "The disk with {place} is full. Free some space, then try again.",
    "readonly": "The database {place} is read-only. Make it writable for this user, or use another data folder.",
    "unable to open": "Cannot open the database {place}: its folder is missing, or this user cannot write there. "
    "Create the folder, make it writable for this user, or use another data folder.",
    "malformed": "The database {place} is damaged. Restore a backup of it, or move it away: then finished runs are "
    "restored from their folders.",
    "not a database": "{place} is not a database, or is damaged. Restore a backup of it, or move it away: then "
    "finished runs are restored from their folders.",
    "locked": "The database {place} is locked by another program. Close that program, then try again.",
}
