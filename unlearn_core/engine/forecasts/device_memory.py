"""Memory that unlearning takes on a GPU: measured in each run, and checked before the next one with these settings.

Nothing is known before the first such run, and nothing is measured on a CPU, where memory is shared with all programs.
"""

import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.errors import DeviceMemoryError
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun

FILE = "device-memory.json"
"""The file in the data folder with the least bytes measured, by a hash of device, classifier, method and settings."""


@contextmanager
def checked(resolved: ResolvedRun, model_cache: ModelCache) -> Generator[None]:
    """Check that a GPU has the memory that unlearning with these settings took before; then measure it again.

    Models and images must be on the device already. What is kept is the least of all forget sets, so a run is refused
    only if even that is not free. Raises DeviceMemoryError.
    """
    device = model_cache.device
    if device.type != "cuda":
        yield
        return
    file, key = model_cache.data_dir / FILE, _key(resolved, device)
    needed, free = _read(file).get(key), free_memory(device)
    if needed is not None and needed > free:
        raise DeviceMemoryError(
            f"Unlearning with these settings took at least {needed / 1e9:.1f} GB of memory on this GPU before, and "
            f"{free / 1e9:.1f} GB are free: {(needed - free) / 1e9:.1f} GB are missing. Choose a smaller batch, or "
            "close other programs that use this memory; then start the run again."
        )
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    yield
    taken = torch.cuda.max_memory_allocated(device) - before
    if needed is None or taken < needed:
        with suppress(OSError):  # a full disk does not fail a run for this
            atomic_write(file, json.dumps(_read(file) | {key: taken}).encode())


def free_memory(device: torch.device) -> int:
    """Return the bytes that this process can still allocate on a GPU: those free, and those it holds unused."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def _key(resolved: ResolvedRun, device: torch.device) -> str:
    """A hash, since the name of a visitor's classifier must not stay here once it is deleted."""
    settings = json.dumps(resolved.params.model_dump(mode="json"), sort_keys=True)
    parts = (torch.cuda.get_device_name(device), resolved.card.id, resolved.method.id, settings)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _read(file: Path) -> dict[str, int]:
    with suppress(OSError, ValueError):
        found = json.loads(file.read_text())
        return {str(key): int(value) for key, value in found.items()} if isinstance(found, dict) else {}
    return {}
