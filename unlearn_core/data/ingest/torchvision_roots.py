"""Data sets that torchvision knows, found below a root or fetched below the data folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unlearn_core.data.ingest.download import RemoteFile, fetch
from unlearn_core.data.ingest.source import ImportContext


def open_torchvision(
    kind: str, variants: Sequence[dict[str, Any]], files: Sequence[RemoteFile], context: ImportContext
) -> list[Any]:
    """One torchvision data set for each way of calling its class: from the root, the data folder, or the internet.

    Torchvision compares files with their recorded checksums before it reads them. Raises BadPictures.
    """
    from torchvision import datasets

    make = getattr(datasets, kind)
    for root in (context.root, context.downloads):
        if root is not None and root.is_dir():
            try:
                return [make(str(root), **way, download=False) for way in variants]
            except (RuntimeError, FileNotFoundError):
                continue
    for part in files:
        fetch(part, context.downloads, context.on_progress)
    context.on_progress("unpack", 0, 1)
    # The files are there with the right checksums: this unpacks them, and asks nobody for anything.
    return [make(str(context.downloads), **way, download=True) for way in variants]


def relative_paths(files: Sequence[str | Path], root: Path) -> list[str]:
    """Paths below a root, as text with / between folders."""
    return [Path(file).relative_to(root).as_posix() for file in files]
