"""Meters of memory: how much a device has free, and how much more than before was in use at most since `start`.

On a GPU they count what torch allocates. On a CPU they count the process by Linux's /proc: what libraries keep for the
next run is no growth, so the growth is the least that a run takes.
"""

from contextlib import suppress
from pathlib import Path
from typing import Protocol

import torch

PROC = Path("/proc")
GROUP = Path("/sys/fs/cgroup")
"""The folder of this process's control group (version 2), which may limit its memory further, as containers do."""
_RESET_PEAK = "5"
"""What resets the peak of a process, written to its `clear_refs`."""


class MemoryMeter(Protocol):
    """The memory of one device; `place` names it in a sentence, `name` tells devices of different kinds apart."""

    place: str
    name: str

    def free(self) -> int: ...
    def start(self) -> None: ...
    def growth(self) -> int: ...


class GpuMeter:
    """The memory of a GPU, as this process sees it."""

    place = "on this GPU"

    def __init__(self, device: torch.device) -> None:
        self._device, self._before = device, 0
        self.name = torch.cuda.get_device_name(device)

    def free(self) -> int:
        """Return the bytes that this process can still allocate: those free, and those it holds unused."""
        free, _ = torch.cuda.mem_get_info(self._device)
        return free + torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)

    def start(self) -> None:
        """Begin to measure."""
        torch.cuda.reset_peak_memory_stats(self._device)
        self._before = torch.cuda.memory_allocated(self._device)

    def growth(self) -> int:
        """Return how many bytes more than at the start were allocated at most."""
        return torch.cuda.max_memory_allocated(self._device) - self._before


class ProcessMeter:
    """The memory of this process, on a machine with Linux."""

    place, name = "on this machine", "cpu"

    def __init__(self) -> None:
        self._before = 0

    def free(self) -> int:
        """Return the bytes that programs can still get without swapping, within the limit of the control group."""
        free = _kilobytes(PROC / "meminfo", "MemAvailable")
        with suppress(OSError, ValueError):  # no such group, or "max"
            limit = int((GROUP / "memory.max").read_text())
            free = min(free, limit - int((GROUP / "memory.current").read_text()))
        return free

    def start(self) -> None:
        """Begin to measure."""
        (PROC / "self" / "clear_refs").write_text(_RESET_PEAK)
        self._before = _kilobytes(PROC / "self" / "status", "VmRSS")

    def growth(self) -> int:
        """Return how many bytes more than at the start were in use at most."""
        return _kilobytes(PROC / "self" / "status", "VmHWM") - self._before


def meter_of(device: torch.device) -> MemoryMeter | None:
    """Return the meter of a device; None where its memory cannot be measured."""
    if device.type == "cuda":
        return GpuMeter(device)
    process = ProcessMeter()
    try:
        process.free()
        process.start()
    except (OSError, ValueError):  # another system, or a container that does not allow it
        return None
    return process


def _kilobytes(file: Path, name: str) -> int:
    """A value of a file of /proc, in bytes. Raises ValueError if it is missing."""
    for line in file.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) << 10
    raise ValueError(name)
