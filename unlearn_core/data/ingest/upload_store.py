"""Store uploaded files until a run has read them, under their checksum and never under their own name."""

import hashlib
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits, limit_hint

_PIECE = 1 << 20
_MAX_AGE = 24 * 3600.0
"""Seconds after which an upload that no run has read is removed."""


def save(data_dir: Path, file: BinaryIO, limits: UploadLimits) -> str:
    """Stores an upload for a run and returns its name. Raises InvalidDatasetError if it is too large."""
    with brief_copy(data_dir, file, limits) as copy:
        digest = hashlib.sha256()
        with copy.open("rb") as stored:
            while piece := stored.read(_PIECE):
                digest.update(piece)
        # The same file twice is two uploads: each run has its own.
        name = f"{digest.hexdigest()}-{secrets.token_hex(4)}"
        copy.replace(upload_path(data_dir, name))
    return name


@contextmanager
def brief_copy(data_dir: Path, file: BinaryIO, limits: UploadLimits) -> Iterator[Path]:
    """An upload as a file, until the end of the context. Raises InvalidDatasetError if it is too large."""
    folder, largest = _folder(data_dir), limits.most_upload_mb * 1_000_000
    folder.mkdir(parents=True, exist_ok=True)
    waiting = _waiting(folder)
    room = limits.most_uploads_mb * 1_000_000 - waiting
    handle, name = tempfile.mkstemp(dir=folder)
    try:
        size = 0
        with os.fdopen(handle, "wb") as target:
            while piece := file.read(_PIECE):
                size += len(piece)
                if size > largest:
                    raise InvalidDatasetError(
                        f"The file is larger than {limits.most_upload_mb:,} MB, the limit for uploads. "
                        + limit_hint("most_upload_mb")
                    )
                if size > room:
                    raise InvalidDatasetError(
                        f"Too many uploads are waiting: {waiting / 1e6:,.0f} MB, with this file more than the limit of "
                        f"{limits.most_uploads_mb:,} MB. Try again when one of them has been read. "
                        + limit_hint("most_uploads_mb")
                    )
                target.write(piece)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _waiting(folder: Path) -> int:
    """The bytes of the uploads that wait; those that nobody reads any more are removed."""
    waiting = 0
    for old in folder.iterdir():
        with suppress(FileNotFoundError):  # Read in the meantime.
            about = old.stat()
            if time.time() - about.st_mtime > _MAX_AGE:
                old.unlink()
            else:
                waiting += about.st_size
    return waiting


def upload_path(data_dir: Path, name: str) -> Path:
    """The path of an upload. Raises InvalidDatasetError if that is not the name of an upload."""
    if re.fullmatch(r"[0-9a-f]{64}-[0-9a-f]{8}", name) is None:
        raise InvalidDatasetError("This upload does not exist: choose the file again.")
    return _folder(data_dir) / f"{name}.zip"


def delete(data_dir: Path, name: str) -> None:
    """Removes an upload that no run needs."""
    upload_path(data_dir, name).unlink(missing_ok=True)


def _folder(data_dir: Path) -> Path:
    return data_dir / "uploads"
