"""Decode untrusted files; the application runs this only in a sandboxed process (see `prepare.decode_sandboxed`).

Images, labels and file names go to three files in the job's folder `out`.
"""

import os
import shutil
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from PIL import Image

from unlearn_core.data.image_files import MAX_PATH_BYTES, write_image_paths
from unlearn_core.data.ingest import zip_reader
from unlearn_core.data.ingest.decode_batch import DecodedSet, create_npy, decode_all
from unlearn_core.data.ingest.decode_image import FIXED
from unlearn_core.data.ingest.folder_reader import FolderReader
from unlearn_core.data.ingest.layout.class_folders import (
    ClassFolders,
    ImageFile,
    SkippedFile,
    check_counts,
    read_class_folders,
    with_min_count,
)
from unlearn_core.data.ingest.layout.file_kinds import SourceFiles
from unlearn_core.data.ingest.sanitize import quote
from unlearn_core.data.ingest.splitting import split_images
from unlearn_core.data.sandbox import JobContext
from unlearn_core.data.user_catalog import IMAGES_FILE, LABELS_FILE
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits, limit_hint


class PreparedImages(TypedDict):
    """What was written: the classes, the images of each split, and how many images were left out."""

    classes: Sequence[str]
    train: int
    val: int
    test: int
    left: int
    named: Sequence[tuple[str, str]]
    """The first of those that were left out, each with the reason."""
    notes: Sequence[str]
    """Sentences about what else was found, changed or left out."""


MAX_LISTED_FILES = 20
"""Of how many images that were left out the paths are recorded."""


def decode_images(job: dict[str, Any], context: JobContext) -> PreparedImages:
    """What the sandboxed process does: `prepare`, with the limits in the job. Raises InvalidDatasetError."""
    warnings.simplefilter("ignore")  # Odd metadata is not used.
    Image.MAX_IMAGE_PIXELS = None  # Sizes are checked here, and those of JPEGs may be larger.
    context.on_progress("decode", 0, 0)
    try:
        return prepare(job, UploadLimits.model_construct(**job["limits"]), context)
    except OSError as problem:  # Unreadable files are left out, so this is the disk that is written to.
        raise InvalidDatasetError(
            f"The images cannot be written ({problem.strerror or problem}). Free some disk space."
        ) from None


def max_file_size(images: int, pixel_bytes: int) -> int:
    """The size in bytes of the largest file that is written for so many images with so many bytes together."""
    return pixel_bytes + MAX_PATH_BYTES * images + (1 << 20)


def prepare(job: dict[str, Any], limits: UploadLimits, context: JobContext) -> PreparedImages:
    """Reads, decodes, splits and writes; returns what a card needs. Raises InvalidDatasetError.

    Before anything is written, the size of the files is limited to that of the largest one.
    """
    if "zip" in job:
        with zip_reader.open_zip(Path(job["zip"]), limits, job["encoding"]) as file:
            return _prepare(file, read_layout(file, file.members, limits, job), job, limits, context)
    folder = FolderReader(Path(job["root"]), limits, job["encoding"])
    if job["items"] is None:
        paths = folder.paths()
        some = limits if job["least"] is None else limits.model_copy(update={"most_classes": len(paths)})
        layout = read_layout(folder, paths, some, job)
    else:
        items = [ImageFile(*item) for item in job["items"]]
        layout = ClassFolders(tuple(job["classes"]), items, [])
    return _prepare(folder, with_min_count(layout, job["least"], limits), job, limits, context)


def read_layout(source: SourceFiles, paths: Iterable[str], limits: UploadLimits, job: dict[str, Any]) -> ClassFolders:
    """The classes and images of a source as the options of a job say. Raises InvalidDatasetError."""
    return read_class_folders(paths, source, limits, as_classes=job["as_classes"], encoding=job["encoding"])


def _prepare(
    source: SourceFiles, layout: ClassFolders, job: dict[str, Any], limits: UploadLimits, context: JobContext
) -> PreparedImages:
    out, size, number = Path(job["out"]), job["size"], {name: n for n, name in enumerate(layout.classes)}
    labels = np.array([number[item.label] for item in layout.items], np.int64)
    parts = np.array([item.part for item in layout.items])
    check_counts(np.bincount(labels, minlength=len(number)).tolist(), layout.classes, limits)
    pixel_bytes = len(labels) * size * size * 3
    _check_room(pixel_bytes, job["room"], out)
    context.limit_file_size(max_file_size(len(labels), pixel_bytes))
    first = split_images(labels, parts)
    places = np.argsort(first.order)
    decoded = decode_all(
        source,
        [item.path for item in layout.items],
        places,
        out / IMAGES_FILE,
        size=size,
        fit=job["fit"],
        limits=limits,
        threads=job["threads"],
        on_progress=context.on_progress,
    )
    left = decoded.left
    every = [*layout.skipped, *left.values()]
    _check_left(every, len(layout.items) + len(layout.skipped), limits)
    usable = np.setdiff1d(np.arange(len(labels)), np.array(sorted(left), np.int64))
    final = first if not left else split_images(labels[usable], parts[usable])
    order = usable[final.order]
    check_counts(np.bincount(labels[order], minlength=len(number)).tolist(), layout.classes, limits)
    if left:
        _rewrite(out, places[order], size)
    np.save(out / LABELS_FILE, labels[order], allow_pickle=False)
    write_image_paths(out, (layout.items[row].path for row in order))
    return {
        "classes": layout.classes,
        "train": final.train,
        "val": final.val,
        "test": final.test,
        "left": len(every),
        "named": [(one.path, one.reason) for one in every[:MAX_LISTED_FILES]],
        "notes": [*layout.notes, *_deep_note(decoded)],
    }


def _deep_note(decoded: DecodedSet) -> list[str]:
    """How values of more than 8 bits became 8."""
    if decoded.deep is None:
        return []
    noun = "1 image has" if decoded.num_deep == 1 else f"{decoded.num_deep:,} images have"
    low, high = (f"{value:,.0f}" if value == round(value) else f"{value:.4g}" for value in decoded.deep)
    return [
        f"{noun} more than 8 bits per channel: the values {low} to {high}, the range of all of them together, became 0 "
        "to 255."
    ]


def _check_room(wanted: int, room: int, out: Path) -> None:
    free = shutil.disk_usage(out).free
    if 2 * wanted > free:
        raise InvalidDatasetError(
            f"The images would take {wanted / 1e6:,.0f} MB, and the disk has {free / 1e6:,.0f} MB free. Make room."
        )
    if wanted > room:
        raise InvalidDatasetError(
            f"The images would take {wanted / 1e6:,.0f} MB, and {max(room, 0) / 1e6:,.0f} MB are left for data sets. "
            f"Delete one for good, or choose a smaller size. {limit_hint('most_folder_gb')}"
        )


def _check_left(left: list[SkippedFile], total: int, limits: UploadLimits) -> None:
    if 100 * len(left) > limits.most_unusable * total:
        which = "; ".join(f"{quote(one.path)} {one.reason}" for one in left[:3])
        raise InvalidDatasetError(
            f"{len(left):,} of {total:,} images cannot be used, and {limits.most_unusable} % may be left out: {which}. "
            + _hint({one.setting for one in left})
        )


def _hint(settings: set[str]) -> str:
    """What to do about images that cannot be used, and which setting helps: the one by whose limit all of them fail."""
    if settings == {FIXED}:
        return "Make them smaller."
    if "" in settings or FIXED in settings:
        return f"Repair or remove them. {limit_hint('most_unusable')}"
    return " ".join(["Make them smaller.", *(limit_hint(name) for name in sorted(settings))])


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
