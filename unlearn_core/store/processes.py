"""Which of this machine's processes are alive, as far as a data folder is concerned."""

import os
from contextlib import suppress
from pathlib import Path


def lives(pid: int) -> bool:
    """Whether there is such a process on this machine."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's: there is one
        return True
    return True


def locks(home: Path) -> Path:
    """The folder of lock files and of web servers' marks, made where it is missing."""
    folder = home / "locks"
    folder.mkdir(exist_ok=True)
    return folder


def web_servers(home: Path) -> list[int]:
    """The live web servers that marked this data folder with a file `web-<pid>`; clears away dead ones' marks."""
    found = []
    for mark in (home / "locks").glob("web-*"):
        number = mark.name.removeprefix("web-")
        if number.isdecimal() and lives(int(number)):
            found.append(int(number))
        else:
            with suppress(OSError):
                mark.unlink()
    return found
