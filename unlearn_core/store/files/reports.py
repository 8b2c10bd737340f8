"""Reports as they are read: everything that exists for a run, put together without computing anything."""

import io
import json
from pathlib import Path

import numpy as np

from unlearn_core.data.atomic_files import ASSETS, atomic_write
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.split import make_split
from unlearn_core.store.files import artifacts
from unlearn_core.store.files.evaluations import EvaluationStore

EXAMPLE_DIR, ENSEMBLE_EXAMPLE_DIR = ASSETS / "example", ASSETS / "example-crowd"

FORMAT = 1
"""Counts up when a report's files change so that an older release cannot read them."""

README_TEXT = """One report of Unlearn Lab.

report.json          what was run: classifier, data set, forget request, method, knobs, seed; the checksums of the nets
                     that were compared; and for every part or net that is missing, why
parts/               one measurement each: facts (.json), arrays (.npz); timings.json has versions, device and seconds
evaluations/         what each of these nets answered to every picture of the data set: logits (.npy), by checksum
labels.npy           the true classes, in the same order: training, validation and test pictures
weights.safetensors  the net after forgetting, where it was kept
run.json             title, owner, note and times of the run, where it belongs to a data folder's history

To read it, with no model and no torch at hand:
    from unlearn_core.store.files.reports import read_folder
    report = read_folder("this folder")
"""


def write(report: Report, folder: Path, *, shared: EvaluationStore | None = None) -> None:
    """Writes all that a report rests on, and last its head, which makes it a report: the folder may go anywhere.

    Where `pool` keeps evaluations for many reports, the folder shares its files.
    """
    for name, part in report.parts.items():
        artifacts.write_part(folder, name, part)
    kept = EvaluationStore(folder / "evaluations")
    for one in report.evaluations.values():
        kept.put(one) if shared is None else kept.link_from(one, shared)
    atomic_write(folder / "README.txt", README_TEXT.encode())
    buffer = io.BytesIO()
    np.save(buffer, report.labels.astype(np.int16))
    atomic_write(folder / "labels.npy", buffer.getvalue())
    artifacts.write_json(
        folder / artifacts.REPORT_FILE,
        {
            "format": FORMAT,
            "spec": report.spec.model_dump(mode="json"),
            "classifier": report.classifier.model_dump(mode="json"),
            "dataset": report.dataset.model_dump(mode="json"),
            "method": report.method,
            "evaluations": {model: one.weights for model, one in report.evaluations.items()},
            "missing": dict(report.missing),
        },
    )


def read(data_dir: Path, run: int) -> Report:
    """The report of a run. Raises StoreError where there is none or its files are damaged."""
    return read_folder(artifacts.run_dir(data_dir, run), run=run, evaluations=data_dir / "evaluations")


def read_folder(folder: Path | str, *, run: int | None = None, evaluations: Path | None = None) -> Report:
    """The report in a folder, with what it needs of `evaluations` where it was written by an older release.

    Raises StoreError where there is none or its files are damaged.
    """
    folder = Path(folder)
    try:
        head = json.loads((folder / artifacts.REPORT_FILE).read_text())
        spec = UnlearnSpec.model_validate(head["spec"])
        classifier = ClassifierCard.model_validate(head["classifier"])
        dataset = DatasetCard.model_validate(head["dataset"])
        labels = np.load(folder / "labels.npy", allow_pickle=False).astype(np.int64)
        known = [EvaluationStore(where) for where in (folder / "evaluations", evaluations) if where is not None]
        found = {
            model: next((one for own in known if (one := own.get(sha, dataset.id, classifier.id))), None)
            for model, sha in head["evaluations"].items()
        }
        parts = {name: artifacts.read_part(folder, name) for name in artifacts.part_names(folder)}
    except FileNotFoundError as problem:
        raise StoreError(f"There is no report in {folder}: {problem.filename} is missing. Run it again.") from None
    except (ValueError, KeyError, OSError, EOFError) as problem:
        raise StoreError(f"The report in {folder} is damaged ({type(problem).__name__}). Run it again.") from None
    lost = {model: "Its answers are no longer in the data folder." for model, one in found.items() if one is None}
    return Report(
        run=run,
        spec=spec,
        classifier=classifier,
        dataset=dataset,
        method=head["method"],
        labels=labels,
        split=make_split(dataset, labels, spec.request.forget),
        evaluations={model: one for model, one in found.items() if one is not None},
        parts={name: part for name, part in parts.items() if part is not None},
        missing=head["missing"] | lost,
    )


def report_version(data_dir: Path, run: int) -> tuple[str, ...]:
    """Which parts and models a run's report has, and since when: with the run's id, the key of a page's cache."""
    folder = artifacts.run_dir(data_dir, run)
    try:
        head = json.loads((folder / artifacts.REPORT_FILE).read_text())
        parts = artifacts.part_versions(folder)
    except FileNotFoundError:
        return ()
    models = (f"{model}:{sha}" for model, sha in head["evaluations"].items())
    return (*parts, *models, *(f"no {name}" for name in head["missing"]))


def load_example() -> Report:
    """The finished run that ships with the project."""
    return read_folder(EXAMPLE_DIR)


def load_ensemble_example() -> Report:
    """Of another run that ships, what many nets like it tell: no more than that."""
    return read_folder(ENSEMBLE_EXAMPLE_DIR)
