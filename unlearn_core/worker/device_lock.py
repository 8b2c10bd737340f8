"""The lock that allows one worker per device and data folder: a locked file that describes its holder."""

import fcntl
import json
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from unlearn_core.domain.errors import WorkerAlreadyRunningError
from unlearn_core.store.queue.processes import is_alive, locks_dir

LEAVE_SIGNAL = signal.SIGUSR1
"""Tells a worker to stop once it is idle."""

STOP_SIGNAL = signal.SIGTERM
"""Tells a worker to stop now; its active runs return to the queue."""

POLL_SECONDS = 0.05

_logger = logging.getLogger(__name__)


class LockInfo(NamedTuple):
    """The holder of a lock: its process, code digest, whether the web app started it, its run, its temporary folder."""

    pid: int
    code: str
    from_app: bool
    run: int | None = None
    temp: str = ""


class DeviceLock:
    """A file that this process keeps locked until it releases it or dies."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._handle = path, handle

    @classmethod
    def try_acquire(cls, path: Path) -> Self | None:
        """Return the lock, or None while another process holds it."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return cls(path, handle)

    def former_info(self) -> LockInfo | None:
        """Return the holder before this one, as it wrote itself last."""
        return _read(self._handle)

    def write_info(self, info: LockInfo) -> None:
        """Write the holder of the lock, for `read_info`."""
        text = json.dumps(info._asdict()).encode()
        os.pwrite(self._handle, text, 0)
        os.ftruncate(self._handle, len(text))

    @property
    def is_valid(self) -> bool:
        """Whether the locked file is still in the data folder, which may have been removed."""
        try:
            current, own = self.path.stat(), os.fstat(self._handle)
        except OSError:
            return False
        return (current.st_dev, current.st_ino) == (own.st_dev, own.st_ino)

    def release(self) -> None:
        """Release the device for the next worker."""
        os.close(self._handle)


def lock_path(data_dir: Path, device: str) -> Path:
    """Return the lock file of a device."""
    return locks_dir(data_dir) / f"{device.replace(':', '-')}.lock"


def lock_paths(data_dir: Path, device: str | None = None) -> list[Path]:
    """Return the locks of a device, or of all: of waiting workers first, so that none replaces a worker that stops."""
    pattern = "*" if device is None else lock_path(data_dir, device).stem
    return [*locks_dir(data_dir).glob(f"{pattern}.next"), *locks_dir(data_dir).glob(f"{pattern}.lock")]


def read_info(path: Path) -> LockInfo | None:
    """Return the holder of a lock; None if it is free, or its new holder has not written itself yet."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _read(handle)
    finally:
        os.close(handle)


def _read(handle: int) -> LockInfo | None:
    with suppress(ValueError, TypeError):
        return LockInfo(**json.loads(os.pread(handle, 4096, 0)))
    return None


def acquire(data_dir: Path, device: str, info: LockInfo, *, is_wanted: Callable[[], bool]) -> DeviceLock | None:
    """Return the lock of a device once a worker with other code has released it; None if no longer wanted.

    Raises WorkerAlreadyRunningError if a worker with the same code holds the device or waits for it.
    """
    path = lock_path(data_dir, device)
    # A waiting worker holds a second lock, which newer code takes over in the same way.
    waiting = _acquire(path.with_suffix(".next"), info, is_wanted)
    if waiting is None:
        return None
    try:
        return _acquire(path, info, is_wanted)
    finally:
        waiting.release()


def _clear_after(former: LockInfo | None) -> None:
    """Delete the temporary folder of a holder that was killed; one that ended in order has done so itself."""
    if former is not None and former.temp and not is_alive(former.pid):
        shutil.rmtree(former.temp, ignore_errors=True)


def _acquire(path: Path, info: LockInfo, is_wanted: Callable[[], bool]) -> DeviceLock | None:
    signalled = None
    while is_wanted():
        lock = DeviceLock.try_acquire(path)
        if lock is not None:
            _clear_after(lock.former_info())
            lock.write_info(info)
            return lock
        holder = read_info(path)
        if holder is not None and holder.code == info.code:
            raise WorkerAlreadyRunningError(
                f"A worker (process {holder.pid}) is already running on {path.stem} for {path.parents[1]}. "
                "To replace it, stop it first: `python -m unlearn_core worker --stop`."
            )
        if holder is not None and holder.pid != signalled:
            signalled = holder.pid
            with suppress(ProcessLookupError):
                os.kill(holder.pid, LEAVE_SIGNAL)
            when = "" if holder.run is None else f" once run {holder.run} ends"
            _logger.info(f"The worker with process id {holder.pid} runs other code: this worker replaces it{when}.")
        time.sleep(POLL_SECONDS)
    return None
