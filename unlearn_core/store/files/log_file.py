"""What the workers of a data folder write down: one file, and the one before it."""

from contextlib import suppress
from pathlib import Path

LOG = "worker.log"

LONGEST = 5_000_000
"""Bytes after which the next worker that starts begins another file."""


def log_of(home: Path) -> Path:
    """Where a worker writes that starts now. A file that has grown too long is put aside; the one before it goes."""
    log = home / LOG
    with suppress(OSError):  # it is not there yet, or cannot be moved: then it goes on growing
        if log.stat().st_size > LONGEST:
            log.replace(log.with_name(f"{LOG}.1"))
    return log
