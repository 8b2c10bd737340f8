"""Carry out an import: read a source, resize and split its images, and store the data set completely or not at all."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from unlearn_core.data import sandbox, user_catalog
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.data.duplicates.record import record_duplicates
from unlearn_core.data.ingest import decode_worker, staging
from unlearn_core.data.ingest.decode_batch import create_npy
from unlearn_core.data.ingest.decode_image import resize
from unlearn_core.data.ingest.decode_worker import PreparedImages
from unlearn_core.data.ingest.layout.class_folders import check_counts
from unlearn_core.data.ingest.sanitize import quote
from unlearn_core.data.ingest.source import ArrayData, ImportContext, RawData, Source, ZipData
from unlearn_core.data.ingest.splitting import split_images
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import CancelledError, InvalidDatasetError
from unlearn_core.domain.jobs import ImportDatasetSpec
from unlearn_core.settings import UploadLimits, limit_hint

FACTS_FILE = "import.json"
"""The file in the data set's folder that records the request and what was left out."""
DECODE_FUNCTION = "unlearn_core.data.ingest.decode_worker:decode_images"
MAX_THREADS = 8
"""The most threads that decode one data set."""
_AT_ONCE = 2000


class ImportedDataset(NamedTuple):
    """A new data set, how many images were left out, the first of them with the reason, and notes as sentences."""

    card: DatasetCard
    num_skipped: int
    skipped: list[tuple[str, str]]
    notes: Sequence[str]


def prepare(spec: ImportDatasetSpec, source: Source, context: ImportContext, limits: UploadLimits) -> ImportedDataset:
    """Carries out an import. Raises InvalidDatasetError and what `context.on_progress` raises; then nothing remains."""
    if (context.data_dir / "datasets" / spec.dataset).exists():
        raise InvalidDatasetError(f"A data set called {spec.dataset} already exists: remove it first, or use it.")
    option_values = source.option_values(spec.options)
    found = source.read(option_values, context)
    try:
        with staging.staging_folder(context.data_dir) as folder:
            facts = _write(found, folder, spec, limits, context)
            images = np.load(folder / user_catalog.IMAGES_FILE, mmap_mode="r", allow_pickle=False)
            record_duplicates(folder, images, lambda done, total: context.on_progress("compare", done, total))
            card = _card(spec, source, facts)
            asked = spec.model_dump(mode="json") | {name: facts[name] for name in ("left", "named", "notes")}
            atomic_write(folder / FACTS_FILE, json.dumps(asked, indent=1).encode())
            staging.publish(folder, card, context.data_dir)
    except (InvalidDatasetError, CancelledError):
        _drop(found)
        raise
    _drop(found)
    skipped = [(path, reason) for path, reason in facts["named"]]
    return ImportedDataset(card, facts["left"], skipped, facts["notes"])


def slug(text: str) -> str:
    """A text as part of an id: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]


def _write(
    found: RawData, folder: Path, spec: ImportDatasetSpec, limits: UploadLimits, context: ImportContext
) -> PreparedImages:
    if isinstance(found, ArrayData):
        return _write_arrays(found, folder, spec, limits, context)
    job: dict[str, Any] = {
        "out": str(folder),
        "size": spec.size,
        "fit": spec.fit,
        "encoding": found.encoding,
        "as_classes": found.as_classes,
        "room": staging.free_quota(context.data_dir, limits),
    }
    if isinstance(found, ZipData):
        job |= {"zip": str(found.file)}
    else:
        job |= {"root": str(found.root), "items": found.items, "classes": found.classes, "least": found.min_count}
    return decode_sandboxed(job, limits, context.on_progress)


def decode_sandboxed(
    job: dict[str, Any], limits: UploadLimits, on_progress: sandbox.ProgressCallback
) -> PreparedImages:
    """Does a job of `decode_worker` in a sandboxed process and returns its result.

    Raises InvalidDatasetError with its reason, or with why that process ended, and what `on_progress` raises.
    """
    threads = min(len(os.sched_getaffinity(0)), MAX_THREADS)
    most = sandbox.Limits(
        memory=(limits.most_memory_mb + 300 * threads) << 20,
        seconds=60 * limits.most_minutes,
        file_bytes=decode_worker.max_file_size(limits.most_pictures, max(job["room"], 0)),
        threads=threads,
    )
    # The other settings are not for a process that handles untrusted files.
    job |= {"limits": limits.model_dump(include=set(UploadLimits.model_fields)), "threads": threads}
    try:
        return cast(PreparedImages, sandbox.run(DECODE_FUNCTION, job, most, on_progress))
    except sandbox.SandboxError as problem:
        advice = "Remove some, or make them smaller. " + limit_hint(
            "most_minutes" if problem.cause == "time" else "most_memory_mb"
        )
        reasons = {
            "refused": problem.reason,
            "time": f"The images were not decoded within {limits.most_minutes:,} minutes: the import was stopped. "
            + advice,
            "memory": f"Decoding these images took more memory than allowed. {advice}",
            "crash": f"The process that decodes died ({problem.reason}). An image may be crafted to cause that.",
        }
        raise InvalidDatasetError(reasons[problem.cause]) from None


def _write_arrays(
    found: ArrayData, folder: Path, spec: ImportDatasetSpec, limits: UploadLimits, context: ImportContext
) -> PreparedImages:
    labels = np.concatenate([labels for _, labels in found.parts.values()])
    parts = np.concatenate([np.full(len(labels), name) for name, (_, labels) in found.parts.items()])
    check_counts(np.bincount(labels, minlength=len(found.classes)).tolist(), found.classes, limits)
    final, row = split_images(labels, parts), spec.size * spec.size * 3
    if len(labels) * row > staging.free_quota(context.data_dir, limits):
        raise InvalidDatasetError(
            "These images exceed the space for data sets. Delete a data set, or choose a smaller size."
        )
    start = create_npy(folder / user_catalog.IMAGES_FILE, (len(labels), spec.size, spec.size, 3))
    done = 0
    with (folder / user_catalog.IMAGES_FILE).open("r+b") as file:
        file.seek(start)
        for images in _in_order(found, final.order):
            file.write(resize(images, size=spec.size, fit=spec.fit).tobytes())
            done += len(images)
            context.on_progress("write", done, len(labels))
    staging.write_labels(folder, labels[final.order])
    return PreparedImages(
        classes=found.classes, train=final.train, val=final.val, test=final.test, left=0, named=[], notes=[]
    )


def _in_order(found: ArrayData, order: np.ndarray) -> Iterator[np.ndarray]:
    """The images in a new order, in batches; positions count through the parts one after the other."""
    ends = np.cumsum([0, *(len(labels) for _, labels in found.parts.values())])
    arrays = [images for images, _ in found.parts.values()]
    for first in range(0, len(order), _AT_ONCE):
        rows = order[first : first + _AT_ONCE]
        which = np.searchsorted(ends, rows, side="right") - 1
        some = np.empty((len(rows), *arrays[0].shape[1:]), np.uint8)
        for number in np.unique(which):
            own_rows = which == number
            some[own_rows] = arrays[number][rows[own_rows] - ends[number]]
        yield some


def _card(spec: ImportDatasetSpec, source: Source, facts: PreparedImages) -> DatasetCard:
    counts = f"{facts['train']:,} training, {facts['val']:,} validation and {facts['test']:,} test images"
    summary = f"{counts} of {len(facts['classes']):,} classes, {spec.size} pixels wide."
    if facts["left"]:
        files = "1 file was" if facts["left"] == 1 else f"{facts['left']:,} files were"
        summary += f" {files} left out, the first one {quote(facts['named'][0][0])}, which {facts['named'][0][1]}."
    summary = " ".join([summary, *facts["notes"]])
    return DatasetCard(
        id=spec.dataset,
        title=spec.title,
        summary=summary,
        classes=tuple(facts["classes"]),
        size=spec.size,
        train=facts["train"],
        val=facts["val"],
        test=facts["test"],
        licence=source.licence,
        source=source.origin,
    )


def _drop(found: RawData) -> None:
    """Removes the file that was stored for this import only; after a crash it remains for the next attempt."""
    if isinstance(found, ZipData) and found.temporary:
        found.file.unlink(missing_ok=True)
