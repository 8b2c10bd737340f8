"""A run's folder: its report, part by part, and its weights; every file is written whole or not at all."""

import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from unlearn_core.data.atomic_files import write_whole
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.measurement import Part

WEIGHTS = "weights.safetensors"
HEAD = "report.json"


def folder_of(home: Path, run: int) -> Path:
    """Where the artifacts of a run lie."""
    return home / "runs" / str(run)


def make_folder(home: Path, run: int) -> bool:
    """Makes the folder of a run that begins; False where there is one already: it holds another run."""
    folder = folder_of(home, run)
    with explained(folder):
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            return False
    return True


def clear_folder(home: Path, run: int) -> None:
    """Takes away what an attempt that ended early left in the folder of a run."""
    folder = folder_of(home, run)
    with explained(folder):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Says in plain words why a folder cannot be written, as a StoreError."""
    try:
        yield
    except OSError as problem:
        raise StoreError(
            f"The folder {folder} cannot be written ({problem.strerror}). Make room on its disk, or give this user the "
            "right to write there."
        ) from None


def write_json(path: Path, facts: Mapping[str, Any]) -> None:
    """Plain values, readable for people."""
    write_whole(path, json.dumps(facts, indent=1).encode())


def write_part(folder: Path, name: str, part: Part) -> None:
    """One part of a report: arrays first, so that a part whose facts are there is whole."""
    if part.arrays:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **part.arrays)  # pyright: ignore[reportArgumentType]
        write_whole(folder / "parts" / f"{name}.npz", buffer.getvalue())
    write_json(folder / "parts" / f"{name}.json", part.facts)


def read_part(folder: Path, name: str) -> Part | None:
    """One part of a report, or None where it is not there."""
    try:
        facts = json.loads((folder / "parts" / f"{name}.json").read_text())
    except FileNotFoundError:
        return None
    try:
        with np.load(folder / "parts" / f"{name}.npz", allow_pickle=False) as file:
            return Part(facts, dict(file))
    except FileNotFoundError:
        return Part(facts, {})


def names(folder: Path) -> tuple[str, ...]:
    """Which parts a folder holds."""
    return tuple(sorted(path.stem for path in (folder / "parts").glob("*.json")))


def states(folder: Path) -> tuple[str, ...]:
    """The same, each with the moment of its writing: a part that is measured anew is another one."""
    return tuple(f"{name} {(folder / 'parts' / f'{name}.json').stat().st_mtime_ns}" for name in names(folder))


def answer(home: Path, look: int) -> Part | None:
    """What a finished look saw, in the format of the `cam` part."""
    return read_part(folder_of(home, look), "cam")
