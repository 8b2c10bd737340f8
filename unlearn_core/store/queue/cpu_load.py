"""CPU load of other programs: how many cores they use, without the lab's own processes.

Programs of a low priority (`nice`) count as all others: Linux shares the cores among sessions and containers, and heeds
priorities only within each.
"""

import os
import time
from collections import deque
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from unlearn_core.store.queue.processes import PROC, locks_dir

WINDOW = 5.0
"""Seconds over which a meter averages; a click that renders a page is no load."""

SHORTEST = 0.1
"""Seconds below which ticks are too coarse to say anything."""

OUTDATED = 10.0
"""Seconds after which a published load says nothing about now."""

FILE = "cpu-load"


class _Sample(NamedTuple):
    """Seconds of a clock, the busy seconds of all cores, and those of each own process."""

    time: float
    busy: float
    own: dict[int, float]


class LoadMeter:
    """Averages the load of other programs over the last seconds, from regular samples."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()

    def sample(self, own: Iterable[int]) -> None:
        """Take a sample; `own` are the ids of the lab's processes. Where Linux's /proc is missing, do nothing."""
        now = time.monotonic()
        with suppress(OSError, ValueError):
            self._samples.append(_Sample(now, _busy_seconds(), {pid: _own_seconds(pid) for pid in {*own}}))
        while len(self._samples) > 2 and self._samples[1].time <= now - WINDOW:
            self._samples.popleft()

    def load(self) -> float | None:
        """Return how many cores other programs want: those that they use, or on full cores the load average."""
        used = self.used()
        return used if used is None or used < usable_cores() - 0.5 else max(used, os.getloadavg()[0])

    def used(self) -> float | None:
        """Return the cores that other programs used between the oldest sample and the newest; None if unknown."""
        if len(self._samples) < 2:
            return None
        first, last = self._samples[0], self._samples[-1]
        seconds = last.time - first.time
        if seconds < SHORTEST:
            return None
        own = sum(max(0.0, spent - first.own.get(pid, 0.0)) for pid, spent in last.own.items())
        return max(0.0, (last.busy - first.busy - own) / seconds)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(seconds: float = 0.2) -> float | None:
    """Measure the load of other programs now, which takes that many seconds; None if unknown."""
    meter = LoadMeter()
    meter.sample([os.getpid()])
    time.sleep(seconds)
    meter.sample([os.getpid()])
    return meter.load()


def publish(data_dir: Path, load: float | None) -> None:
    """Tell the other processes of a data folder the load that a worker measured; they never read half of it."""
    with suppress(OSError):
        path = locks_dir(data_dir) / FILE
        spare = path.with_name(f".{FILE}.{os.getpid()}")
        spare.write_text("" if load is None else f"{load:.2f}")
        spare.replace(path)


def published(data_dir: Path) -> float | None:
    """Return the load that a worker measured in the last seconds; None if there is none."""
    path = data_dir / "locks" / FILE
    with suppress(OSError, ValueError):
        if time.time() - path.stat().st_mtime < OUTDATED:
            return float(path.read_text())
    return None


def _busy_seconds() -> float:
    """The busy seconds of the cores that this process may use, since the machine started."""
    text = (PROC / "stat").read_text()
    cores = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    lines = (line.split() for line in text.splitlines() if line.startswith("cpu"))
    return sum(_busy_ticks(fields[1:]) for fields in lines if fields[0] in cores) / os.sysconf("SC_CLK_TCK")


def _busy_ticks(fields: Collection[str]) -> int:
    user, nice, system, _idle, _waiting, irq, softirq, *_ = map(int, fields)
    return user + nice + system + irq + softirq


def _own_seconds(pid: int) -> float:
    """The seconds of a process and of its children that have ended; 0 if it is gone."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
