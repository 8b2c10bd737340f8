"""The workers' log in a data folder, its rotation, and how workers and web server configure `logging`."""

import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path

from unlearn_core.settings import settings

LOG_FILE = "worker.log"

MAX_LOG_BYTES = 5_000_000
"""Size in bytes above which the next worker that starts rotates the log."""

_FORMATTER = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S")


@contextmanager
def logging_to(*handlers: logging.Handler) -> Generator[None]:
    """Send what this project logs to these handlers as dated lines, from the level that the settings name."""
    level, own = settings().log_level.upper(), logging.getLogger(__name__.partition(".")[0])
    handlers_before, level_before = own.handlers, own.level
    for handler in handlers:
        handler.setFormatter(_FORMATTER)
    own.handlers = list(handlers)
    own.setLevel(level)
    try:
        yield
    finally:
        own.handlers = handlers_before
        own.setLevel(level_before)
        for handler in handlers:
            handler.close()


class LogFileHandler(WatchedFileHandler):
    """Appends to the log of a data folder, also after another worker has rotated it."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir / LOG_FILE, delay=True, encoding="utf-8", errors="backslashreplace")

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. A file that cannot be opened, as after the removal of its folder, stops no worker."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)


def rotated_log_path(data_dir: Path) -> Path:
    """Return the log path for a worker that starts now; a log that is too large replaces the previous one."""
    log = data_dir / LOG_FILE
    with suppress(OSError):  # missing, or cannot be moved: then it keeps growing
        if log.stat().st_size > MAX_LOG_BYTES:
            log.replace(log.with_name(f"{LOG_FILE}.1"))
    return log
