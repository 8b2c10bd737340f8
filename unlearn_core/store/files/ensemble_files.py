"""Paths of the files of model ensembles: their outputs, and the original models of shadow models.

They are stored beside retrained models and deleted with their classifier.
"""

import shutil
from collections.abc import Collection
from pathlib import Path

ORIGINALS = "originals"
"""The kind of the models from which shadow models are made."""


def folder(data_dir: Path, classifier: str, kind: str, name: str) -> Path:
    """Return the folder of one kind of ensemble, one file per model; `name` identifies the request and the method."""
    return classifier_folder(data_dir, classifier) / kind / name


def classifier_folder(data_dir: Path, classifier: str) -> Path:
    """Return the folder of all ensembles of a classifier."""
    return data_dir / "trained" / "crowds" / classifier


def folders_of(data_dir: Path, *, requests: Collection[str], specs: Collection[str]) -> list[Path]:
    """Return the folders of the ensembles that were made for requests, and for unlearning specs of seed 0.

    Both are given by fingerprint, with which the names of these folders begin. The originals of shadow models are not
    among them: they know nothing of any request.
    """
    wanted = {*requests, *specs}
    found = classifier_folder(data_dir, "").glob("*/*/*")
    return sorted(path for path in found if path.parent.name != ORIGINALS and path.name[:16] in wanted)


def delete(data_dir: Path, classifier: str) -> None:
    """Delete all ensembles of a classifier."""
    shutil.rmtree(classifier_folder(data_dir, classifier), ignore_errors=True)
