"""What is kept of the many nets that some measurements need: their answers, and the originals behind shadow nets.

They lie beside golds, so that they count as what was trained here, and go when their classifier goes.
"""

import shutil
from pathlib import Path


def folder(data_dir: Path, classifier: str, kind: str, name: str) -> Path:
    """Where nets of one kind lie, a file a net; `name` tells apart what they were asked to forget, and how."""
    return _root(data_dir, classifier) / kind / name


def delete(data_dir: Path, classifier: str) -> None:
    """Removes all of a classifier's."""
    shutil.rmtree(_root(data_dir, classifier), ignore_errors=True)


def _root(data_dir: Path, classifier: str) -> Path:
    return data_dir / "trained" / "crowds" / classifier
