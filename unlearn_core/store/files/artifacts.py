"""A run's folder: its report, part by part, and its weights; every file is written whole or not at all."""

import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.measurement import ReportPart

WEIGHTS_FILE = "weights.safetensors"
REPORT_FILE = "report.json"


def run_dir(data_dir: Path, run: int) -> Path:
    """Where the artifacts of a run lie."""
    return data_dir / "runs" / str(run)


def make_folder(data_dir: Path, run: int) -> bool:
    """Makes the folder of a run that begins; False where there is one already: it holds another run."""
    folder = run_dir(data_dir, run)
    with explained(folder):
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            return False
    return True


def clear_folder(data_dir: Path, run: int) -> None:
    """Takes away what an attempt that ended early left in the folder of a run."""
    folder = run_dir(data_dir, run)
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
    atomic_write(path, json.dumps(facts, indent=1).encode())


def write_part(folder: Path, name: str, part: ReportPart) -> None:
    """One part of a report: arrays first, so that a part whose facts are there is whole."""
    if part.arrays:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **part.arrays)  # pyright: ignore[reportArgumentType]
        atomic_write(folder / "parts" / f"{name}.npz", buffer.getvalue())
    write_json(folder / "parts" / f"{name}.json", part.facts)


def read_part(folder: Path, name: str) -> ReportPart | None:
    """One part of a report, or None where it is not there."""
    try:
        facts = json.loads((folder / "parts" / f"{name}.json").read_text())
    except FileNotFoundError:
        return None
    try:
        with np.load(folder / "parts" / f"{name}.npz", allow_pickle=False) as file:
            return ReportPart(facts, dict(file))
    except FileNotFoundError:
        return ReportPart(facts, {})


def part_names(folder: Path) -> tuple[str, ...]:
    """Which parts a folder holds."""
    return tuple(sorted(path.stem for path in (folder / "parts").glob("*.json")))


def part_versions(folder: Path) -> tuple[str, ...]:
    """The same, each with the moment of its writing: a part that is measured anew is another one."""
    return tuple(f"{name} {(folder / 'parts' / f'{name}.json').stat().st_mtime_ns}" for name in part_names(folder))


def read_explanation(data_dir: Path, run: int) -> ReportPart | None:
    """What a finished look saw, in the format of the `cam` part."""
    return read_part(run_dir(data_dir, run), "cam")
