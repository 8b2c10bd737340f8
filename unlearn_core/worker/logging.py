"""What a worker says to whoever watches its output, and what it writes down."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from unlearn_core.store.files.log_file import LOG


def say(words: str) -> None:
    """One line on the output, if there is still somebody to read it; the app's workers have theirs in the log."""
    with suppress(OSError):
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {words}", flush=True)


def write_down(home: Path, account: str) -> None:
    """Adds something long to the log; a full disk is no reason to fall over."""
    with suppress(OSError), (home / LOG).open("a", encoding="utf-8", errors="backslashreplace") as log:
        log.write(account)
