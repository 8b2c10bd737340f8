"""Receive uploaded checkpoints: check their bytes, convert them in a sandboxed process, store them as safetensors.

This process reads only the header of such a file; only what the sandboxed process wrote is opened later.
"""

import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, BinaryIO

from unlearn_core.data import sandbox, user_catalog
from unlearn_core.domain.errors import InvalidCheckpointError, StoreError
from unlearn_core.models import user_models
from unlearn_core.models.upload import header_checks
from unlearn_core.settings import Settings, limit_hint, settings

LOAD_FUNCTION = "unlearn_core.models.upload.load_worker:convert"
MEMORY_MARGIN, FILE_MARGIN = 512 << 20, 16 << 20
"""Bytes of memory, and of the converted file, beyond what the size of a checkpoint requires."""
UPLOADS_FOLDER, ORIGINAL_FILE = ".uploads", "given"
UPLOAD_MAX_AGE = 86_400
"""Seconds after which an upload that was not added is removed."""


def receive(file: BinaryIO) -> str:
    """Stores an uploaded file in its own folder if its header is that of a checkpoint; returns its sha256.

    Otherwise it raises InvalidCheckpointError, with a reason, and stores nothing.
    """
    limits, uploads = settings(), _root()
    uploads.mkdir(parents=True, exist_ok=True)
    for place in (uploads, uploads.parent / user_models.PENDING_FOLDER):
        _sweep(place)
    _check_room(limits, uploads)
    aside = Path(tempfile.mkdtemp(dir=uploads, prefix=".new-"))
    try:
        digest, size = hashlib.sha256(), 0
        with (aside / ORIGINAL_FILE).open("wb") as stored:
            while piece := file.read(1 << 20):
                size += len(piece)
                if size > limits.most_checkpoint_mb << 20:
                    raise InvalidCheckpointError(
                        f"It is larger than {limits.most_checkpoint_mb:,} MB, the limit. "
                        + limit_hint("most_checkpoint_mb")
                    )
                digest.update(piece)
                stored.write(piece)
        header_checks.check_header(aside / ORIGINAL_FILE)
        target = uploads / digest.hexdigest()
        if not target.exists():
            aside.rename(target)
        os.utime(target)
        return digest.hexdigest()
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def convert(upload: str, entry: str = "") -> dict[str, Any]:
    """Converts an upload to plain tensors in a sandboxed process.

    `entry` names the entry of the file to take, as in "entries"; by default it is the plain weights. Returns
    {"tensors": {name: shape}, "ignored": [names of what else the entry contains], "entry": its name, "entries":
    [{"name": ..., "tensors": how many}, ...]}, where a name is a path joined by dots, and "" is the whole file. Raises
    InvalidCheckpointError, with its reason or with why that process died.
    """
    source = _folder(upload) / ORIGINAL_FILE
    size, kind = source.stat().st_size, header_checks.check_header(source)
    job = {"source": str(source), "target": str(safetensors_path(upload, entry)), "kind": kind, "entry": entry}
    seconds, file_bytes = settings().most_checkpoint_seconds, 2 * size + FILE_MARGIN
    allowed = sandbox.Limits(MEMORY_MARGIN + 6 * size, seconds, file_bytes, beyond_imports=True)
    try:
        return sandbox.run(LOAD_FUNCTION, job, allowed)
    except sandbox.SandboxError as problem:
        if problem.cause != "time":  # With more time, the same upload may load.
            delete(upload)
        reasons = {
            "refused": problem.reason,
            "time": f"Loading it took longer than {seconds} s, so it was stopped. "
            + limit_hint("most_checkpoint_seconds"),
            "memory": "Loading it took far more memory than a checkpoint of its size may: it is refused.",
            "crash": f"The process that loads it died ({problem.reason}): the file is damaged or malicious.",
        }
        raise InvalidCheckpointError(reasons[problem.cause]) from None


def safetensors_path(upload: str, entry: str = "") -> Path:
    """The file of an upload's entry, once it is converted. Raises InvalidCheckpointError if there is no such upload.

    Each entry has its own, since two workers may convert two entries of one upload at the same time.
    """
    return _folder(upload) / f"{hashlib.sha256(entry.encode()).hexdigest()[:16]}.safetensors"


def delete(upload: str) -> None:
    """Removes an upload."""
    shutil.rmtree(_root() / upload, ignore_errors=True)


def _folder(upload: str) -> Path:
    folder = _root() / upload
    if not (folder / ORIGINAL_FILE).is_file():
        raise InvalidCheckpointError("This upload no longer exists: upload the file again.")
    return folder


def _check_room(limits: Settings, uploads: Path) -> None:
    used = sum(path.stat().st_size for path in uploads.parent.rglob("*") if path.is_file())
    if used > limits.most_trained_gb << 30:
        raise InvalidCheckpointError(
            f"Your own classifiers take {used / 2**30:.1f} GB, and the limit is {limits.most_trained_gb} GB. "
            f"Remove one first. {limit_hint('most_trained_gb')}"
        )


def _sweep(parent: Path) -> None:
    """Removes old uploads and checkpoints that were never added."""
    for folder in parent.iterdir() if parent.exists() else ():
        if time.time() - folder.stat().st_mtime > UPLOAD_MAX_AGE:
            shutil.rmtree(folder, ignore_errors=True)


def _root() -> Path:
    root = user_catalog.user_model_dir()
    if root is None:
        raise StoreError("No data folder is set, so checkpoints cannot be stored.")
    return root / UPLOADS_FOLDER
