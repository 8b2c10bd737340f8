"""Look into an upload before it is imported: which classes and how many images it has, and what is to be decided.

It decodes no image, but it reads an untrusted file, so it works in a sandboxed process like the import.
"""

from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from unlearn_core.data import sandbox
from unlearn_core.data.ingest import decode_worker, upload_store, zip_reader
from unlearn_core.data.ingest.layout.name_encodings import Reading, UnknownEncodingError
from unlearn_core.data.ingest.layout.placement import SplitQuestionError
from unlearn_core.data.ingest.source import OptionValues, layout_values
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits

FUNCTION = f"{__name__}:look"
_SECONDS = 60


class Preview(NamedTuple):
    """What is in a zip; `refused` says why it cannot be imported, or is ""."""

    classes: tuple[str, ...] = ()
    parts: dict[str, int] = {}  # noqa: RUF012 (never changed)
    """The number of images of each split: "train", "val", "test", or "" if there are none."""
    notes: tuple[str, ...] = ()
    refused: str = ""
    readings: tuple[Reading, ...] = ()
    """The encodings to choose from, if the names are in another one."""
    question: str = ""
    """What says that folders may be splits or classes."""


def preview_zip(data_dir: Path, file: BinaryIO, options: OptionValues, limits: UploadLimits) -> Preview:
    """What a zip in memory has, read with these options. Raises InvalidDatasetError if it cannot be looked into."""
    encoding, as_classes = layout_values(options)
    most = sandbox.Limits(memory=limits.most_memory_mb << 20, seconds=_SECONDS, file_bytes=1 << 20)
    file.seek(0)
    with upload_store.brief_copy(data_dir, file, limits) as copy:
        job = {"zip": str(copy), "encoding": encoding, "as_classes": as_classes}
        job |= {"limits": limits.model_dump(include=set(UploadLimits.model_fields))}
        try:
            found = sandbox.run(FUNCTION, job, most)
        except sandbox.SandboxError:
            return Preview(refused="The list of files in this zip could not be read. Make it again.")
    readings = tuple(Reading(*one) for one in found["readings"])
    return Preview(**found | {"readings": readings, "classes": tuple(found["classes"]), "notes": tuple(found["notes"])})


def look(job: dict[str, Any], _context: sandbox.JobContext) -> dict[str, Any]:
    """What the sandboxed process does: the fields of a Preview."""
    limits = UploadLimits.model_construct(**job["limits"])
    try:
        with zip_reader.open_zip(Path(job["zip"]), limits, job["encoding"]) as file:
            layout = decode_worker.read_layout(file, file.members, limits, job)
    except InvalidDatasetError as problem:
        readings = problem.readings if isinstance(problem, UnknownEncodingError) else []
        question = problem.question if isinstance(problem, SplitQuestionError) else ""
        return Preview(refused=str(problem), readings=tuple(readings), question=question)._asdict()
    counts = Counter(item.part for item in layout.items)
    return Preview(classes=layout.classes, parts=dict(counts), notes=layout.notes)._asdict()
