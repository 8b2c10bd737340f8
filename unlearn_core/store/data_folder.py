"""The data folder: where everything that a person makes is kept."""

import os
import tempfile
from pathlib import Path

from unlearn_core.domain.errors import StoreError

HOME = "UNLEARN_HOME"


def named() -> Path:
    """Where the data folder is or would be."""
    return Path(os.environ.get(HOME) or Path(__file__).resolve().parents[2] / "data").expanduser().resolve()


def home() -> Path:
    """The data folder, made where it is missing. Raises StoreError where it cannot be written to."""
    folder = named()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise StoreError(
            f"The data folder {folder} cannot be written to ({problem.strerror}). "
            f"Give this user the right to, or name another folder in {HOME}."
        ) from None
    return folder
