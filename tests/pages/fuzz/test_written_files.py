"""What is written outside a folder is noticed, and what is written in it does not count."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.pages.fuzz.written_files import written_outside


def test_every_way_of_writing_is_noticed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        (folder / "old").mkdir(parents=True)
    (inside / "link").symlink_to(outside)
    with written_outside(inside) as found:
        (inside / "a").write_text("fine")
        (outside / "old").is_dir()
        Path(os.devnull).write_text("fine")
        shutil.rmtree(inside / "old")
        assert not found
        (outside / "a").write_text("no")
        (outside / "b").mkdir()
        (inside / "link" / "c").write_text("no")
        (inside / "a").rename(outside / "d")
        (outside / "a").unlink()
        shutil.rmtree(outside / "old")
        with closing(sqlite3.connect(outside / "e.db")):
            pass
    changed = {(text.partition(" ")[0], Path(text.partition(" ")[2]).name) for text in found}
    assert changed == {
        ("open", "a"),
        ("os.mkdir", "b"),
        ("open", "c"),
        ("os.rename", "d"),
        ("os.remove", "a"),
        ("os.rmdir", "old"),
        ("sqlite3.connect", "e.db"),
    }
    (outside / "later").write_text("nobody looks")
    assert not any("later" in text for text in found)
