"""Write files atomically, and read bundled files only if their checksum is right."""

import fcntl
import hashlib
import importlib
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.installation import ASSETS, HOW_TO_RESTORE
from unlearn_core.plugins import plugin_packages


def asset_roots() -> list[Path]:
    """The folders of bundled files: the project's own, then the `assets` folder of each plug-in."""
    return [ASSETS, *(Path(importlib.import_module(name).__path__[0]) / "assets" for name in plugin_packages())]


_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}")
"""What `atomic_write` calls a file that is not complete."""

ABANDONED_SECONDS = 5.0
"""Seconds after which a temporary file that nobody locks is of a process that was killed."""


def atomic_write(path: Path, data: bytes) -> None:
    """Writes a file atomically: readers find the old bytes or the new ones, even after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)  # it ends with this process, however that ends
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_abandoned(folder: Path) -> int:
    """Deletes the temporary files that killed processes left anywhere in a folder, and returns how many there were."""
    removed = 0
    for parent, _, names in os.walk(folder):
        for path in (Path(parent) / name for name in names if _TEMPORARY.fullmatch(name)):
            with suppress(OSError):  # locked, or gone meanwhile
                removed += _remove_if_abandoned(path)
    return removed


def _remove_if_abandoned(path: Path) -> bool:
    if abs(time.time() - path.stat().st_mtime) < ABANDONED_SECONDS:
        return False
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    return True


def sha256(data: bytes) -> str:
    """The checksum that manifests record."""
    return hashlib.sha256(data).hexdigest()


def read_verified(path: Path, expected: str) -> bytes:
    """The bytes of a bundled file. Raises CorruptAssetError, with what to do, if it is missing or damaged."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise CorruptAssetError(
            f"The bundled file {path} cannot be read ({problem.strerror}). Restore it: {HOW_TO_RESTORE}."
        ) from None
    if sha256(data) != expected:
        raise CorruptAssetError(
            f"The bundled file {path} is damaged: its checksum differs from the recorded one. "
            f"Restore it: {HOW_TO_RESTORE}."
        )
    return data
