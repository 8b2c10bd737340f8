"""The child process that loads untrusted checkpoints: limited in memory, time and disk, and safe to kill.

`python -m unlearn_core.models.upload.load_worker FROM TO KIND SECONDS` converts a checkpoint (whose header was checked)
into safetensors of plain tensors, and prints {"tensors": {name: shape}, "ignored": [...]} or {"refused": "a sentence"}.
"""

import json
import re
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload.header_checks import MAX_NAME_LENGTH, MAX_TENSORS, SAVE_HINT, CheckpointKind

MEMORY_MARGIN = 512 << 20
"""Bytes of memory beyond what the size of the file requires."""

WRAPPER_KEYS = ("state_dict", "model_state_dict", "model", "net", "weights", "params")
"""The keys under which training scripts store the weights beside other things."""

WRAPPER_PREFIXES = ("module.", "_orig_mod.")
"""The prefixes that DataParallel and torch.compile add to every name."""

ALLOWED_DTYPES = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
}


def main(source: str, target: str, kind: CheckpointKind, seconds: str) -> None:
    """Converts a checkpoint and prints the result."""
    path = Path(source)
    _confine(path.stat().st_size, int(seconds))
    try:
        tensors, ignored = extract_tensors(_load(path, kind), path.stat().st_size)
        save_file(tensors, target)
        result: dict[str, Any] = {
            "tensors": {name: list(one.shape) for name, one in tensors.items()},
            "ignored": ignored,
        }
    except InvalidCheckpointError as problem:
        result = {"refused": str(problem)}
    except MemoryError:
        result = {"refused": _TOO_MUCH}
    except RuntimeError as problem:
        is_memory = "allocate memory" in str(problem)
        result = {"refused": _TOO_MUCH if is_memory else f"It cannot be read ({_short(problem)}): it is damaged."}
    print(json.dumps(result))


def extract_tensors(loaded: object, size: int) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors of a checkpoint by name, without wrappers, and the names of its other entries.

    Raises InvalidCheckpointError if it has no weights, or some that are not plain, not finite, or larger than the file.
    """
    found = _unwrapped(loaded)
    ignored = [str(name)[:MAX_NAME_LENGTH] for name, value in found.items() if not isinstance(value, Tensor)]
    tensors = {name: value for name, value in found.items() if isinstance(value, Tensor)}
    if not 0 < len(tensors) <= MAX_TENSORS or not all(
        isinstance(name, str) and len(name) <= MAX_NAME_LENGTH for name in tensors
    ):
        raise InvalidCheckpointError(f"No weights were found in it: a checkpoint maps names to tensors. {SAVE_HINT}")
    for prefix in WRAPPER_PREFIXES * 2:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    if sum(value.numel() * value.element_size() for value in tensors.values()) > 2 * size:
        raise InvalidCheckpointError(
            "Its tensors claim to be larger than the file that contains them: it is malicious."
        )
    for name, value in tensors.items():
        _check(name, value)
    return {name: value.detach().clone().contiguous() for name, value in tensors.items()}, ignored


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


def _unwrapped(loaded: object) -> Mapping[Any, Any]:
    for _ in range(3):
        if not isinstance(loaded, Mapping):
            raise InvalidCheckpointError(
                f"No weights were found in it: a checkpoint maps names to tensors. {SAVE_HINT}"
            )
        inner = next((loaded[name] for name in WRAPPER_KEYS if isinstance(loaded.get(name), Mapping)), None)
        if inner is None:
            return loaded
        loaded = inner
    raise InvalidCheckpointError(f"Its weights are nested too deep. {SAVE_HINT}")


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


def _confine(size: int, seconds: int) -> None:
    """Sets the limits of this process, in addition to what importing torch takes, which depends on its build."""
    torch.set_num_threads(1)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    memory, written = mapped + MEMORY_MARGIN + 6 * size, 2 * size + (16 << 20)
    for limit, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def _short(problem: Exception) -> str:
    return " ".join(str(problem).split())[:120]


_TOO_MUCH = "Loading it takes far more memory than a checkpoint of its size should: it is malicious."

if __name__ == "__main__":
    main(*sys.argv[1:])  # pyright: ignore[reportArgumentType]
