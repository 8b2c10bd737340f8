"""Memory that unlearning takes: measured in each run, and checked before the next one with these settings.

Nothing is known before the first such run.
"""

import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.errors import MissingMemoryError
from unlearn_core.engine.forecasts.memory_meter import MemoryMeter, meter_of
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun

FILE = "run-memory.json"
"""The file in the data folder with the least bytes measured, by a hash of device, classifier, method and settings."""


@contextmanager
def checked(resolved: ResolvedRun, model_cache: ModelCache) -> Generator[None]:
    """Check that a device has the memory that unlearning with these settings took before; then measure it again.

    Models and images must be on the device already. What is kept is the least of all forget sets, so a run is refused
    only if even that is not free. Raises MissingMemoryError.
    """
    meter = meter_of(model_cache.device)
    if meter is None:
        yield
        return
    file, key = model_cache.data_dir / FILE, _key(resolved, meter)
    needed, free = _read(file).get(key), meter.free()
    if needed is not None and needed > free:
        raise MissingMemoryError(
            f"Unlearning with these settings took at least {needed / 1e9:.1f} GB of memory {meter.place} before, and "
            f"{free / 1e9:.1f} GB are free: {(needed - free) / 1e9:.1f} GB are missing. Choose a smaller batch, or "
            "close other programs that use this memory; then start the run again."
        )
    meter.start()
    yield
    taken = meter.growth()
    if needed is None or taken < needed:
        with suppress(OSError):  # a full disk does not fail a run for this
            atomic_write(file, json.dumps(_read(file) | {key: taken}).encode())


def _key(resolved: ResolvedRun, meter: MemoryMeter) -> str:
    """A hash, since the name of a visitor's classifier must not stay here once it is deleted."""
    settings = json.dumps(resolved.params.model_dump(mode="json"), sort_keys=True)
    parts = (meter.name, resolved.card.id, resolved.method.id, settings)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _read(file: Path) -> dict[str, int]:
    with suppress(OSError, ValueError):
        found = json.loads(file.read_text())
        return {str(key): int(value) for key, value in found.items()} if isinstance(found, dict) else {}
    return {}
