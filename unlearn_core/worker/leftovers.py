"""What runs leave behind: processes that a method started and did not end. They end with their run, on Linux.

A child ends its descendants after each run. Those of a child that died become children of its supervisor, which ends
them; those of a supervisor that was killed carry its mark in their environment, by which the next one finds them.
"""

import ctypes
import os
import signal
from collections.abc import Collection, Iterator
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Any, cast

from unlearn_core.store.queue.processes import PROC

MARK = "_UNLEARN_LAB_WORKER"
"""The environment variable of a worker's processes: its lock file and process id."""

_PR_SET_CHILD_SUBREAPER = 36
_adopting: set[int] = set()
"""This process, once it adopts orphans. Without that, its children may be anybody's."""


def adopt_orphans() -> None:
    """Let descendants whose parent died become children of this process."""
    if PROC.is_dir() and ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0:
        _adopting.add(os.getpid())


def end_orphans() -> None:
    """End the children of this process that it adopted, with their descendants."""
    if os.getpid() in _adopting:
        servers = (
            cast("Any", forkserver)._forkserver._forkserver_pid,
            cast("Any", resource_tracker)._resource_tracker._pid,
        )
        _end(_descendants(os.getpid(), without={pid for pid in servers if pid is not None}))


def end_descendants() -> None:
    """End all descendants of this process."""
    _end(_descendants(os.getpid()))


def mark_processes(lock: Path) -> None:
    """Mark the processes that this one starts from now on as those of the holder of a lock."""
    os.environ[MARK] = f"{lock} {os.getpid()}"


def end_marked(lock: Path) -> None:
    """End what former holders of a lock left, which this process holds now."""
    start, own = f"{MARK}={lock} ".encode(), f"{MARK}={lock} {os.getpid()}".encode()
    found: list[int] = []
    for pid in _processes():
        with suppress(OSError):  # gone, or of another user
            marks = [item for item in (PROC / str(pid) / "environ").read_bytes().split(b"\0") if item.startswith(start)]
            found += [pid] if marks and marks != [own] else []
    _end(found)


def _end(pids: Collection[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    for pid in pids:
        with suppress(ChildProcessError):  # a grandchild, which its new parent reaps
            os.waitpid(pid, 0)


def _descendants(root: int, without: Collection[int] = ()) -> list[int]:
    """Return the live descendants of a process, without some of its children and those of these."""
    children: dict[int, list[int]] = {}
    for pid in _processes():
        with suppress(OSError):
            parent = int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(pid)
    found: list[int] = []
    waiting = [pid for pid in children.get(root, []) if pid not in without]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def _processes() -> Iterator[int]:
    return (int(path.name) for path in PROC.glob("[0-9]*"))
