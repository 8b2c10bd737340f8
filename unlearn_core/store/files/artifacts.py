"""The folder of a run: its report parts and weights; every file is written atomically."""

import io
import json
import shutil
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.results.explanations import CamResult
from unlearn_core.domain.results.result import ReportPart, Result

R = TypeVar("R", bound=Result)

WEIGHTS_FILE = "weights.safetensors"
REPORT_FILE = "report.json"

UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error)
"""What reading a damaged file of ours raises."""


def run_dir(data_dir: Path, run: int) -> Path:
    """Return the folder with the artifacts of a run."""
    return data_dir / "runs" / str(run)


def is_unlearned(folder: Path) -> bool:
    """Return whether the folder of a run holds all that unlearning left: the weights are written after the rest."""
    return (folder / WEIGHTS_FILE).exists()


def has_report(folder: Path) -> bool:
    """Return whether the folder of a run holds a report, or the beginning of one."""
    return (folder / REPORT_FILE).exists()


def make_folder(data_dir: Path, run: int) -> bool:
    """Create the folder of a run that starts; return False if it holds another run.

    A process that was killed between this and its commit leaves an empty folder, in which the run starts again.
    """
    folder = run_dir(data_dir, run)
    with writable(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return not any(folder.iterdir())
        except FileExistsError:  # by a file
            return False


def clear_folder(data_dir: Path, run: int) -> None:
    """Empty the folder of a run before another attempt."""
    folder = run_dir(data_dir, run)
    with writable(folder):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)


@contextmanager
def writable(folder: Path) -> Generator[None]:
    """Raise a StoreError with the reason if the folder cannot be written."""
    try:
        yield
    except OSError as problem:
        raise StoreError(
            f"Cannot write to the folder {folder} ({problem.strerror}). Free some disk space, or make it writable for "
            "this user."
        ) from None


def write_json(path: Path, facts: Mapping[str, Any]) -> None:
    """Write plain values as indented JSON."""
    atomic_write(path, json.dumps(facts, indent=1).encode())


def write_part(folder: Path, name: str, part: ReportPart) -> None:
    """Write one part of a report: arrays first, so that a part with facts is always complete."""
    if part.arrays:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **part.arrays)  # pyright: ignore[reportArgumentType]
        atomic_write(folder / "parts" / f"{name}.npz", buffer.getvalue())
    write_json(folder / "parts" / f"{name}.json", part.facts)


def write_result(folder: Path, result: Result) -> None:
    """Write one result of a run."""
    write_part(folder, result.part, result.to_part())


def read_part(folder: Path, name: str) -> ReportPart | None:
    """Return one part of a report, or None if it is missing. Raises one of UNREADABLE if it is damaged."""
    try:
        facts = json.loads((folder / "parts" / f"{name}.json").read_text())
    except FileNotFoundError:
        return None
    try:
        data = (folder / "parts" / f"{name}.npz").read_bytes()
    except FileNotFoundError:
        return ReportPart(facts, {})
    with np.load(io.BytesIO(data), allow_pickle=False) as file:  # it leaves a damaged file open
        return ReportPart(facts, dict(file))


def read_result(folder: Path, kind: type[R]) -> R | None:
    """Return one result of a run, or None if it is missing or damaged."""
    try:
        part = read_part(folder, kind.part)
        return None if part is None else kind.from_part(part)
    except UNREADABLE:
        return None


def list_parts(folder: Path) -> tuple[str, ...]:
    """Return the names of the parts in a folder."""
    return tuple(sorted(path.stem for path in (folder / "parts").glob("*.json")))


def part_versions(folder: Path) -> tuple[str, ...]:
    """Return the parts with the time of writing, which changes when a part is measured again."""
    return tuple(f"{name} {(folder / 'parts' / f'{name}.json').stat().st_mtime_ns}" for name in list_parts(folder))


def read_explanation(data_dir: Path, run: int) -> CamResult | None:
    """Return the result of a finished Grad-CAM query, or None if it is missing or damaged."""
    return read_result(run_dir(data_dir, run), CamResult)
