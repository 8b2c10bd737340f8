"""What a worker says to whoever watches its output, and what it writes down."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from unlearn_core.store.files.log_file import LOG_FILE


def log_line(message: str) -> None:
    """One line on the output, if there is still somebody to read it; the app's workers have theirs in the log."""
    with suppress(OSError):
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {message}", flush=True)


def append_to_log(data_dir: Path, text: str) -> None:
    """Adds something long to the log; a full disk is no reason to fall over."""
    with suppress(OSError), (data_dir / LOG_FILE).open("a", encoding="utf-8", errors="backslashreplace") as log:
        log.write(text)
