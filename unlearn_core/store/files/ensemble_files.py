"""Paths of the files of model ensembles: their outputs, and the original models of shadow models.

They are stored beside retrained models and deleted with their classifier.
"""

import shutil
from pathlib import Path


def folder(data_dir: Path, classifier: str, kind: str, name: str) -> Path:
    """Return the folder of one kind of ensemble, one file per model; `name` identifies the request and the method."""
    return _root(data_dir, classifier) / kind / name


def delete(data_dir: Path, classifier: str) -> None:
    """Delete all ensembles of a classifier."""
    shutil.rmtree(_root(data_dir, classifier), ignore_errors=True)


def _root(data_dir: Path, classifier: str) -> Path:
    return data_dir / "trained" / "crowds" / classifier
