"""Maintenance: while its mark is in the data folder, no web server starts a worker, and pages say that runs wait."""

from pathlib import Path

from unlearn_core.store.queue.processes import locks_dir

NOTICE = "This lab is being maintained: runs in progress end, and queued runs start when it is over."


def begin(data_dir: Path) -> None:
    """Begin it; it lasts until a worker is started by hand."""
    _mark(data_dir).touch()


def is_on(data_dir: Path) -> bool:
    """Return whether it lasts."""
    return (data_dir / "locks" / "maintenance").exists()


def end(data_dir: Path) -> None:
    """End it."""
    _mark(data_dir).unlink(missing_ok=True)


def _mark(data_dir: Path) -> Path:
    return locks_dir(data_dir) / "maintenance"
