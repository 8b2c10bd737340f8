"""The path of the workers' log in a data folder, and its rotation."""

from contextlib import suppress
from pathlib import Path

LOG_FILE = "worker.log"

MAX_LOG_BYTES = 5_000_000
"""Size in bytes above which the next worker that starts rotates the log."""


def rotated_log_path(data_dir: Path) -> Path:
    """Return the log path for a worker that starts now; a log that is too large replaces the previous one."""
    log = data_dir / LOG_FILE
    with suppress(OSError):  # missing, or cannot be moved: then it keeps growing
        if log.stat().st_size > MAX_LOG_BYTES:
            log.replace(log.with_name(f"{LOG_FILE}.1"))
    return log
