"""Load untrusted checkpoints; the application runs this only in a sandboxed process (see `receive.convert`)."""

import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from unlearn_core.data.sandbox import JobContext
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload.entries import Entry, choose_entry
from unlearn_core.models.upload.header_checks import SAVE_HINT, CheckpointKind

WRAPPER_PREFIXES = ("module.", "_orig_mod.")
"""The prefixes that DataParallel and torch.compile add to every name."""

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
    tensors = entry.tensors
    for prefix in WRAPPER_PREFIXES * 2:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    if sum(value.numel() * value.element_size() for value in tensors.values()) > 2 * size:
        raise InvalidCheckpointError(
            "Its tensors claim to be larger than the file that contains them: it is malicious."
        )
    for name, value in tensors.items():
        _check(name, value)
    return {name: value.detach().clone().contiguous() for name, value in tensors.items()}


def _load(path: Path, kind: CheckpointKind) -> object:
    if kind == "safetensors":
        return load_file(path)
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except (MemoryError, RuntimeError):
        raise
    except Exception as problem:  # noqa: BLE001 (a file can make the reader raise anything; all of it is a refusal)
        named = re.search(r"GLOBAL ([\w.]+)", str(problem))
        if type(problem).__name__ != "UnpicklingError":
            raise InvalidCheckpointError(f"It cannot be read ({type(problem).__name__}): it is damaged.") from None
        what = f"It would run {named[1][:80]}" if named else "It contains more than plain weights and would run code"
        raise InvalidCheckpointError(
            f"{what} while it is loaded, and code from files is never run here. {SAVE_HINT}"
        ) from None


def _check(name: str, value: Tensor) -> None:
    short = name[:80]
    odd = type(value) not in (Tensor, torch.nn.Parameter) or value.layout != torch.strided or value.is_quantized
    if odd or value.device.type != "cpu" or value.dtype not in ALLOWED_DTYPES:
        raise InvalidCheckpointError(f"{short} is not a plain tensor ({value.dtype}, {value.layout}). {SAVE_HINT}")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise InvalidCheckpointError(f"{short} claims {value.numel():,} numbers and has fewer: the file is malicious.")
    if value.is_floating_point() and not bool(torch.isfinite(value).all()):
        raise InvalidCheckpointError(
            f"{short} contains values that are not finite, so this model gives no useful predictions."
        )
