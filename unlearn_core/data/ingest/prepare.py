"""A source becomes a data set: read, brought to one size, cut, and kept whole or not at all."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unlearn_core.data import user_catalog
from unlearn_core.data.atomic_files import write_whole
from unlearn_core.data.ingest import sandbox, staging
from unlearn_core.data.ingest.class_folders import check_counts
from unlearn_core.data.ingest.decode_batch import header
from unlearn_core.data.ingest.decode_image import resized
from unlearn_core.data.ingest.sanitize import said
from unlearn_core.data.ingest.source import Archive, Arrays, Found, Place, Source
from unlearn_core.data.ingest.splitting import cut
from unlearn_core.data.ingest.upload_limits import Limits
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import BadPictures, Cancelled
from unlearn_core.domain.jobs import ImportSpec

FACTS = "import.json"
"""In the data set's folder: what was asked for, and what was left out."""
_AT_ONCE = 2000


class Prepared(NamedTuple):
    """A new data set, how many files were left out, and the first of them with the reason."""

    card: DatasetCard
    left: int
    named: list[tuple[str, str]]


def prepare(spec: ImportSpec, source: Source, place: Place, most: Limits) -> Prepared:
    """Carries an import out. Raises BadPictures, and what `place.tell` raises; then nothing is left behind."""
    if (place.home / "datasets" / spec.dataset).exists():
        raise BadPictures(f"There is a data set called {spec.dataset} already: remove it first, or use it.")
    answers = source.answers(spec.options)
    found = source.read(answers, place)
    try:
        with staging.begun(place.home) as folder:
            facts = _write(found, folder, spec, most, place)
            card = _card(spec, source, facts)
            asked = spec.model_dump(mode="json") | {"left": facts["left"], "named": facts["named"]}
            write_whole(folder / FACTS, json.dumps(asked, indent=1).encode())
            staging.finish(folder, card, place.home)
    except (BadPictures, Cancelled):
        _drop(found)
        raise
    _drop(found)
    return Prepared(card, facts["left"], [(path, reason) for path, reason in facts["named"]])


def slug(text: str) -> str:
    """Words as part of an id: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]


def _write(found: Found, folder: Path, spec: ImportSpec, most: Limits, place: Place) -> dict[str, Any]:
    if isinstance(found, Arrays):
        return _write_arrays(found, folder, spec, most, place)
    job: dict[str, Any] = {
        "out": str(folder),
        "size": spec.size,
        "fit": spec.fit,
        "room": staging.room(place.home, most),
    }
    if isinstance(found, Archive):
        job |= {"zip": str(found.file)}
    else:
        job |= {"root": str(found.root), "items": found.items, "classes": found.classes, "least": found.least}
    return sandbox.prepare(job, most=most, tell=place.tell)


def _write_arrays(found: Arrays, folder: Path, spec: ImportSpec, most: Limits, place: Place) -> dict[str, Any]:
    labels = np.concatenate([labels for _, labels in found.parts.values()])
    parts = np.concatenate([np.full(len(labels), name) for name, (_, labels) in found.parts.items()])
    check_counts(np.bincount(labels, minlength=len(found.classes)).tolist(), found.classes, most)
    final, row = cut(labels, parts), spec.size * spec.size * 3
    if len(labels) * row > staging.room(place.home, most):
        raise BadPictures(
            "These pictures would not fit into what data sets may take. Delete one, or take a smaller size."
        )
    start = header(folder / user_catalog.IMAGES, (len(labels), spec.size, spec.size, 3))
    done = 0
    with (folder / user_catalog.IMAGES).open("r+b") as file:
        file.seek(start)
        for images in _in_order(found, final.order):
            file.write(resized(images, size=spec.size, fit=spec.fit).tobytes())
            done += len(images)
            place.tell("write", done, len(labels))
    staging.write_labels(folder, labels[final.order])
    counts = {"train": final.train, "val": final.val, "test": final.test}
    return {"classes": found.classes, **counts, "left": 0, "named": []}


def _in_order(found: Arrays, order: np.ndarray) -> Iterator[np.ndarray]:
    """The pictures in a new order, some at a time; positions count through the parts one after the other."""
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


def _card(spec: ImportSpec, source: Source, facts: dict[str, Any]) -> DatasetCard:
    counts = f"{facts['train']:,} training, {facts['val']:,} validation and {facts['test']:,} test pictures"
    summary = f"{counts} of {len(facts['classes']):,} classes, {spec.size} pixels wide."
    if facts["left"]:
        files = "1 file was" if facts["left"] == 1 else f"{facts['left']:,} files were"
        summary += f" {files} left out, the first one {said(facts['named'][0][0])}, which {facts['named'][0][1]}."
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


def _drop(found: Found) -> None:
    """Removes the file that was kept for this import only; after a crash it stays, to begin again."""
    if isinstance(found, Archive) and found.ours:
        found.file.unlink(missing_ok=True)
