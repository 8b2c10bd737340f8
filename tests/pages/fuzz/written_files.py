"""Which files this process writes, renames or deletes outside a folder, whoever does it."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "sqlite3.connect"}
"""Events of Python that change files; a database may write with each connection."""
_watched: list[tuple[Path, set[str]]] = []
_lock = threading.Lock()
_is_hooked = False


@contextmanager
def written_outside(folder: Path) -> Iterator[set[str]]:
    """Collect what is written outside of a folder meanwhile; Linux's own /proc has no files.

    A hook of Python stays until the process ends.
    """
    global _is_hooked
    with _lock:
        if not _is_hooked:
            sys.addaudithook(_note)
            _is_hooked = True
        entry = (folder.resolve(), set[str]())
        _watched.append(entry)
    try:
        yield entry[1]
    finally:
        with _lock:
            _watched.remove(entry)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched:
        for path in _changed_paths(event, arguments):
            for folder, found in _watched:
                if path not in ("/dev/null", str(folder)) and not path.startswith((f"{folder}{os.sep}", "/proc/")):
                    found.add(f"{event} {path}")


def _changed_paths(event: str, arguments: tuple[Any, ...]) -> list[str]:
    """The whole paths of what an event changes; Python's own compiled files do not count."""
    if event == "open":
        paths = arguments[:1] if isinstance(arguments[2], int) and arguments[2] & _WRITING else ()
    else:
        paths = arguments[:2] if event in ("os.rename", "os.link") else arguments[: event in _CHANGES]
    at = arguments[-1] if event in ("os.mkdir", "os.remove", "os.rmdir") else -1
    base = f"/proc/self/fd/{at}" if isinstance(at, int) and at >= 0 else ""
    texts = [Path(base, os.fsdecode(one)) for one in paths if isinstance(one, (str, bytes, os.PathLike))]
    return [path for path in map(os.path.realpath, texts) if "__pycache__" not in path]
