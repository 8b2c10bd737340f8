"""Processes of this machine: whether one is alive, and which web servers use a data folder."""

import os
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

PROC = Path("/proc")


def is_alive(pid: int, born: str | None = None) -> bool:
    """Return whether this process is alive; without a start time, any process with its id counts."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it exists and belongs to another user
        pass
    return born is None or birth(pid) in (born, None)


def birth(pid: int) -> str | None:
    """Return when a process started, which distinguishes it from others with the same id; None if unknown.

    On Linux this is the boot id and the clock tick; on other systems the date, from `ps`.
    """
    with suppress(OSError):
        ticks = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
        return f"{boot()} {ticks}"
    with suppress(OSError):
        environment = os.environ | {"LC_ALL": "C", "TZ": "UTC"}
        output = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], env=environment, capture_output=True, text=True, check=False
        )
        return output.stdout.strip() or None
    return None


@cache
def boot() -> str | None:
    """Return the id that Linux gives each boot, None elsewhere; the same id means the same uptime clock."""
    try:
        return (PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
    except OSError:
        return None


def locks_dir(data_dir: Path) -> Path:
    """Return the folder of lock files and web server markers, created if missing."""
    folder = data_dir / "locks"
    folder.mkdir(exist_ok=True)
    return folder


def mark(data_dir: Path) -> Path:
    """Register this process as a web server of a data folder, with a file that holds its start time."""
    marker = locks_dir(data_dir) / f"web-{os.getpid()}"
    marker.write_text(birth(os.getpid()) or "")
    return marker


def web_servers(data_dir: Path) -> list[int]:
    """Return the live web servers of this data folder, and delete the markers of dead ones."""
    found: list[int] = []
    for mark in (data_dir / "locks").glob("web-*"):
        number = mark.name.removeprefix("web-")
        if number.isdecimal() and is_alive(int(number), _born(mark)):
            found.append(int(number))
        else:
            with suppress(OSError):
                mark.unlink()
    return found


def _born(mark: Path) -> str | None:
    """Return the start time in a marker; those of earlier releases only repeat the process id."""
    with suppress(OSError):
        text = mark.read_text()
        return None if text.isdecimal() else text or None
    return None
