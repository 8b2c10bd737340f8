"""Outputs and features of models on whole data sets, computed once and stored by weights checksum."""

import io
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.report import Evaluation
from unlearn_core.models import bundled_models
from unlearn_core.models.bundled_models import BundledModel
from unlearn_core.store.files.artifacts import UNREADABLE

VERSION = "v1"
"""Increases when the evaluation changes, so that old outputs are not mixed with new ones."""


class StoredFeatures(NamedTuple):
    """What the head of a model gets as input for some images of a data set."""

    rows: np.ndarray
    """The images (M,) int64, as places in the data set, ascending."""
    values: np.ndarray
    """Their features (M, F) float16."""

    def missing(self, rows: np.ndarray) -> np.ndarray:
        """Return those of the images whose features are not known."""
        return np.setdiff1d(rows, self.rows)

    def on(self, rows: np.ndarray) -> np.ndarray:
        """Return the features (rows, F) float32 of images that are known."""
        return self.values[np.searchsorted(self.rows, rows)].astype(np.float32)


_read: WeakValueDictionary[tuple[int, ...], np.ndarray] = WeakValueDictionary()
"""The outputs in memory by their files: those of one model are hard links in many reports."""


def _read_once(path: Path) -> np.ndarray:
    """Return the array in a file, read-only, and the same one as long as anybody has it."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        array = _read.get(key)
        if array is None:
            array = np.load(file, allow_pickle=False)
            array.flags.writeable = False
            _read[key] = array
        return array


class EvaluationStore:
    """Evaluations by weights checksum and data set: those in a folder, and those bundled with a classifier."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, weights: str, dataset: str, classifier: str) -> Evaluation | None:
        """Return the evaluation of the model with that checksum, or None if there is none yet, or it is damaged."""
        with suppress(*UNREADABLE):
            return Evaluation(weights, dataset, _read_once(self._path(weights, dataset)))
        models = bundled_models.bundled(classifier)
        bundled = next((model for model in models if model.weights == weights and model.has_outputs), None)
        return None if bundled is None else Evaluation(weights, dataset, bundled_models.read_logits(bundled))

    def has(self, model: BundledModel, dataset: str) -> bool:
        """Return whether there is an evaluation of a bundled model."""
        return model.has_outputs or self._path(model.weights, dataset).exists()

    def put(self, evaluation: Evaluation) -> None:
        """Store an evaluation."""
        buffer = io.BytesIO()
        np.save(buffer, evaluation.logits)
        atomic_write(self._path(evaluation.weights, evaluation.dataset), buffer.getvalue())

    def link_from(self, evaluation: Evaluation, shared: "EvaluationStore") -> None:
        """Store an evaluation that also stays in `shared`: as a hard link if possible, else as a copy."""
        mine, theirs = (folder._path(evaluation.weights, evaluation.dataset) for folder in (self, shared))
        if mine.exists():
            return
        if not theirs.exists():
            shared.put(evaluation)
        mine.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(theirs, mine)
        except OSError:  # another disk, or a file system without links
            self.put(evaluation)

    def remove(self, weights: str) -> None:
        """Delete what is stored of a model: its outputs and features on every data set."""
        for path in self.files([weights]):
            path.unlink(missing_ok=True)

    def files(self, models: Collection[str]) -> list[Path]:
        """Return the files of what is stored of models, by their checksums: outputs and features on every data set."""
        ends = {f"{VERSION}-{weights[:32]}" for weights in models}
        return [
            path
            for path in self._folder.glob(f"*/*{VERSION}-*.np[yz]")
            if path.stem[path.stem.rfind(VERSION) :] in ends
        ]

    def dataset_folder(self, dataset: str) -> Path:
        """Return the folder of what is stored of all models on a data set."""
        return self._folder / dataset

    def features(self, weights: str, dataset: str) -> StoredFeatures | None:
        """Return the features of the images that were asked for so far; None if none were."""
        path = self._features_path(weights, dataset)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as stored:
            return StoredFeatures(stored["rows"], stored["values"])

    def features_version(self, weights: str, dataset: str) -> int | None:
        """Return when features were last added; None if there are none."""
        return _written(self._features_path(weights, dataset))

    def add_features(self, weights: str, dataset: str, found: StoredFeatures) -> StoredFeatures:
        """Store features of further images; return all that are known."""
        known = self.features(weights, dataset)
        if known is not None:
            rows, values = np.concatenate([known.rows, found.rows]), np.concatenate([known.values, found.values])
            rows, places = np.unique(rows, return_index=True)
            found = StoredFeatures(rows, values[places])
        buffer = io.BytesIO()
        np.savez(buffer, rows=found.rows, values=found.values)
        atomic_write(self._features_path(weights, dataset), buffer.getvalue())
        return found

    def unit_features(self, weights: str, dataset: str) -> np.ndarray | None:
        """Return the features (N, F) float16 by which all images are compared, each of length 1; None if unknown."""
        path = self._unit_features_path(weights, dataset)
        return np.load(path, allow_pickle=False) if path.exists() else None

    def unit_features_version(self, weights: str, dataset: str) -> int | None:
        """Return when these features were written; None if there are none."""
        return _written(self._unit_features_path(weights, dataset))

    def put_unit_features(self, weights: str, dataset: str, features: np.ndarray) -> None:
        """Store features as `unit_features` returns them."""
        buffer = io.BytesIO()
        np.save(buffer, features)
        atomic_write(self._unit_features_path(weights, dataset), buffer.getvalue())

    def _features_path(self, weights: str, dataset: str) -> Path:
        return self._folder / dataset / f"head-inputs-{VERSION}-{weights[:32]}.npz"

    def _unit_features_path(self, weights: str, dataset: str) -> Path:
        return self._folder / dataset / f"features-{VERSION}-{weights[:32]}.npy"

    def _path(self, weights: str, dataset: str) -> Path:
        return self._folder / dataset / f"{VERSION}-{weights[:32]}.npy"


def _written(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None
