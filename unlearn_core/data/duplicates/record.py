"""The record of the copies in a data set: a file beside its images, made on import, or when it is first needed."""

import io
import zipfile
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from threading import Thread

import numpy as np

from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.data.duplicates.groups import NO_GROUP, Duplicates
from unlearn_core.data.duplicates.search import find_duplicates
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.installation import ASSETS

RECORD_FILE = "duplicates.npz"


def recorded_duplicates(card: DatasetCard) -> Duplicates | None:
    """Return the copies in a data set if they are recorded. Points have none: many share a place by chance."""
    count = card.train + card.val + card.test
    if card.is_points:
        return Duplicates(*np.full((2, count), NO_GROUP, np.int32))
    return _read(_folder(card) / RECORD_FILE, count)


def dataset_duplicates(card: DatasetCard) -> Duplicates:
    """Return the copies in a data set; those not recorded are found, and recorded beside a data set of the user.

    That takes a second per 10,000 images. Raises CorruptAssetError if the images cannot be read.
    """
    return recorded_duplicates(card) or (_search(card.id) if card.id in datasets.bundled() else _record(card))


def search_in_background(card: DatasetCard) -> Future[Duplicates]:
    """Return the copies in a data set, already done if they are recorded; else a thread looks for them.

    What `dataset_duplicates` raises is raised where the result is read.
    """
    search: Future[Duplicates] = Future()

    def run() -> None:
        try:
            search.set_result(dataset_duplicates(card))
        except Exception as problem:  # noqa: BLE001 (a thread cannot raise; the future does)
            search.set_exception(problem)

    recorded = recorded_duplicates(card)
    if recorded is not None:
        search.set_result(recorded)
    else:
        Thread(target=run, name=f"copies in {card.id}", daemon=True).start()
    return search


def record_duplicates(
    folder: Path, images: np.ndarray, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> Duplicates:
    """Find the copies among images and write the record into the folder of their data set."""
    found, file = find_duplicates(images, on_progress), io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **found._asdict())
    atomic_write(folder / RECORD_FILE, file.getvalue())
    return found


@cache
def _search(dataset: str) -> Duplicates:
    """Search a data set of a plug-in, which has no folder of ours, once per process."""
    return find_duplicates(datasets.load(dataset).images)


def _record(card: DatasetCard) -> Duplicates:
    return record_duplicates(_folder(card), datasets.load(card.id).images)


def _folder(card: DatasetCard) -> Path:
    own = None if card.id in datasets.bundled() else user_catalog.user_dataset_dir(card.id)
    return own or ASSETS / "datasets" / card.id


def _read(file: Path, count: int) -> Duplicates | None:
    """Return a record; None if there is none, or if it is damaged: it can be made again."""
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as stored:
            found = Duplicates(**{name: stored[name] for name in Duplicates._fields})
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    return found if all(own.shape == (count,) for own in found) else None
