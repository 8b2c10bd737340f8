"""Store uploaded files until a run has read them, under their checksum and never under their own name."""

import hashlib
import os
import re
import secrets
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits, limit_hint

_PIECE = 1 << 20
_MAX_AGE = 24 * 3600.0
"""Seconds after which an upload that no run has read is removed."""
_SEVERAL = 5
"""How many uploads of the largest size may wait at the same time."""


def save(data_dir: Path, file: BinaryIO, limits: UploadLimits) -> str:
    """Stores an upload for a run and returns its name. Raises InvalidDatasetError if it is too large."""
    folder = _folder(data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    waiting = 0
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > _MAX_AGE:
            old.unlink(missing_ok=True)
        else:
            waiting += old.stat().st_size
    largest = limits.most_upload_mb * 1_000_000
    if waiting > (_SEVERAL - 1) * largest:
        raise InvalidDatasetError("Too many uploads are waiting. Try again when one of them has been read.")
    digest, size = hashlib.sha256(), 0
    handle, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as target:
            while piece := file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                if size > largest:
                    raise InvalidDatasetError(
                        f"The file is larger than {limits.most_upload_mb:,} MB, the limit for uploads. "
                        + limit_hint("most_upload_mb")
                    )
                target.write(piece)
        # The same file twice is two uploads: each run has its own.
        stored_name = f"{digest.hexdigest()}-{secrets.token_hex(4)}"
        Path(name).replace(upload_path(data_dir, stored_name))
    finally:
        Path(name).unlink(missing_ok=True)
    return stored_name


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
