"""A data folder on a disk that became read-only: the history can be read, and writing is refused with a sentence."""

from pathlib import Path

import pytest

from tests.store.specs import spec
from unlearn_core.domain.errors import StoreError
from unlearn_core.store import data_folder
from unlearn_core.store.data_folder import open_data_dir, storage_problem, writable_data_dir
from unlearn_core.store.db import database
from unlearn_core.store.queue.run_store import RunStore


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the folder is read-only; while it is, no file beside the database can be made."""
    state = [False]
    exclusive_open = database._exclusive_open

    def opened(folder: Path, file: Path | None):
        assert not state[0], "it was written to"
        return exclusive_open(folder, file)

    monkeypatch.setattr(data_folder, "is_writable", lambda _: not state[0])
    monkeypatch.setattr(database, "_exclusive_open", opened)
    return state


@pytest.mark.parametrize("anew", [False, True])
def test_what_was_committed_last_is_read_and_writing_goes_on_with_the_disk(home, locked, anew):
    store = RunStore(home)
    number = store.submit(spec(), title="the last one")  # still in the write-ahead log
    before = {path.name: path.stat().st_size for path in home.glob("lab.db*")}
    locked[0] = True
    reader = RunStore(home) if anew else store
    assert reader.get(number).title == "the last one"
    assert reader.workers() == []
    with pytest.raises(StoreError, match=r"The database .*lab.db is read-only\. Make it writable"):
        reader.submit(spec(), title="one more")
    if anew:  # else its connections are closed, which a real disk would not let write
        assert {path.name: path.stat().st_size for path in home.glob("lab.db*")} == before
    assert "is read-only: finished runs can be opened" in storage_problem(home)
    locked[0] = False
    assert reader.submit(spec(), title="one more") == number + 1
    assert storage_problem(home) == ""


def test_the_copy_of_the_database_is_deleted_with_its_reader(home, locked):
    RunStore(home)
    locked[0] = True
    reader = RunStore(home)
    copy = reader._database._snapshot
    assert copy is not None and copy.file.exists()
    file = copy.file
    del copy, reader
    assert not file.parent.exists()


def test_a_folder_with_a_history_is_opened_to_read_and_refused_to_who_must_write(home, monkeypatch):
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    RunStore(home)
    data_folder._writable.clear()
    monkeypatch.setattr(data_folder.tempfile, "TemporaryFile", refuse)
    with pytest.raises(StoreError, match=r"cannot be written to \(Read-only file system\)"):
        open_data_dir()  # nothing to read there
    (home / "runs").mkdir()
    assert open_data_dir() == home
    with pytest.raises(StoreError, match="cannot be written to"):
        writable_data_dir()


def test_a_full_disk_is_a_sentence_with_its_figure(home, monkeypatch):
    usage = data_folder.shutil.disk_usage(home)
    monkeypatch.setattr(data_folder.shutil, "disk_usage", lambda _: usage._replace(free=3_400_000))
    assert f"The disk with {home} is full (3 MB free, at least 10 MB are needed)" in storage_problem(home)
