"""The output and log of a worker: dated lines on stdout, and tracebacks in worker.log."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from unlearn_core.store.files.log_file import LOG_FILE


def log_line(message: str) -> None:
    """Print one dated line, if stdout is still open; that of workers started by the app goes to the log."""
    with suppress(OSError):
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {message}", flush=True)


def append_to_log(data_dir: Path, text: str) -> None:
    """Append a long text to the log; a full disk is ignored."""
    with suppress(OSError), (data_dir / LOG_FILE).open("a", encoding="utf-8", errors="backslashreplace") as log:
        log.write(text)
