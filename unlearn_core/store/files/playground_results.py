"""The frames of playground runs, stored by the fingerprint of their spec: those that ship, and those made here."""

import gzip
from pathlib import Path

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.results.boundary_frames import BoundaryFrames
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.installation import ASSETS

MAX_RESULTS = 2_000
"""The most results in a data folder, about 50 kB each; the oldest are removed, and made again on request."""

SHIPPED = ASSETS / "playground"
"""The folder of the results that ship."""


def find(data_dir: Path, spec: PointsSpec) -> bytes | None:
    """Return the stored frames of a spec as JSON, or None if they must be made."""
    try:
        return gzip.decompress(shipped_path(spec).read_bytes())
    except FileNotFoundError:
        pass
    try:
        return (_folder(data_dir) / f"{spec.fingerprint()}.json").read_bytes()
    except FileNotFoundError:
        return None


def shipped_path(spec: PointsSpec) -> Path:
    """Return the file of the frames of a spec, if they ship."""
    return SHIPPED / f"{spec.fingerprint()}.json.gz"


def ship(spec: PointsSpec, frames: BoundaryFrames) -> None:
    """Store frames among those that ship; the same ones give the same file."""
    atomic_write(shipped_path(spec), gzip.compress(frames.model_dump_json().encode(), 9, mtime=0))


def save(data_dir: Path, spec: PointsSpec, frames: BoundaryFrames) -> None:
    """Store frames, and remove the oldest ones if there are too many."""
    atomic_write(_folder(data_dir) / f"{spec.fingerprint()}.json", frames.model_dump_json().encode())
    _prune(_folder(data_dir))


def weights_path(data_dir: Path, spec: PointsSpec) -> Path:
    """Return the file with the weights of an original that was trained on drawn points."""
    return _folder(data_dir) / f"{spec.fingerprint()}.safetensors"


def stored_paths(data_dir: Path, spec: PointsSpec) -> list[Path]:
    """Return the files of the results of a spec with drawn points, which need not be stored; else none."""
    if not spec.drawn:
        return []
    return [_folder(data_dir) / f"{spec.fingerprint()}.json", weights_path(data_dir, spec)]


def _folder(data_dir: Path) -> Path:
    return data_dir / "playground"


def _prune(folder: Path) -> None:
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    if len(files) <= MAX_RESULTS:
        return
    by_age = sorted(files, key=lambda path: path.stat().st_mtime)
    for path in by_age[: MAX_RESULTS // 10]:
        path.unlink(missing_ok=True)
