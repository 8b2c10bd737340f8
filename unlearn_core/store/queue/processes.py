"""Which of this machine's processes are alive, as far as a data folder is concerned."""

import os
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

PROC = Path("/proc")


def is_alive(pid: int, born: str | None = None) -> bool:
    """Whether that very process is alive on this machine; any with its id, where it is not known when it was born."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's: there is one
        pass
    return born is None or birth(pid) in (born, None)


def birth(pid: int) -> str | None:
    """When a process began, which tells it from every other one that has had its id; None where that is hidden.

    Linux has the clock tick since the boot; other systems have the date, which `ps` knows.
    """
    with suppress(OSError):
        ticks = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
        return f"{boot()} {ticks}"
    with suppress(OSError):
        plain = os.environ | {"LC_ALL": "C", "TZ": "UTC"}
        said = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], env=plain, capture_output=True, text=True, check=False
        )
        return said.stdout.strip() or None
    return None


@cache
def boot() -> str | None:
    """The id that Linux gives each start of a machine, None elsewhere; who has the same one has the same uptime."""
    try:
        return (PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
    except OSError:
        return None


def locks_dir(data_dir: Path) -> Path:
    """The folder of lock files and of web servers' marks, made where it is missing."""
    folder = data_dir / "locks"
    folder.mkdir(exist_ok=True)
    return folder


def mark(data_dir: Path) -> Path:
    """Marks a data folder as one that this process, a web server, shows: with a file that says when it was born."""
    own = locks_dir(data_dir) / f"web-{os.getpid()}"
    own.write_text(birth(os.getpid()) or "")
    return own


def web_servers(data_dir: Path) -> list[int]:
    """The live web servers that have marked this data folder; clears away dead ones' marks."""
    found = []
    for mark in (data_dir / "locks").glob("web-*"):
        number = mark.name.removeprefix("web-")
        if number.isdecimal() and is_alive(int(number), _born(mark)):
            found.append(int(number))
        else:
            with suppress(OSError):
                mark.unlink()
    return found


def _born(mark: Path) -> str | None:
    """What a mark says; those of earlier releases hold only the process id again."""
    with suppress(OSError):
        said = mark.read_text()
        return None if said.isdecimal() else said or None
    return None
