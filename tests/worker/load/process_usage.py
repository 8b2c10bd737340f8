"""Memory, open files and threads of a lab's processes, and whether they stay what they were."""

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from tests.worker.faults.kills import processes
from unlearn_core.store.queue.cpu_load import LoadMeter

ROLES = ("web", "supervisor", "child")
MEASURES = ("memory", "files", "threads")
MOST_GROWTH = 0.1
"""The share by which something may grow and still counts as flat."""
FEW = {"memory": 0, "files": 3, "threads": 3}
"""By so much it may grow in any case: of nine threads, one more would be over."""
RSS = re.compile(r"RssAnon:\s+(\d+) kB")


class Usage(NamedTuple):
    """Memory in MiB without that of mapped files such as libraries, open files and threads of some processes."""

    memory: float
    files: int
    threads: int


Windows = dict[str, dict[str, list[float]]]
"""Of each role and measure, its value in windows of equal length after the warm-up: the median of memory, and the lower
quartile of open files and threads: each page has a thread while it is drawn, and a process that ends has fewer."""


class UsageLog:
    """Samples of the processes of a data folder, with how far each was on the way to the end (0 to 1)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.samples: dict[str, list[tuple[float, Usage]]] = defaultdict(list)
        self._meter, self._others = LoadMeter(), []

    def sample(self, done: float) -> None:
        found: dict[str, list[int]] = defaultdict(list)
        for pid in processes(str(self.home)):
            found[role_of(pid)].append(pid)
        for role in ROLES:
            if found[role]:
                self.samples[role].append((done, usage_of(found[role])))
        self._meter.sample([os.getpid(), *(pid for pids in found.values() for pid in pids)])
        if (used := self._meter.used()) is not None:
            self._others.append(used)

    @property
    def other_cores(self) -> float:
        """How many cores other programs used meanwhile."""
        return round(median(self._others), 2) if self._others else 0.0

    def windows(self, warm_up: float, count: int) -> Windows:
        """Return the values in so many windows after the warm-up, which is a share of the whole."""
        found: Windows = {}
        for role, samples in self.samples.items():
            parts: dict[int, list[Usage]] = defaultdict(list)
            for done, usage in samples:
                if done >= warm_up:
                    parts[min(count - 1, int((done - warm_up) / (1 - warm_up) * count))].append(usage)
            found[role] = {measure: _values(parts, measure) for measure in MEASURES}
        return found


def _values(parts: dict[int, list[Usage]], measure: str) -> list[float]:
    share = 0.5 if measure == "memory" else 0.25
    return [
        round(float(np.quantile([getattr(usage, measure) for usage in parts[part]], share)), 1)
        for part in sorted(parts)
    ]


def not_flat(windows: Windows) -> list[str]:
    """What grew by more than it may after the first window: memory, open files or threads of a role."""
    return [
        f"{measure} of the {role}: from {first:g} to {max(later):g}"
        for role, measures in windows.items()
        for measure, (first, *later) in measures.items()
        if max(later) > max(first * (1 + MOST_GROWTH), first + FEW[measure])
    ]


def role_of(pid: int) -> str:
    """Web server, supervisor of a device, or child; "" for what only helps Python."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    if b"resource_tracker" in command:
        return ""
    if b"streamlit" in command:
        return "web"
    return "supervisor" if b"unlearn_core\0worker" in command else "child"


def usage_of(pids: Sequence[int]) -> Usage:
    memory, files, threads = 0.0, 0, 0
    for pid in pids:
        with suppress(OSError):  # It has just ended.
            proc = Path(f"/proc/{pid}")
            memory += int(RSS.findall((proc / "status").read_text())[0]) / 1024
            files += len(list((proc / "fd").iterdir()))
            threads += len(list((proc / "task").iterdir()))
    return Usage(memory, files, threads)


def cpu_seconds(pids: Sequence[int]) -> float:
    """The CPU seconds of processes since they started."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")
