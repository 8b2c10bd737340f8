"""What nets answer to whole data sets: made once, whoever asks."""

import io
import os
from pathlib import Path

import numpy as np

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.report import Evaluation
from unlearn_core.models import bundled_models

VERSION = "v1"
"""Counts up when the way of evaluating changes, so that old answers are not mixed with new ones."""


class EvaluationStore:
    """Evaluations by weights checksum and data set: those in a folder, and those that ship with a classifier."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, weights: str, dataset: str, classifier: str) -> Evaluation | None:
        """The evaluation of the net with that checksum, or None where nobody has made it yet."""
        path = self._path(weights, dataset)
        if path.exists():
            return Evaluation(weights, dataset, np.load(path, allow_pickle=False))
        shipped = next((net for net in bundled_models.bundled(classifier) if net.weights == weights), None)
        return None if shipped is None else Evaluation(weights, dataset, bundled_models.read_logits(shipped))

    def put(self, evaluation: Evaluation) -> None:
        """Keeps an evaluation."""
        buffer = io.BytesIO()
        np.save(buffer, evaluation.logits)
        atomic_write(self._path(evaluation.weights, evaluation.dataset), buffer.getvalue())

    def link_from(self, evaluation: Evaluation, shared: "EvaluationStore") -> None:
        """Keeps an evaluation that stays in a pool as well: one file under two names, where the disk allows that."""
        mine, theirs = (folder._path(evaluation.weights, evaluation.dataset) for folder in (self, shared))
        if mine.exists():
            return
        if not theirs.exists():
            shared.put(evaluation)
        mine.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(theirs, mine)
        except OSError:  # another disk, or one that knows no links
            self.put(evaluation)

    def _path(self, weights: str, dataset: str) -> Path:
        return self._folder / dataset / f"{VERSION}-{weights[:32]}.npy"
