"""Stage a data set in a hidden folder, and publish it completely or remove it."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from unlearn_core.data import user_catalog
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits

_BEGUN, _LOCK, _AGE = ".making-", "lock", 3600.0


@contextmanager
def staging_folder(data_dir: Path) -> Iterator[Path]:
    """A fresh folder to write a data set into; what is still in it at the end is removed.

    Folders left by killed processes are removed first: their lock is free.
    """
    datasets = data_dir / "datasets"
    datasets.mkdir(parents=True, exist_ok=True)
    for old in datasets.glob(f"{_BEGUN}*"):
        if not _is_held(old):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_BEGUN, dir=datasets))
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, card: DatasetCard, data_dir: Path) -> None:
    """Makes the data set in that folder visible under its id. Raises InvalidDatasetError if the id is taken."""
    atomic_write(folder / user_catalog.CARD_FILE, card.model_dump_json(indent=1).encode())
    for name in (user_catalog.IMAGES_FILE, user_catalog.LABELS_FILE):
        handle = os.open(folder / name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    (folder / _LOCK).unlink()
    folder.chmod(0o755)
    target = data_dir / "datasets" / card.id
    try:
        if target.exists():
            raise FileExistsError
        folder.rename(target)
    except OSError:
        raise InvalidDatasetError(f"A data set called {card.id} already exists: remove it first, or use it.") from None


def free_quota(data_dir: Path, limits: UploadLimits) -> int:
    """Bytes left for further data sets: the limit minus all data sets, including those in the trash."""
    taken = sum(file.stat().st_size for place in ("datasets", "trash") for file in _files(data_dir / place))
    return limits.most_folder_gb * 1_000_000_000 - taken


def write_labels(folder: Path, labels: np.ndarray) -> None:
    """Writes labels (N,) int64 to the file of a data set."""
    np.save(folder / user_catalog.LABELS_FILE, labels.astype(np.int64), allow_pickle=False)


def _files(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from (path for path in folder.glob(f"**/*{user_catalog.IMAGES_FILE}") if path.is_file())


def _is_held(folder: Path) -> bool:
    """Return whether a process is using a folder; one without a lock is just being created or renamed, unless old."""
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        with suppress(FileNotFoundError):
            return time.time() - folder.stat().st_mtime < _AGE
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
