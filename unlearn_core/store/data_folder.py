"""The path of the data folder, where all runs, models and data sets of the user are stored."""

import tempfile
from pathlib import Path

from unlearn_core.domain.errors import StoreError
from unlearn_core.installation import DEFAULT_DATA_DIR
from unlearn_core.settings import settings


def data_dir_path() -> Path:
    """Return the path of the data folder, which need not exist."""
    return (settings().home or DEFAULT_DATA_DIR).expanduser().resolve()


def open_data_dir() -> Path:
    """Return the data folder, created if missing. Raises StoreError if it is not writable."""
    folder = data_dir_path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise StoreError(
            f"The data folder {folder} cannot be written to ({problem.strerror}). "
            f"Make it writable for this user, or set UNLEARN_HOME to another folder."
        ) from None
    return folder
