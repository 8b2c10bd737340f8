"""Caches shared by all pages: whatever is stored between two clicks. Importing this module does not import torch."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import numpy as np
import streamlit as st

from unlearn_core.data import dataset_notes as notes
from unlearn_core.data import datasets, image_search
from unlearn_core.data.duplicates import Duplicates
from unlearn_core.data.duplicates.record import search_in_background
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.data.image_search import ImageFacts
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunState
from unlearn_core.export.extra_sections import ExtraSection
from unlearn_core.models import bundled_models
from unlearn_core.settings import settings
from unlearn_core.store.access.owned_items import Item, needed_by
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts, reports, shipped_runs
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.store.queue import repeats
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.server import visitor
from unlearn_core.ui.shell import thumbnails

_OPENED = "classifiers and data sets of runs opened by a link"


def store() -> RunStore:
    """The runs of this data folder, as whoever looks at the page may read and change them.

    Raises StoreError if the folder cannot be read or written.
    """
    return server_store().acting_as(visitor.actor())


def server_store() -> RunStore:
    """The same as the server itself may use it, which may do everything: never for what a visitor asks for."""
    return _store(str(open_data_dir()), settings().database)


def readable_ids(kind: str) -> set[str] | None:
    """The ids of the users' classifiers or data sets that whoever looks at the page may read; None for all."""
    if settings().sharing == "open" or not visitor.is_visit():
        return None
    items = store().items.readable()
    return None if items is None else {item.name for item in items | _opened() if item.kind == kind}


def open_run(number: int) -> Run:
    """A run that somebody has the link to; this visit may then read the classifier and data set that it is about.

    Raises NotFoundError if whoever looks at the page may not read it.
    """
    run, allowed = store().get(number), store().access
    if not allowed.reads_all and not allowed.may_change(run.owner):
        st.session_state[_OPENED] = _opened() | set(needed_by(run.spec))
    return run


def _opened() -> set[Item]:
    return st.session_state.get(_OPENED, set())


@st.cache_resource(show_spinner=False)
def _store(folder: str, url: str | None) -> RunStore:
    return RunStore(Path(folder), url)


def clear() -> None:
    """Empty the caches that hold runs, models or data sets, so that the server's memory has nothing of deleted ones."""
    st.cache_data.clear()
    for cached in (_report, image_dataset, _duplicates, _facts, _features):
        cached.clear()


def report(run_id: int, parts: tuple[str, ...]) -> Report:
    """A run's report, also of one that ships; read-only and shared.

    `parts` is what `reports.report_version` gives, to see parts added later.

    If the run was repeated with other seeds, the report has the part that compares them.
    """
    if run_id < 0:
        return shipped_report(run_id)
    run = open_run(run_id)
    family = [own for own in server_store().repeats.runs_of(run) if _is_shown_with(own, run)]
    done = [own for own in family if own.state is RunState.DONE]
    versions = [(run.id, reports.report_version(open_data_dir(), run.id)) for run in done]
    return _report(str(open_data_dir()), run_id, parts, versions, done)


def _is_shown_with(repeat: Run, run: Run) -> bool:
    """Whether a repeat is part of the report of a run: whoever shared the report shared that of their own repeats."""
    return repeat.owner == run.owner or store().access.reads_all or store().access.may_change(repeat.owner)


@st.cache_resource(show_spinner=False, max_entries=16)
def _report(
    folder: str,
    run_id: int,
    parts: tuple[str, ...],
    versions: list[tuple[int, tuple[str, ...]]],
    _done: list[Run],
) -> Report:
    found = reports.read(Path(folder), run_id)
    seeds = repeats.seeds_result(Path(folder), _done) if len(_done) > 1 else None
    found = found if seeds is None else found.with_result(seeds)
    return _read_only(found)


def _read_only(found: Report) -> Report:
    """The report, whose arrays nobody can change any more."""
    in_parts = (array for part in found.parts.values() for array in part.arrays.values())
    for array in (found.labels, *(one.logits for one in found.evaluations.values()), *in_parts):
        array.flags.writeable = False
    return found


def html_report(*found: Report, side: ExtraSection | None = None) -> str:
    """The HTML report of one run, or of several side by side; cached until something is added to one of them."""
    return _page(str(open_data_dir()), _key(found), side, found)


def archive(*found: Report, side: ExtraSection | None = None) -> bytes:
    """The archive of one run, or of several; cached until something is added to one of them."""
    return _archive(str(open_data_dir()), _key(found), side, found)


def evidence(found: Report) -> bytes:
    """The zip of a run's evidence sheet, made when it is asked for."""
    from unlearn_core.export.evidence.evidence_folder import evidence_files, zipped

    images: ImageDataset | None = None
    with suppress(UnlearnError):  # The sheet itself says that the images are missing.
        images = image_dataset(found.dataset.id)
    return zipped(evidence_files(found, images), folder=f"evidence-{found.run or 'example'}")


def _key(run_reports: Sequence[Report]) -> tuple[str, ...]:
    """The cache key of what is made from reports."""
    return tuple(one.fingerprint for one in run_reports)


@st.cache_data(show_spinner=False, max_entries=4)
def _page(folder: str, key: tuple[str, ...], side: ExtraSection | None, _reports: Sequence[Report]) -> str:
    from unlearn_core.export.html_report import render_report
    from unlearn_core.methods import methods  # Imports torch, which the first page does without.

    image_datasets: dict[str, ImageDataset] = {}
    for name in {one.dataset.id for one in _reports}:
        with suppress(UnlearnError):  # The report itself says that the images are missing.
            image_datasets[name] = image_dataset(name)
    return render_report(_reports, methods=methods(), image_datasets=image_datasets, extra=side)


@st.cache_data(show_spinner=False, max_entries=4)
def _archive(folder: str, key: tuple[str, ...], side: ExtraSection | None, _reports: Sequence[Report]) -> bytes:
    from unlearn_core.export import archive as whole

    weights = [
        None if one.run is None else artifacts.run_dir(open_data_dir(), one.run) / artifacts.WEIGHTS_FILE
        for one in _reports
    ]
    return whole.build_archive(_reports, page=html_report(*_reports, side=side), weights=weights)


@st.cache_resource(show_spinner=False)
def shipped_report(number: int) -> Report:
    """The report of a run that ships with the lab, by its negative number; read-only and shared."""
    return _read_only(shipped_runs.read_report(number))


@st.cache_resource(show_spinner=False)
def example() -> Report:
    """The finished run that ships with the project; read-only."""
    return reports.load_example()


@st.cache_resource(show_spinner=False)
def ensemble_example() -> Report:
    """The bundled run whose ensemble measurements are shown as an example; read-only."""
    return reports.load_ensemble_example()


@st.cache_resource(show_spinner=False, max_entries=4)
def image_dataset(dataset: str) -> ImageDataset:
    """All images of a data set, read-only. Raises NotFoundError or CorruptAssetError."""
    found = datasets.load(dataset)
    for array in (found.images, found.labels):
        array.flags.writeable = False
    return found


@st.cache_data(show_spinner=False, max_entries=64)
def dataset_fingerprint(dataset: str) -> str:
    """A hash of a data set's labels and of some of its images; another one of that name has another."""
    every = image_dataset(dataset)
    some = every.images[:: max(1, len(every.images) // 64)]
    return hashlib.sha256(every.labels.tobytes() + repr(every.images.shape).encode() + some.tobytes()).hexdigest()


def duplicates(dataset: str) -> Duplicates | None:
    """The copies in a data set; None while they are being looked for, which the first call begins.

    That takes minutes for 200,000 images, so no page waits for it.
    """
    search = _duplicates(str(open_data_dir()), dataset)
    return search.result() if search.done() else None


def dataset_notes(dataset: str) -> list[str]:
    """What about a data set may mislead, as sentences; with its copies once they are known."""
    every = image_dataset(dataset)
    known, wrong = duplicates(dataset), len(every.mislabelled)
    return notes.dataset_notes(datasets.card(dataset), every.labels, known, num_mislabelled=wrong)


@st.cache_resource(show_spinner=False, max_entries=16)
def _duplicates(folder: str, dataset: str) -> Future[Duplicates]:
    return search_in_background(datasets.card(dataset))


@st.cache_data(show_spinner=False, max_entries=2_000)
def class_preview(dataset: str, number: int) -> bytes | None:
    """Six training images of one class side by side, as PNG; None if it has none."""
    every = image_dataset(dataset)
    if number not in every.labels[: every.train]:
        return None
    if datasets.card(dataset).is_points:
        return thumbnails.points_png(
            every, np.flatnonzero(every.labels[: every.train] == number), width=288, height=192
        )
    own = np.flatnonzero(every.labels[: every.train] == number)[:6]
    return thumbnails.images_png(every.images[own], columns=3, wanted=96)


@st.cache_data(show_spinner=False, max_entries=2_000)
def thumbnail(dataset: str, image: int) -> bytes:
    """One image, about 128 pixels wide, as PNG."""
    every = image_dataset(dataset)
    if datasets.card(dataset).is_points:
        return thumbnails.points_png(every, np.array([image]))
    return thumbnails.images_png(every.images[image : image + 1], columns=1, wanted=128)


def image_facts(classifier: str, dataset: str, seed: int) -> ImageFacts | None:
    """What the bundled original model makes of each image; None if none is bundled, or its outputs are not known."""
    return _facts(str(open_data_dir()), classifier, dataset, seed) if has_outputs(classifier, dataset, seed) else None


@st.cache_resource(show_spinner=False, max_entries=16)
def _facts(folder: str, classifier: str, dataset: str, seed: int) -> ImageFacts:
    return image_search.image_facts(_outputs(folder, classifier, dataset, seed), image_dataset(dataset).labels)


def has_outputs(classifier: str, dataset: str, seed: int) -> bool:
    """Whether the outputs of the bundled original model are known: they ship, or a worker computed them here."""
    original = bundled_models.find_bundled(classifier, None, seed)
    return original is not None and EvaluationStore(open_data_dir() / "evaluations").has(original, dataset)


def _outputs(folder: str, classifier: str, dataset: str, seed: int) -> np.ndarray:
    """The logits (N, C) of the bundled original model, which are known."""
    original = bundled_models.find_bundled(classifier, None, seed)
    assert original is not None
    found = EvaluationStore(Path(folder) / "evaluations").get(original.weights, dataset, classifier)
    assert found is not None
    return found.logits


def image_features(classifier: str, dataset: str, seed: int) -> np.ndarray | None:
    """The features (N, F) of all images under the bundled original model, read-only; None until a worker made them."""
    original = bundled_models.find_bundled(classifier, None, seed)
    if original is None:
        return None
    evaluations = EvaluationStore(open_data_dir() / "evaluations")
    version = evaluations.unit_features_version(original.weights, dataset)
    return None if version is None else _features(str(open_data_dir()), original.weights, dataset, version)


@st.cache_resource(show_spinner=False, max_entries=4)
def _features(folder: str, weights: str, dataset: str, version: int) -> np.ndarray | None:
    return EvaluationStore(Path(folder) / "evaluations").unit_features(weights, dataset)


def class_accuracies(classifier: str, dataset: str, seed: int) -> list[float | None] | None:
    """The accuracy of the bundled original model on test images, by class (0 to 1); None where `image_facts` is None.

    A class without test images has None.
    """
    known = has_outputs(classifier, dataset, seed)
    return _accuracies(str(open_data_dir()), classifier, dataset, seed) if known else None


@st.cache_data(show_spinner=False, max_entries=64)
def _accuracies(folder: str, classifier: str, dataset: str, seed: int) -> list[float | None]:
    every = image_dataset(dataset)
    test = slice(every.train + every.val, None)
    labels, predictions = every.labels[test], _outputs(folder, classifier, dataset, seed)[test].argmax(1)
    return [
        float((predictions[labels == number] == number).mean()) if number in labels else None
        for number in range(len(datasets.card(dataset).classes))
    ]


@st.cache_data(show_spinner=False, max_entries=64)
def test_counts(dataset: str) -> list[int]:
    """The number of test images of each class."""
    every = image_dataset(dataset)
    return np.bincount(every.labels[every.train + every.val :], minlength=len(datasets.card(dataset).classes)).tolist()


@st.cache_data(show_spinner=False, max_entries=64)
def class_samples(dataset: str) -> bytes:
    """The first training image of each class that has one, up to 20 of them in rows of ten, as PNG."""
    every = image_dataset(dataset)
    _, firsts = np.unique(every.labels[: every.train], return_index=True)
    firsts = firsts[:20]
    return thumbnails.images_png(every.images[firsts], columns=min(10, len(firsts)), wanted=96)


@st.cache_data(show_spinner=False, max_entries=64)
def color_statistics(dataset: str) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The mean and standard deviation of each colour channel of a data set."""
    from unlearn_core.data.pixel_statistics import channel_statistics

    return channel_statistics(image_dataset(dataset))
