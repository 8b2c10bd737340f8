"""What is kept of the many nets that some measurements need: their answers, and the originals behind shadow nets.

They lie beside golds, so that they count as what was trained here, and go when their classifier goes.
"""

import shutil
from pathlib import Path


def folder(home: Path, classifier: str, kind: str, name: str) -> Path:
    """Where nets of one kind lie, a file a net; `name` tells apart what they were asked to forget, and how."""
    return _root(home, classifier) / kind / name


def drop(home: Path, classifier: str) -> None:
    """Removes all of a classifier's."""
    shutil.rmtree(_root(home, classifier), ignore_errors=True)


def _root(home: Path, classifier: str) -> Path:
    return home / "trained" / "crowds" / classifier
