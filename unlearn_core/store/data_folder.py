"""The path of the data folder, where all runs, models and data sets of the user are stored."""

import tempfile
import time
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
    return (settings().home or DEFAULT_DATA_DIR).expanduser().resolve()


def open_data_dir() -> Path:
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
