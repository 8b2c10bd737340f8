"""The folder of an evidence sheet: written from a report, and read again as a report without its measurements."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from unlearn_core.charts.drawing.wording import join_words
from unlearn_core.data.atomic_files import sha256
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.data.ingest.sanitize import escape_control, quote
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import StoreError, UnlearnError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import MODEL_TITLES, Evaluation, Report
from unlearn_core.domain.results.copies import CopiesResult
from unlearn_core.domain.results.course import SeedsResult, TimingsResult
from unlearn_core.domain.results.features import RepresentationResult
from unlearn_core.domain.results.found_settings import TuningResult
from unlearn_core.domain.results.layer_comparison import CkaResult
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.domain.results.privacy import LiraResult, NeuripsScoreResult, RelearnResult
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.domain.split import make_split
from unlearn_core.export.evidence.build_sheet import build_sheet
from unlearn_core.export.evidence.fingerprints import fingerprints
from unlearn_core.export.evidence.sheet import FORMAT, OUTPUTS, PAGE, RUN, SHEET, EvidenceSheet, lost_outputs
from unlearn_core.export.evidence.sheet_html import render_sheet
from unlearn_core.store.files.plain_arrays import arrays_from_bytes, arrays_to_bytes

RECORDED = (
    *(FurtherGolds, RelearnResult, LiraResult, NeuripsScoreResult, RepresentationResult),
    *(CkaResult, SeedsResult, CopiesResult, TimingsResult, TuningResult),
)
"""Results that are stored as they are: outputs, and what needs models or images, which the folder does not hold."""
MAX_JSON_BYTES, MAX_OUTPUT_BYTES = 2**25, 2**32
README_TEXT = """The evidence sheet of a run of Unlearn Lab. Opening any of these files executes no code.

sheet.html   the sheet, to read and to print
sheet.json   the same with every figure; SHA-256 of weights, data, code and of the files below
run.json     what was run (request, method, hyperparameters, seed), and results that need models or images
outputs.npz  labels, split, and the logits of the compared models, without pickle

To compute every figure again from the outputs, and see what differs:
    python -m unlearn_core verify FOLDER
"""


Stored = TypeVar("Stored", bound=BaseModel)


class StoredRun(BaseModel, extra="forbid"):
    """What `run.json` holds."""

    run: int | None
    spec: UnlearnSpec
    classifier: ClassifierCard
    dataset: DatasetCard
    method: str
    weights: dict[str, str]
    """The checksum of each model whose logits are stored."""
    missing: dict[str, str]
    measured: list[str]
    """The parts that the report had."""
    facts: dict[str, dict[str, Any]]
    """By part: the plain values of results in `RECORDED`."""


class StoredEvidence(NamedTuple):
    """What is stored in a folder: the report without what can be measured again."""

    report: Report
    measured: list[str]
    """The parts that the report had when the sheet was made."""
    files: Mapping[str, bytes]


def evidence_files(report: Report, image_dataset: ImageDataset | None) -> dict[str, bytes]:
    """Return the files of a report's evidence sheet, by name.

    `image_dataset` is None where this machine does not have the data set. Raises StoreError if outputs are lost or the
    report is not complete.
    """
    if report.pending:
        raise StoreError("This report is not complete, so it is no evidence yet. Wait until all is measured.")
    lost = lost_outputs(report)
    if lost:
        raise StoreError(
            f"The outputs of {join_words(lost)} are no longer stored, so a sheet could not be verified. Start the run "
            "again."
        )
    files = {RUN: _run_json(report), OUTPUTS: arrays_to_bytes(_arrays(report))}
    if len(files[OUTPUTS]) > MAX_OUTPUT_BYTES:
        raise StoreError(
            f"The outputs have more than {MAX_OUTPUT_BYTES / 2**30:.0f} GB, which is too much for a sheet."
        )
    sheet = build_sheet(report, fingerprints(report, image_dataset=image_dataset, files=files))
    page = render_sheet(sheet).encode()
    sheet = sheet.model_copy(update={"files": {PAGE: sha256(page)}})
    return {"README.txt": README_TEXT.encode(), SHEET: sheet.model_dump_json(indent=1).encode(), PAGE: page, **files}


def zipped(files: Mapping[str, bytes], *, folder: str) -> bytes:
    """Return files as a zip archive with one folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"{folder}/{name}", data)
    return buffer.getvalue()


def _run_json(report: Report) -> bytes:
    stored = StoredRun(
        run=report.run,
        spec=report.spec,
        classifier=report.classifier,
        dataset=report.dataset,
        method=report.method,
        weights={model: one.weights for model, one in report.evaluations.items()},
        missing=dict(report.missing),
        measured=sorted(report.parts),
        facts={kind.part: report.parts[kind.part].facts for kind in RECORDED if kind.is_in(report.parts)},
    )
    return stored.model_dump_json(indent=1).encode()


def _arrays(report: Report) -> dict[str, np.ndarray]:
    return {
        "labels": report.labels,
        **{f"split/{name}": rows for name, rows in report.split._asdict().items()},
        **{f"logits/{model}": one.logits for model, one in report.evaluations.items()},
        **{
            f"recorded/{kind.part}/{name}": array
            for kind in RECORDED
            if kind.is_in(report.parts)
            for name, array in report.parts[kind.part].arrays.items()
        },
    }


def read_sheet(folder: Path) -> EvidenceSheet:
    """Return the sheet in a folder. Raises StoreError if there is none, or one that this release cannot read."""
    if not (folder / SHEET).is_file():
        raise StoreError(f"{folder} is no folder of an evidence sheet: it has no {SHEET}. Unpack a zip before.")
    data = read_file(folder, SHEET)
    try:
        found = json.loads(data).get("format")
    except (ValueError, AttributeError, RecursionError):
        raise StoreError(f"{folder / SHEET} is damaged: it is not JSON of an evidence sheet.") from None
    if found != FORMAT:
        raise StoreError(
            f"{folder / SHEET} has the format {str(found)[:20]!r}, and this release reads format {FORMAT}. Verify it "
            "with the release that made it."
        )
    return _parsed(EvidenceSheet, data, SHEET)


def read_stored(folder: Path) -> StoredEvidence:
    """Return what is stored in a folder. Raises StoreError, with the reason, if it is missing or damaged."""
    files = {name: read_file(folder, name) for name in (RUN, OUTPUTS)}
    run = _parsed(StoredRun, files[RUN], RUN)
    arrays = arrays_from_bytes(files[OUTPUTS])
    _check(run, arrays)
    labels = arrays["labels"].astype(np.int64)
    try:
        split = make_split(run.dataset, labels, run.spec.request.forget)
    except UnlearnError as problem:
        raise StoreError(f"The request in {RUN} does not fit the labels in {OUTPUTS}: {problem}") from None
    for name, rows in split._asdict().items():
        if not np.array_equal(rows, arrays.get(f"split/{name}", ())):
            raise StoreError(f"The split in {OUTPUTS} does not follow from the request in {RUN} and the labels.")
    report = Report(
        run=run.run,
        spec=run.spec,
        classifier=run.classifier,
        dataset=run.dataset,
        method=run.method,
        labels=labels,
        split=split,
        evaluations={
            model: Evaluation(weights, run.dataset.id, arrays[f"logits/{model}"])
            for model, weights in run.weights.items()
        },
        parts={part: ReportPart(facts, _arrays_of(part, arrays)) for part, facts in run.facts.items()},
        missing=run.missing,
    )
    return StoredEvidence(report, run.measured, files)


def read_file(folder: Path, name: str) -> bytes:
    """Return the content of a file of the folder. Raises StoreError if it is missing, too large or not readable."""
    path = folder / name
    limit = MAX_OUTPUT_BYTES if name == OUTPUTS else MAX_JSON_BYTES
    if not path.is_file():
        raise StoreError(f"{path} is missing.")
    try:
        if path.stat().st_size > limit:
            raise StoreError(f"{path} is larger than {limit / 2**20:,.0f} MB, which no sheet of this release is.")
        return path.read_bytes()
    except OSError as problem:
        raise StoreError(f"{path} cannot be read ({problem.strerror}).") from None


def _parsed(kind: type[Stored], data: bytes, name: str) -> Stored:
    try:
        return kind.model_validate_json(data)
    except ValidationError as problem:
        where = ".".join(map(str, problem.errors()[0]["loc"]))
        raise StoreError(f"{name} is damaged: {escape_control(where[:80]) or 'it'} is not what a sheet has.") from None


def _check(run: StoredRun, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise StoreError if labels or logits are not those of this many images and classes."""
    count, classes = run.dataset.train + run.dataset.val + run.dataset.test, len(run.dataset.classes)
    labels = arrays.get("labels")
    if labels is None or labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise StoreError(f"{OUTPUTS} does not have a label for each of {count:,} images.")
    if not count or int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise StoreError(f"A label in {OUTPUTS} is no class of the data set.")
    for model in run.weights:
        logits = arrays.get(f"logits/{model}")
        if model not in MODEL_TITLES or logits is None or logits.shape != (count, classes):
            raise StoreError(f"{OUTPUTS} does not have {classes:,} logits of {quote(model)} for each image.")
        if logits.dtype.kind != "f" or not np.isfinite(logits).all():
            raise StoreError(f"The logits of {quote(model)} in {OUTPUTS} are not all finite numbers.")
    unknown = run.facts.keys() - {kind.part for kind in RECORDED}
    if unknown:
        raise StoreError(f"{RUN} has results that no sheet has: {quote(min(unknown))}.")


def _arrays_of(part: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    start = f"recorded/{part}/"
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
