"""The child process that decodes untrusted files: limited in memory, time and disk, and safe to kill.

It reads one job from stdin, as JSON, and writes lines of JSON: ["decode", done, total] for progress, and at the end
{"found": ...} or {"refused": "a sentence"}. The images go to two files in the job's folder `out`.
"""

import json
import os
import resource
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unlearn_core.data.ingest import zip_reader
from unlearn_core.data.ingest.class_folders import (
    ClassFolders,
    ImageFile,
    SkippedFile,
    check_counts,
    read_class_folders,
    with_min_count,
)
from unlearn_core.data.ingest.decode_batch import FileReader, create_npy, decode_all
from unlearn_core.data.ingest.folder_reader import FolderReader
from unlearn_core.data.ingest.sanitize import quote
from unlearn_core.data.ingest.splitting import split_images
from unlearn_core.data.ingest.upload_limits import UploadLimits, limit_hint
from unlearn_core.data.user_catalog import IMAGES_FILE, LABELS_FILE
from unlearn_core.domain.errors import InvalidDatasetError

PROGRESS_INTERVAL = 0.2
"""Least time between two lines of progress, in seconds."""
MAX_LISTED_FILES = 20
"""Of how many files that were left out the paths are recorded."""
_SPARE = 1 << 20


def main() -> None:
    """Does the job that stdin holds; exits without cleaning up, because threads may hang in a decoder."""
    job = json.load(sys.stdin)
    most = UploadLimits(**job["limits"])
    _confine(most, job["threads"])
    warnings.simplefilter("ignore")  # Odd metadata is not used, and sizes are checked here.
    try:
        _say({"found": prepare(job, most, limit_file_size=_cap)})
    except InvalidDatasetError as problem:
        _say({"refused": str(problem)})
    except MemoryError:
        _say({"refused": f"Reading these images takes more than {most.memory_mb:,} MB of memory. Make them smaller."})
    except OSError as problem:  # Unreadable files are left out, so this is the disk that is written to.
        _say({"refused": f"The images cannot be written ({problem.strerror or problem}). Free some disk space."})
    sys.stdout.flush()
    os._exit(0)


def prepare(
    job: dict[str, Any], limits: UploadLimits, limit_file_size: Callable[[int], None] = lambda size: None
) -> dict[str, Any]:
    """Reads, decodes, splits and writes; returns what a card needs. Raises InvalidDatasetError.

    `limit_file_size` is called with the size in bytes of the largest file, before anything is written.
    """
    if "zip" in job:
        with zip_reader.open_zip(Path(job["zip"]), limits) as file:
            return _prepare(file, read_class_folders(file.members, limits), job, limits, limit_file_size)
    folder = FolderReader(Path(job["root"]), limits)
    if job["items"] is None:
        paths = []
        for path in folder.paths():
            paths.append(path)
            if len(paths) > 2 * limits.images:
                raise InvalidDatasetError(
                    f"The folder contains more than {2 * limits.images:,} files. Choose a smaller one."
                )
        layout = read_class_folders(
            paths, limits._replace(classes=limits.classes if job["least"] is None else len(paths))
        )
    else:
        items = [ImageFile(*item) for item in job["items"]]
        layout = ClassFolders(tuple(job["classes"]), items, [])
    return _prepare(folder, with_min_count(layout, job["least"], limits), job, limits, limit_file_size)


def _prepare(
    source: FileReader, layout: ClassFolders, job: dict[str, Any], limits: UploadLimits, cap: Callable[[int], None]
) -> dict[str, Any]:
    out, size, number = Path(job["out"]), job["size"], {name: n for n, name in enumerate(layout.classes)}
    labels = np.array([number[item.label] for item in layout.items], np.int64)
    parts = np.array([item.part for item in layout.items])
    check_counts(np.bincount(labels, minlength=len(number)).tolist(), layout.classes, limits)
    row = size * size * 3
    _check_room(len(labels) * row, job["room"], out)
    cap(len(labels) * (row + 8) + _SPARE)
    first = split_images(labels, parts)
    places = np.argsort(first.order)
    left = decode_all(
        source,
        [item.path for item in layout.items],
        places,
        out / IMAGES_FILE,
        size=size,
        fit=job["fit"],
        limits=limits,
        threads=job["threads"],
        on_progress=_ThrottledProgress(),
    )
    every = [*layout.skipped, *left.values()]
    _check_left(every, len(layout.items) + len(layout.skipped), limits)
    usable = np.setdiff1d(np.arange(len(labels)), np.array(sorted(left), np.int64))
    final = first if not left else split_images(labels[usable], parts[usable])
    order = usable[final.order]
    check_counts(np.bincount(labels[order], minlength=len(number)).tolist(), layout.classes, limits)
    if left:
        _rewrite(out, places[order], size)
    np.save(out / LABELS_FILE, labels[order], allow_pickle=False)
    return {
        "classes": layout.classes,
        "train": final.train,
        "val": final.val,
        "test": final.test,
        "left": len(every),
        "named": every[:MAX_LISTED_FILES],
    }


def _check_room(wanted: int, room: int, out: Path) -> None:
    free = shutil.disk_usage(out).free
    if 2 * wanted > free:
        raise InvalidDatasetError(
            f"The images would take {wanted / 1e6:,.0f} MB, and the disk has {free / 1e6:,.0f} MB free. Make room."
        )
    if wanted > room:
        raise InvalidDatasetError(
            f"The images would take {wanted / 1e6:,.0f} MB, and {max(room, 0) / 1e6:,.0f} MB are left for data sets. "
            f"Delete one for good, or choose a smaller size. {limit_hint('folder_gb')}"
        )


def _check_left(left: list[SkippedFile], total: int, limits: UploadLimits) -> None:
    if 100 * len(left) > limits.unusable * total:
        which = "; ".join(f"{quote(one.path)} {one.reason}" for one in left[:3])
        raise InvalidDatasetError(
            f"{len(left):,} of {total:,} images cannot be used, and {limits.unusable} % may be left out: {which}. "
            f"Repair or remove them. {limit_hint('unusable')}"
        )


def _rewrite(out: Path, rows: np.ndarray, size: int) -> None:
    """Writes the images again in the order of these rows, without those that are left out."""
    old = np.load(out / IMAGES_FILE, mmap_mode="r", allow_pickle=False)
    new = out / f"new-{IMAGES_FILE}"
    create_npy(new, (len(rows), size, size, 3))
    with new.open("r+b") as file:
        file.seek(-len(rows) * size * size * 3, os.SEEK_END)
        for first in range(0, len(rows), 1000):
            file.write(old[rows[first : first + 1000]].tobytes())
    new.replace(out / IMAGES_FILE)


def _confine(limits: UploadLimits, threads: int) -> None:
    memory = (limits.memory_mb + 300 * threads) << 20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    seconds = 60 * limits.minutes * threads
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))  # The signal of the soft limit tells why it ended.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _cap(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class _ThrottledProgress:
    """Reports progress, at most once per PROGRESS_INTERVAL."""

    def __init__(self) -> None:
        self._due = 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._due or done == total:
            self._due = now + PROGRESS_INTERVAL
            _say([phase, done, total])


def _say(value: Any) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
