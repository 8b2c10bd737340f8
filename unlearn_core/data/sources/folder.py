"""A folder of class folders on the server, below the one folder that its operator has allowed.

If its top folders are called train, val and test, these are the splits; otherwise the split is random with a fixed
seed.
"""

import os
from pathlib import Path

from unlearn_core.data.ingest.source import (
    LAYOUT_OPTIONS,
    FolderData,
    ImportContext,
    Option,
    OptionValues,
    Source,
    layout_values,
)
from unlearn_core.domain.errors import InvalidDatasetError

_DEPTH, _MOST = 2, 200


def read(options: OptionValues, context: ImportContext) -> FolderData:
    """All class folders below the chosen folder. Raises InvalidDatasetError if it is not below the root."""
    name = str(options["folder"]).strip()
    if context.root is None:
        raise InvalidDatasetError(_missing(None))
    if not name:
        raise InvalidDatasetError("Choose the folder that contains the class folders.")
    found = (context.root / name).resolve()
    if not found.is_relative_to(context.root.resolve()) or found == context.root.resolve():
        raise InvalidDatasetError("The folder is not below the one that UNLEARN_DATA_ROOT sets: choose another.")
    if not found.is_dir():
        raise InvalidDatasetError(f"There is no such folder below {context.root}: choose another.")
    encoding, as_classes = layout_values(options)
    return FolderData(found, encoding=encoding, as_classes=as_classes)


def folders(root: Path | None) -> dict[str, tuple[str, ...]]:
    """The folders that can be chosen: those that contain folders, at most two levels deep."""
    found: list[str] = []
    level = [root] if root is not None and root.is_dir() else []
    for _ in range(_DEPTH):
        below = [child for folder in level for child in _children(folder)][:_MOST]
        found += [child.relative_to(root).as_posix() for child in below if root is not None and _children(child)]
        level = below
    return {"folder": tuple(sorted(found))}


def _children(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as inside:
            names = [one.name for one in inside if one.is_dir(follow_symlinks=False) and not one.name.startswith(".")]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def _missing(root: Path | None) -> str:
    if root is None:
        return "No folder on the server may be read: its operator can set one with UNLEARN_DATA_ROOT."
    return "" if folders(root)["folder"] else f"There is no folder with class folders below {root}."


SOURCE = Source(
    id="folder",
    title="A folder on the server",
    summary="One folder per class, with its images in it; optionally in train, val and test folders. Or a folder of "
    "images and a table with their classes.",
    needs="root",
    size=64,
    natural=False,
    licence="Unknown to the lab: ask the person who added these images.",
    origin="A folder on the server.",
    read=read,
    options=(Option("folder", "Folder", "It contains one folder per class.", "", placeholder="faces"), *LAYOUT_OPTIONS),
    choices=folders,
    unavailable_reason=_missing,
)
