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

from unlearn_core.domain.errors import WorkerAlreadyRunningError
from unlearn_core.store.queue.processes import locks_dir

LEAVE_SIGNAL = signal.SIGUSR1
"""Asks a worker to go as soon as nothing is in hand."""

STOP_SIGNAL = signal.SIGTERM
"""Asks a worker to go at once; what is in hand goes back to the queue."""

POLL_SECONDS = 0.05


class LockInfo(NamedTuple):
    """Who holds a lock: its process, the fingerprint of its code, the run in hand, and whether the app started it."""

    pid: int
    code: str
    from_app: bool
    run: int | None = None


class DeviceLock:
    """A file that this process holds locked until it lets go or dies."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._handle = path, handle

    @classmethod
    def try_acquire(cls, path: Path) -> Self | None:
        """The lock, or None while somebody else holds it."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return cls(path, handle)

    def write_info(self, info: LockInfo) -> None:
        """Writes who holds the lock, for `holder_of`."""
        text = json.dumps(info._asdict()).encode()
        os.pwrite(self._handle, text, 0)
        os.ftruncate(self._handle, len(text))

    @property
    def is_valid(self) -> bool:
        """Whether the file is still the one in the data folder: it is not when the folder was removed."""
        try:
            found, mine = self.path.stat(), os.fstat(self._handle)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)

    def release(self) -> None:
        """Leaves the device to the next worker."""
        os.close(self._handle)


def lock_path(data_dir: Path, device: str) -> Path:
    """The lock file of a device."""
    return locks_dir(data_dir) / f"{device.replace(':', '-')}.lock"


def read_info(path: Path) -> LockInfo | None:
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
            return LockInfo(**json.loads(os.pread(handle, 4096, 0)))
        return None
    finally:
        os.close(handle)


def acquire(
    data_dir: Path, device: str, info: LockInfo, *, is_wanted: Callable[[], bool], log: Callable[[str], None]
) -> DeviceLock | None:
    """The lock of a device, once a worker of other code has left it; None where that is no longer `wanted`.

    Raises AlreadyServed where a worker of the same code has the device, or waits for it.
    """
    path = lock_path(data_dir, device)
    # Who waits holds a lock of its own, and gives it up to newer code in the same way.
    turn = _acquire(path.with_suffix(".next"), info, is_wanted=is_wanted, log=log)
    if turn is None:
        return None
    try:
        return _acquire(path, info, is_wanted=is_wanted, log=log)
    finally:
        turn.release()


def _acquire(
    path: Path, info: LockInfo, *, is_wanted: Callable[[], bool], log: Callable[[str], None]
) -> DeviceLock | None:
    asked = None
    while is_wanted():
        lock = DeviceLock.try_acquire(path)
        if lock is not None:
            lock.write_info(info)
            return lock
        holder = read_info(path)
        if holder is not None and holder.code == info.code:
            raise WorkerAlreadyRunningError(
                f"A worker (process {holder.pid}) has {path.stem} in {path.parents[1]} already. "
                "If you want another in its place, end it first: `python -m unlearn_core worker --stop`."
            )
        if holder is not None and holder.pid != asked:
            asked = holder.pid
            with suppress(ProcessLookupError):
                os.kill(holder.pid, LEAVE_SIGNAL)
            first = "" if holder.run is None else f" once run {holder.run} is over"
            log(f"The worker with process id {holder.pid} runs other code: this one takes its place{first}.")
        time.sleep(POLL_SECONDS)
    return None
