"""Load untrusted checkpoints; the application runs this only in a sandboxed process (see `receive.convert`)."""

import io
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from unlearn_core.data.sandbox import JobContext
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload import legacy_format, pickle_globals, stubs
from unlearn_core.models.upload.entries import Entry, choose_entry
from unlearn_core.models.upload.header_checks import SAVE_HINT, UNREADABLE, CheckpointKind

WRAPPER_PREFIXES = ("module.", "_orig_mod.")
"""The prefixes that DataParallel and torch.compile add to every name."""

MAX_PROTOCOL = 3
"""Of the pickles that torch's reader reads."""

_CLASS_REFERENCE = f"{stubs.__name__}.{stubs.referenced_class.__name__}"

ALLOWED_DTYPES = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
}


def convert(job: dict[str, Any], _context: JobContext) -> dict[str, Any]:
    """Converts the checkpoint `source`, whose header was checked, into safetensors of plain tensors at `target`.

    Returns what `receive.convert` does. Raises InvalidCheckpointError, and MemoryError also where torch has an error
    of its own for that.
    """
    source = Path(job["source"])
    try:
        entry, entries = choose_entry(_load(source, job["kind"]), job["entry"])
        tensors = plain_tensors(entry, source.stat().st_size)
        save_file(tensors, job["target"])
    except RuntimeError as problem:
        if "allocate memory" in str(problem):
            raise MemoryError from None
        short = " ".join(str(problem).split())[:120]
        raise InvalidCheckpointError(f"It cannot be read ({short}): it is damaged.") from None
    return {
        "tensors": {name: list(one.shape) for name, one in tensors.items()},
        "ignored": entry.ignored,
        "entry": entry.path,
        "entries": [{"name": one.path, "tensors": len(one.tensors)} for one in entries],
    }


def plain_tensors(entry: Entry, size: int) -> dict[str, Tensor]:
    """The tensors of an entry by name, without the prefixes of wrappers.

    Raises InvalidCheckpointError if some are not plain, not finite, or larger than the file of `size` bytes.
    """
    tensors = {name: _detached(name, value) for name, value in entry.tensors.items()}
    for prefix in WRAPPER_PREFIXES * 2:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    if sum(value.numel() * value.element_size() for value in tensors.values()) > 2 * size:
        raise InvalidCheckpointError(
            "Its tensors claim to be larger than the file that contains them: it is malicious."
        )
    for name, value in tensors.items():
        _check(name, value)
    return {name: value.clone().contiguous() for name, value in tensors.items()}


def _load(path: Path, kind: CheckpointKind) -> object:
    """What the file contains: tensors, plain containers, and stubs for all else."""
    if kind == "safetensors":
        return load_file(path)
    if kind == "legacy":
        data = path.read_bytes()
        asked = pickle_globals.read(data, legacy_format.PICKLES)
        source: Path | io.BytesIO = io.BytesIO(legacy_format.without_sources(data, _CLASS_REFERENCE))
    else:
        source, asked = path, pickle_globals.read(_zipped_pickle(path))
    pickle_globals.refuse_acting(asked.globals)
    known: list[Any] = [(stubs.Stub, name) for name in asked.globals] + [(stubs.referenced_class, _CLASS_REFERENCE)]
    try:
        with torch.serialization.safe_globals(known):
            return torch.load(source, weights_only=True, map_location="cpu")
    except (MemoryError, RuntimeError):
        raise
    except Exception as problem:  # noqa: BLE001 (a file can make the reader raise anything; all of it is a refusal)
        if asked.protocol > MAX_PROTOCOL:
            reason = f"It was saved with pickle protocol {asked.protocol}, and only torch.save's own, 2, can be read."
        elif type(problem).__name__ == "UnpicklingError":
            reason = "It contains more than weights and plain values, which cannot be read safely."
        else:
            raise InvalidCheckpointError(f"It cannot be read ({type(problem).__name__}): it is damaged.") from None
        raise InvalidCheckpointError(f"{reason} {SAVE_HINT}") from None


def _zipped_pickle(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(next(name for name in archive.namelist() if name.lower().endswith("/data.pkl")))
    except (*UNREADABLE, StopIteration) as problem:
        raise InvalidCheckpointError(f"It cannot be read ({type(problem).__name__}): it is damaged.") from None


def _detached(name: str, value: Tensor) -> Tensor:
    """The tensor alone: a file can give a parameter attributes that hide the methods of tensors."""
    if type(value) not in (Tensor, torch.nn.Parameter):
        raise InvalidCheckpointError(f"{name[:80]} is not a plain tensor ({type(value).__name__}). {SAVE_HINT}")
    return Tensor.detach(value)


def _check(name: str, value: Tensor) -> None:
    short = name[:80]
    odd = value.layout != torch.strided or value.is_quantized or value.is_nested or value.device.type != "cpu"
    if odd or value.dtype not in ALLOWED_DTYPES:
        raise InvalidCheckpointError(f"{short} is not a plain tensor ({value.dtype}, {value.layout}). {SAVE_HINT}")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise InvalidCheckpointError(f"{short} claims {value.numel():,} numbers and has fewer: the file is malicious.")
    if value.is_floating_point() and not bool(torch.isfinite(value).all()):
        raise InvalidCheckpointError(
            f"{short} contains values that are not finite, so this model gives no useful predictions."
        )
