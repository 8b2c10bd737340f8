"""Files that can be trusted: written whole or not at all, read only when their checksum is right."""

import hashlib
import importlib
import os
import tempfile
from pathlib import Path

from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.plugins import plugin_packages

ASSETS = Path(__file__).resolve().parents[2] / "assets"
"""What ships with the project."""


def asset_roots() -> list[Path]:
    """Where bundled files lie: the project's own folder, then the `assets` folder of each plug-in."""
    return [ASSETS, *(Path(importlib.import_module(name).__path__[0]) / "assets" for name in plugin_packages())]


def atomic_write(path: Path, data: bytes) -> None:
    """Writes a file so that a reader, or a power cut, finds the old bytes or the new ones, never half of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sha256(data: bytes) -> str:
    """The checksum that manifests hold."""
    return hashlib.sha256(data).hexdigest()


def read_verified(path: Path, expected: str) -> bytes:
    """The bytes of a bundled file. Raises BadAsset, with what to do, where it is missing or damaged."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise CorruptAssetError(
            f"The bundled file {path} cannot be read ({problem.strerror}). Restore it: {_RESTORE}"
        ) from None
    if sha256(data) != expected:
        raise CorruptAssetError(
            f"The bundled file {path} is damaged: it has not the recorded checksum. Restore it: {_RESTORE}"
        )
    return data


_RESTORE = "`git checkout -- assets`, or make it again with `make bundle`."
