"""Starting real workers on fake work, and watching them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.store.specs import spec
from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.queue.run_store import RunStore

LONG = 60.0
"""Seconds that anything may take on a machine that is busy with other things."""


def until(true: Callable[[], Any], seconds: float = LONG) -> Any:
    """Waits for something to be true, and gives it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


@contextmanager
def worker(home: Path, *options: str) -> Iterator[subprocess.Popen]:
    """A worker in a session of its own. Whatever the test did to it, nothing of it is left in the end."""
    with (home.parent / "output.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.worker.serve", str(home), *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(LONG)
        process.kill()
        process.wait()
        try:
            until(lambda: not members(process.pid), LONG / 2)
        finally:
            for pid in members(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def members(session: int) -> list[int]:
    """The live processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, its = stat.read_text().rpartition(")")[2].split()[:4]
            if int(its) == session and state != "Z":
                found.append(int(stat.parent.name))
    return found


def output(home: Path) -> str:
    """What the workers of this test have said."""
    return (home.parent / "output.log").read_text()


def submit(store: RunStore, **params: Any) -> int:
    return store.submit(spec(**params), title="a test")


def enough(store: RunStore, run: int) -> None:
    """Lets a run end that is busy until it is told."""
    (store.data_dir / f"enough-{run}").touch()


def end_of(store: RunStore, run: int) -> Run:
    """Waits until a run is over."""
    return until(lambda: one if (one := store.get(run)).state.is_finished else None)


def begun(store: RunStore, run: int, attempt: int = 1) -> int:
    """Waits until an attempt at a run has really begun, and gives the process that works on it."""
    sign = store.data_dir / f"began-{run}-{attempt}"
    return int(until(lambda: sign.exists() and sign.read_text()))


def is_running(store: RunStore, run: int) -> bool:
    return store.get(run).state is RunState.RUNNING
