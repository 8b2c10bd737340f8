"""Opening: made from nothing, brought up to date, refused in plain words."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event

from tests.store.specs import spec, sql
from unlearn_core.domain.errors import StoreError
from unlearn_core.store.db.database import MIGRATIONS_DIR, Database
from unlearn_core.store.db.schema import HEAD, METADATA
from unlearn_core.store.queue.run_store import RunStore


def test_migrations_make_exactly_the_tables_of_the_schema(home):
    RunStore(home)
    engine = create_engine(f"sqlite:///{home / 'lab.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()
    assert ScriptDirectory(str(MIGRATIONS_DIR)).get_current_head() == HEAD


def test_the_database_is_set_up_as_it_must_be(home):
    RunStore(home)
    assert sql(home, "PRAGMA journal_mode") == [("wal",)]
    with Database(home).reading() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


def test_a_history_is_kept_when_it_is_opened_again(home):
    number = RunStore(home).submit(spec(), title="kept")
    assert RunStore(home).get(number).title == "kept"
    assert not list(home.glob("*before*")), "nothing was migrated, so nothing was copied"


def test_an_older_database_is_copied_and_brought_up_to_date(home, tmp_path):
    RunStore(home).submit(spec(), title="old")
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS_DIR, scripts)
    (scripts / "versions" / "9001_more.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = '9001', '{HEAD}'\n"
        "def upgrade():\n    op.add_column('run', sa.Column('colour', sa.Text))\n"
    )
    Database(home, scripts=scripts, head="9001")
    assert sql(home, "SELECT title, colour FROM run") == [("old", None)]
    with closing(sqlite3.connect(home / f"lab.before-{HEAD}.db")) as copy:
        assert copy.execute("SELECT title FROM run").fetchall() == [("old",)]
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


def test_a_migration_that_fails_leaves_everything_as_it_was(home, tmp_path):
    RunStore(home).submit(spec(), title="old")
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS_DIR, scripts)
    (scripts / "versions" / "9001_bad.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = '9001', '{HEAD}'\n"
        "def upgrade():\n    op.add_column('run', sa.Column('colour', sa.Text))\n    op.execute('SELECT nonsense')\n"
    )
    with pytest.raises(StoreError, match="nonsense"):
        Database(home, scripts=scripts, head="9001")
    assert RunStore(home).list_runs()[0].title == "old"
    assert "colour" not in [row[1] for row in sql(home, "PRAGMA table_info(run)")]


def test_a_newer_database_is_refused(home):
    RunStore(home)
    sql(home, "UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(StoreError, match=r"newer release.*0999"):
        RunStore(home)
    assert sql(home, "SELECT version_num FROM alembic_version") == [("0999",)]


def test_several_processes_may_make_the_same_database(home):
    code = (
        "from pathlib import Path; from unlearn_core.store.queue.run_store import RunStore; "
        f"RunStore(Path({str(home)!r})).list_runs()"
    )
    makers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [maker.wait(timeout=60) for maker in makers] == [0, 0, 0, 0]


def test_a_file_that_is_no_database_is_refused(home):
    (home / "lab.db").write_bytes(b"This is a letter, and not a short one at that. " * 100)
    with pytest.raises(StoreError, match="is not a database, or is damaged"):
        RunStore(home)


def test_damage_is_noticed(home):
    store = RunStore(home)
    for _ in range(20):
        store.submit(spec(text="x" * 2000), title="a")
    sql(home, "PRAGMA wal_checkpoint(TRUNCATE)")
    with (home / "lab.db").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 6)
    with pytest.raises(StoreError, match="damaged"):
        RunStore(home)


def test_a_folder_that_cannot_be_used_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Cannot create"):
        RunStore(tmp_path / "file" / "home")
    (tmp_path / "home" / "lab.db").mkdir(parents=True)
    with pytest.raises(StoreError, match="Cannot open"):
        RunStore(tmp_path / "home")


def test_a_full_disk_is_named_and_survived(home):
    def small(connection, _record):
        connection.execute("PRAGMA max_page_count = 50")

    event.listen(Engine, "connect", small)
    try:
        store = RunStore(home)
        first = store.submit(spec(), title="small")
        with pytest.raises(StoreError, match="is full"):
            store.submit(spec(text="x" * 200_000), title="large")
        assert store.get(first).title == "small"
        store.cancel(first)
    finally:
        event.remove(Engine, "connect", small)
    assert RunStore(home).submit(spec(text="x" * 200_000), title="large") > first


def test_another_database_may_be_named(home, tmp_path, monkeypatch):
    monkeypatch.setenv("UNLEARN_DATABASE", f"sqlite:///{tmp_path / 'other.db'}")
    number = RunStore(home).submit(spec(), title="there")
    assert not (home / "lab.db").exists()
    assert RunStore(home, f"sqlite:///{tmp_path / 'other.db'}").get(number).title == "there"
    for url in ("nonsense", "unheard+of://host/name"):
        with pytest.raises(StoreError, match="not the URL of a supported database"):
            RunStore(home, url)
