"""The fingerprints of an evidence sheet: SHA-256 of weights, data, code and stored outputs."""

import hashlib
from collections.abc import Mapping

import numpy as np

from unlearn_core.data.atomic_files import sha256
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.report import MODEL_TITLES, Report
from unlearn_core.export.evidence.sheet import Fingerprint
from unlearn_core.installation import source_digest

CODE, IMAGES = "code/source", ("data/images", "data/forget images")
"""Those that depend on the machine: its code, and whether it has the data set."""
_ABSENT = "The data set is not on this machine."
_ROWS = 4096
"""Images that are read at once: a data set may be larger than the memory."""


def fingerprints(
    report: Report, *, image_dataset: ImageDataset | None, files: Mapping[str, bytes]
) -> tuple[Fingerprint, ...]:
    """Return all fingerprints; `image_dataset` is None where this machine lacks it, `files` are those of the folder."""
    forget = report.split.forget_train
    images = None if image_dataset is None else image_dataset.images
    noun = report.dataset.item_noun
    return (
        *(
            Fingerprint(
                id=f"weights/{model}",
                what=f"weights of {MODEL_TITLES.get(model, model)}",
                sha256=one.weights,
            )
            for model, one in report.evaluations.items()
        ),
        _pixels(IMAGES[0], f"pixels of all {len(report.labels):,} {noun}s", images),
        _pixels(IMAGES[1], f"pixels of the {len(forget):,} forget {noun}s, training", images, rows=forget),
        Fingerprint(id="data/labels", what="labels", sha256=sha256(report.labels.astype("<i8").tobytes())),
        Fingerprint(id=CODE, what="source code that made this sheet", sha256=source_digest()),
        *(Fingerprint(id=f"file/{name}", what=name, sha256=sha256(data)) for name, data in files.items()),
    )


def _pixels(name: str, what: str, images: np.ndarray | None, *, rows: np.ndarray | None = None) -> Fingerprint:
    """Hash images in the data set's order, as bytes: height by width by red, green and blue."""
    if images is None or (rows is not None and len(rows) and int(rows.max()) >= len(images)):
        return Fingerprint(id=name, what=what, sha256=None, note=_ABSENT)
    digest = hashlib.sha256()
    count = len(images) if rows is None else len(rows)
    for start in range(0, count, _ROWS):
        part = slice(start, start + _ROWS)
        digest.update(np.ascontiguousarray(images[part if rows is None else rows[part]]).tobytes())
    return Fingerprint(id=name, what=what, sha256=digest.hexdigest())
