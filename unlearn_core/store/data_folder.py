"""The data folder: where everything that a person makes is kept."""

import os
import tempfile
from pathlib import Path

from unlearn_core.domain.errors import StoreError

DATA_DIR_VARIABLE = "UNLEARN_HOME"


def data_dir_path() -> Path:
    """Where the data folder is or would be."""
    return (
        Path(os.environ.get(DATA_DIR_VARIABLE) or Path(__file__).resolve().parents[2] / "data").expanduser().resolve()
    )


def open_data_dir() -> Path:
    """The data folder, made where it is missing. Raises StoreError where it cannot be written to."""
    folder = data_dir_path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise StoreError(
            f"The data folder {folder} cannot be written to ({problem.strerror}). "
            f"Give this user the right to, or name another folder in {DATA_DIR_VARIABLE}."
        ) from None
    return folder
