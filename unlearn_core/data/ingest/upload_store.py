"""Files that came through a browser, on their way to a run: kept under their checksum, never under their own name."""

import hashlib
import os
import re
import secrets
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from unlearn_core.data.ingest.upload_limits import UploadLimits, limit_hint
from unlearn_core.domain.errors import InvalidDatasetError

_PIECE = 1 << 20
_MAX_AGE = 24 * 3600.0
"""Seconds after which an upload that no run has finished with is removed."""
_SEVERAL = 5
"""How many of the largest uploads may wait at the same time."""


def save(data_dir: Path, file: BinaryIO, limits: UploadLimits) -> str:
    """Keeps an upload for a run and gives its name there. Raises BadPictures where it is too large."""
    folder = _folder(data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    waiting = 0
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > _MAX_AGE:
            old.unlink(missing_ok=True)
        else:
            waiting += old.stat().st_size
    largest = limits.upload_mb * 1_000_000
    if waiting > (_SEVERAL - 1) * largest:
        raise InvalidDatasetError("Too many uploads wait to be read. Try again when one of them is done.")
    digest, size = hashlib.sha256(), 0
    handle, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as kept:
            while piece := file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                if size > largest:
                    raise InvalidDatasetError(
                        f"The file is larger than the {limits.upload_mb:,} MB that an upload may have. "
                        + limit_hint("upload_mb")
                    )
                kept.write(piece)
        kept_as = (
            f"{digest.hexdigest()}-{secrets.token_hex(4)}"  # The same file twice is two uploads: each run has its own.
        )
        Path(name).replace(upload_path(data_dir, kept_as))
    finally:
        Path(name).unlink(missing_ok=True)
    return kept_as


def upload_path(data_dir: Path, name: str) -> Path:
    """Where an upload lies. Raises BadPictures where that is no upload's name."""
    if re.fullmatch(r"[0-9a-f]{64}-[0-9a-f]{8}", name) is None:
        raise InvalidDatasetError("That is no upload: choose the file again.")
    return _folder(data_dir) / f"{name}.zip"


def delete(data_dir: Path, name: str) -> None:
    """Removes an upload that no run needs any more."""
    upload_path(data_dir, name).unlink(missing_ok=True)


def _folder(data_dir: Path) -> Path:
    return data_dir / "uploads"
