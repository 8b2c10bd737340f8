"""What the workers of a data folder write down: one file, and the one before it."""

from contextlib import suppress
from pathlib import Path

LOG_FILE = "worker.log"

MAX_LOG_BYTES = 5_000_000
"""Bytes after which the next worker that starts begins another file."""


def rotated_log_path(data_dir: Path) -> Path:
    """Where a worker writes that starts now. A file that has grown too long is put aside; the one before it goes."""
    log = data_dir / LOG_FILE
    with suppress(OSError):  # it is not there yet, or cannot be moved: then it goes on growing
        if log.stat().st_size > MAX_LOG_BYTES:
            log.replace(log.with_name(f"{LOG_FILE}.1"))
    return log
