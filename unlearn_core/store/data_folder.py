"""The path of the data folder, where all runs, models and data sets of the user are stored."""

import os
import shutil
import tempfile
import time
from functools import lru_cache
from pathlib import Path

from unlearn_core.domain.errors import StoreError
from unlearn_core.installation import DEFAULT_DATA_DIR
from unlearn_core.settings import settings

CHECK_INTERVAL = 1.0
"""Seconds for which a folder counts as writable: a page asks a dozen times, and each check writes a file."""
_writable: dict[Path, float] = {}
"""When each folder was last found to be writable."""


def data_dir_path() -> Path:
    """Return the path of the data folder, which need not exist."""
    return _resolved((settings().home or DEFAULT_DATA_DIR).expanduser().absolute())


@lru_cache(maxsize=64)
def _resolved(path: Path) -> Path:
    # Once for each path: every part of a page asks, and a link that led elsewhere would split the history.
    return path.resolve()


FULL_BYTES = 10_000_000
"""A disk with less free space than this is called full: a run might not be able to store its results."""


def is_writable(folder: Path) -> bool:
    """Return whether this user may write there, without trying: False on a disk that is mounted read-only."""
    return os.access(folder, os.W_OK)


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk that has a folder, or will have it once it is created."""
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free


def storage_problem(folder: Path) -> str:
    """Return why nothing can be stored in the data folder now and what to do, as sentences; "" if something can."""
    if not is_writable(folder):
        return (
            f"The data folder {folder} is read-only: finished runs can be opened, but nothing can be started or "
            "changed. Make it writable for this user; the lab then continues by itself."
        )
    free = shutil.disk_usage(folder).free
    if free < FULL_BYTES:
        figures = f"{free / 1e6:,.0f} MB free, at least {FULL_BYTES / 1e6:,.0f} MB are needed"
        return (
            f"The disk with {folder} is full ({figures}): runs do not start. Free some space; the lab then continues "
            "by itself, and finished runs are not affected."
        )
    return ""


def open_data_dir() -> Path:
    """Return the data folder, created if missing; also one that can only be read, if there is a history in it.

    Raises StoreError if it can neither be written to nor read.
    """
    folder = data_dir_path()
    try:
        return writable_data_dir()
    except StoreError:
        if (folder / "runs").is_dir() and os.access(folder, os.R_OK | os.X_OK):
            return folder
        raise


def writable_data_dir() -> Path:
    """Return the data folder, created if missing. Raises StoreError if it is not writable."""
    folder = data_dir_path()
    if time.monotonic() - _writable.get(folder, -CHECK_INTERVAL) < CHECK_INTERVAL and folder.is_dir():
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise StoreError(
            f"The data folder {folder} cannot be written to ({problem.strerror}). "
            f"Make it writable for this user, or set UNLEARN_HOME to another folder."
        ) from None
    _writable[folder] = time.monotonic()
    return folder
