"""One worker a device and data folder: a locked file that says who holds it."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from unlearn_core.domain.errors import AlreadyServed
from unlearn_core.store.queue.processes import locks

LEAVE = signal.SIGUSR1
"""Asks a worker to go as soon as nothing is in hand."""

STOP = signal.SIGTERM
"""Asks a worker to go at once; what is in hand goes back to the queue."""

PAUSE = 0.05


class Holder(NamedTuple):
    """Who holds a lock: its process, the fingerprint of its code, the run in hand, and whether the app started it."""

    pid: int
    code: str
    from_app: bool
    run: int | None = None


class Lock:
    """A file that this process holds locked until it lets go or dies."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._handle = path, handle

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """The lock, or None while somebody else holds it."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return cls(path, handle)

    def tell(self, holder: Holder) -> None:
        """Writes who holds the lock, for `holder_of`."""
        text = json.dumps(holder._asdict()).encode()
        os.pwrite(self._handle, text, 0)
        os.ftruncate(self._handle, len(text))

    @property
    def is_there(self) -> bool:
        """Whether the file is still the one in the data folder: it is not when the folder was removed."""
        try:
            found, mine = self.path.stat(), os.fstat(self._handle)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)

    def let_go(self) -> None:
        """Leaves the device to the next worker."""
        os.close(self._handle)


def path_of(home: Path, device: str) -> Path:
    """The lock file of a device."""
    return locks(home) / f"{device.replace(':', '-')}.lock"


def holder_of(path: Path) -> Holder | None:
    """Who holds a lock; None where nobody does, or where its new holder has not said who it is yet."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        with suppress(ValueError, TypeError):
            return Holder(**json.loads(os.pread(handle, 4096, 0)))
        return None
    finally:
        os.close(handle)


def take_over(
    home: Path, device: str, me: Holder, *, wanted: Callable[[], bool], say: Callable[[str], None]
) -> Lock | None:
    """The lock of a device, once a worker of other code has left it; None where that is no longer `wanted`.

    Raises AlreadyServed where a worker of the same code has the device, or waits for it.
    """
    path = path_of(home, device)
    # Who waits holds a lock of its own, and gives it up to newer code in the same way.
    turn = _take_over(path.with_suffix(".next"), me, wanted=wanted, say=say)
    if turn is None:
        return None
    try:
        return _take_over(path, me, wanted=wanted, say=say)
    finally:
        turn.let_go()


def _take_over(path: Path, me: Holder, *, wanted: Callable[[], bool], say: Callable[[str], None]) -> Lock | None:
    asked = None
    while wanted():
        lock = Lock.take(path)
        if lock is not None:
            lock.tell(me)
            return lock
        holder = holder_of(path)
        if holder is not None and holder.code == me.code:
            raise AlreadyServed(
                f"A worker (process {holder.pid}) has {path.stem} in {path.parents[1]} already. "
                "If you want another in its place, end it first: `python -m unlearn_core worker --stop`."
            )
        if holder is not None and holder.pid != asked:
            asked = holder.pid
            with suppress(ProcessLookupError):
                os.kill(holder.pid, LEAVE)
            first = "" if holder.run is None else f" once run {holder.run} is over"
            say(f"The worker with process id {holder.pid} runs other code: this one takes its place{first}.")
        time.sleep(PAUSE)
    return None
