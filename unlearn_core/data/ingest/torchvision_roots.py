"""Data sets that torchvision knows, found below a root or fetched below the data folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unlearn_core.data.ingest.download import Part, fetch
from unlearn_core.data.ingest.source import Place


def opened(kind: str, ways: Sequence[dict[str, Any]], parts: Sequence[Part], place: Place) -> list[Any]:
    """One torchvision data set for each way of calling its class: from the root, the data folder, or the internet.

    Torchvision compares files with their recorded checksums before it reads them. Raises BadPictures.
    """
    from torchvision import datasets

    make = getattr(datasets, kind)
    for root in (place.root, place.downloads):
        if root is not None and root.is_dir():
            try:
                return [make(str(root), **way, download=False) for way in ways]
            except (RuntimeError, FileNotFoundError):
                continue
    for part in parts:
        fetch(part, place.downloads, place.tell)
    place.tell("unpack", 0, 1)
    # The files are there with the right checksums: this unpacks them, and asks nobody for anything.
    return [make(str(place.downloads), **way, download=True) for way in ways]


def relative(files: Sequence[str | Path], root: Path) -> list[str]:
    """Paths below a root, as text with / between folders."""
    return [Path(file).relative_to(root).as_posix() for file in files]
