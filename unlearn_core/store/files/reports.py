"""Reports as folders: write and read everything that exists for a run, without computing anything."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import DamagedReportError, InvalidRequestError, StoreError
from unlearn_core.domain.forget_request import Forget
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Evaluation, Report, damaged_part
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.domain.split import make_split
from unlearn_core.installation import ASSETS, VERSION
from unlearn_core.store.files import artifacts
from unlearn_core.store.files.evaluations import EvaluationStore

EXAMPLE_DIR, ENSEMBLE_EXAMPLE_DIR = ASSETS / "example", ASSETS / "example-crowd"

OUTPUTS_FILE = "outputs.npy"
"""The logits of the unlearned model, nan where it was not evaluated; deleted once there are those of all images."""

FORMAT = 1
"""Increases when the files of a report change so that older releases cannot read them."""

README_TEXT = """One report of Unlearn Lab.

report.json          what was run: classifier, data set, forget request, method, hyperparameters, seed; the checksums of
                     the compared models; the reason for every missing part or model; and, in a report that is not
                     complete, the parts that are pending: outputs.npy then has the logits so far
parts/               one measurement each: facts (.json), arrays (.npz); timings.json has versions, device and seconds
evaluations/         the logits (.npy) of each of these models for all images of the data set, by checksum
labels.npy           the true classes, in the same order: training, validation and test images
weights.safetensors  the unlearned model, if it was saved
run.json             title, owner, note and times of the run, if it belongs to the history of a data folder

To read it without a model or torch:
    from unlearn_core.store.files.reports import read_folder
    report = read_folder("this folder")
"""


def write(report: Report, folder: Path, *, shared: EvaluationStore | None = None) -> None:
    """Write everything that a report needs; the folder can be moved anywhere. `report.json` is written last.

    If `shared` stores evaluations for many reports, the folder shares its files. A report with parts that are pending
    may be written, and completed by `update` and another `write`.
    """
    for name, part in report.parts.items():
        artifacts.write_part(folder, name, part)
    store = EvaluationStore(folder / "evaluations")
    for evaluation in report.evaluations.values():
        if evaluation.evaluated is not None:
            _write_array(folder / OUTPUTS_FILE, evaluation.logits)
        else:
            store.put(evaluation) if shared is None else store.link_from(evaluation, shared)
    atomic_write(folder / "README.txt", README_TEXT.encode())
    smallest = np.min_scalar_type(int(report.labels.max(initial=0)))
    _write_array(folder / "labels.npy", report.labels.astype(smallest))
    _write_head(report, folder)
    if not report.pending and all(one.evaluated is None for one in report.evaluations.values()):
        (folder / OUTPUTS_FILE).unlink(missing_ok=True)


def update(report: Report, folder: Path, parts: Mapping[str, ReportPart]) -> None:
    """Write some parts of a report that was written before, then which of its parts are pending or missing now."""
    for name, part in parts.items():
        artifacts.write_part(folder, name, part)
    _write_head(report, folder)


def _write_array(path: Path, array: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array)
    atomic_write(path, buffer.getvalue())


def _write_head(report: Report, folder: Path) -> None:
    artifacts.write_json(
        folder / artifacts.REPORT_FILE,
        {
            "format": FORMAT,
            "made_with": {"unlearn-lab": VERSION},
            "spec": report.spec.model_dump(mode="json"),
            "classifier": report.classifier.model_dump(mode="json"),
            "dataset": report.dataset.model_dump(mode="json"),
            "method": report.method,
            "evaluations": {model: one.weights for model, one in report.evaluations.items()},
            "missing": dict(report.missing),
        }
        | ({"pending": list(report.pending)} if report.pending else {}),
    )


def read(data_dir: Path, run: int) -> Report:
    """Return the report of a run. Raises StoreError if it is missing, DamagedReportError if it is damaged."""
    return read_folder(artifacts.run_dir(data_dir, run), run=run, evaluations=data_dir / "evaluations")


def read_folder(folder: Path | str, *, run: int | None = None, evaluations: Path | None = None) -> Report:
    """Return the report in a folder; one of an older release also needs the folder `evaluations`.

    A damaged part is missing in it. Raises StoreError if there is none, DamagedReportError if the rest is damaged.
    """
    folder = Path(folder)
    try:
        head = json.loads((folder / artifacts.REPORT_FILE).read_text())
        spec = UnlearnSpec.model_validate(head["spec"])
        classifier = ClassifierCard.model_validate(head["classifier"])
        dataset = DatasetCard.model_validate(head["dataset"])
        labels = np.load(folder / "labels.npy", allow_pickle=False).astype(np.int64)
        stores = [EvaluationStore(path) for path in (folder / "evaluations", evaluations) if path is not None]
        found = {
            model: next((one for store in stores if (one := store.get(sha, dataset.id, classifier.id))), None)
            for model, sha in head["evaluations"].items()
        }
        pending = tuple(head.get("pending", ()))
        if found.get("after", True) is None:
            found["after"] = _read_outputs(folder, head["evaluations"]["after"], dataset.id)
        parts, damaged = _read_parts(folder, pending)
        split = make_split(dataset, labels, spec.request.forget)
        if any(one is not None and len(one.logits) != len(labels) for one in found.values()):
            raise ValueError("labels and outputs are not of the same images")
        missing = dict(head["missing"])
    except FileNotFoundError as problem:
        raise StoreError(
            f"There is no report in {folder}: {problem.filename} is missing. Start the run again."
        ) from None
    except (*artifacts.UNREADABLE, InvalidRequestError) as problem:
        raise DamagedReportError(
            f"The report in {folder} is damaged ({type(problem).__name__}). Start the run again."
        ) from None
    lost = {model: "Its outputs are no longer in the data folder." for model, one in found.items() if one is None}
    return Report(
        run=run,
        spec=spec,
        classifier=classifier,
        dataset=dataset,
        method=head["method"],
        labels=labels,
        split=split,
        evaluations={model: one for model, one in found.items() if one is not None},
        parts=parts,
        missing=missing | lost | damaged,
        pending=pending,
        lost=tuple(lost),
    )


def _read_parts(folder: Path, pending: Sequence[str]) -> tuple[dict[str, ReportPart], dict[str, str]]:
    """Return the parts of a report, and why those are missing that cannot be read."""
    parts: dict[str, ReportPart] = {}
    damaged: dict[str, str] = {}
    for name in artifacts.list_parts(folder):
        if name in pending:
            continue
        try:
            part = artifacts.read_part(folder, name)
        except artifacts.UNREADABLE:
            damaged[name] = damaged_part(name)
        else:
            parts |= {} if part is None else {name: part}
    return parts, damaged


def _read_outputs(folder: Path, weights: str, dataset: str) -> Evaluation | None:
    """Return the outputs of the unlearned model so far; None if their file is lost or damaged."""
    try:
        logits = np.load(folder / OUTPUTS_FILE, allow_pickle=False)
    except artifacts.UNREADABLE:
        return None
    return Evaluation(weights, dataset, logits, ~np.isnan(logits).all(1))


def previously_forgotten(data_dir: Path, start: int | None) -> tuple[Forget, ...]:
    """Return what a run and the runs that it continues have forgotten, the last one first; `start` is its number.

    Raises StoreError if one of them has no report.
    """
    found: list[Forget] = []
    while start is not None:
        try:
            head = json.loads((artifacts.run_dir(data_dir, start) / artifacts.REPORT_FILE).read_text())
            spec = UnlearnSpec.model_validate(head["spec"])
        except artifacts.UNREADABLE:
            raise StoreError(
                f"Run {start} has no report that can be read, so it cannot be continued. Choose another finished run."
            ) from None
        found.append(spec.request.forget)
        start = spec.start
    return tuple(found)


def report_version(data_dir: Path, run: int) -> tuple[str, ...]:
    """Return the parts and models of a run's report with their times; pages use it as a cache key."""
    folder = artifacts.run_dir(data_dir, run)
    try:
        head = json.loads((folder / artifacts.REPORT_FILE).read_text())
        parts = artifacts.part_versions(folder)
        models = [f"{model}:{sha}" for model, sha in head["evaluations"].items()]
        still = [f"{name} pending" for name in head.get("pending", ())]
        return (*parts, *models, *(f"no {name}" for name in head["missing"]), *still)
    except FileNotFoundError:
        return ()
    except artifacts.UNREADABLE:  # `read` says that it is damaged
        return ("damaged",)


def load_example() -> Report:
    """Return the report of the bundled example run."""
    return read_folder(EXAMPLE_DIR)


def load_ensemble_example() -> Report:
    """Return the bundled example of ensemble measurements, which has no other parts."""
    return read_folder(ENSEMBLE_EXAMPLE_DIR)
