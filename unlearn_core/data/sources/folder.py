"""A folder of class folders on the server, below the one root that its operator has named.

Where its top folders are called train, val and test, these are the sets; else they are cut by a fixed seed.
"""

import os
from pathlib import Path

from unlearn_core.data.ingest.source import Answers, Files, Option, Place, Source
from unlearn_core.domain.errors import BadPictures

_DEPTH, _MOST = 2, 200


def read(answers: Answers, place: Place) -> Files:
    """All class folders below the chosen folder. Raises BadPictures where it does not lie below the root."""
    name = str(answers["folder"]).strip()
    if place.root is None:
        raise BadPictures(_missing(None))
    if not name:
        raise BadPictures("Choose the folder that holds the class folders.")
    found = (place.root / name).resolve()
    if not found.is_relative_to(place.root.resolve()) or found == place.root.resolve():
        raise BadPictures("The folder does not lie below the one that UNLEARN_DATA_ROOT names: choose another.")
    if not found.is_dir():
        raise BadPictures(f"There is no such folder below {place.root}: choose another.")
    return Files(found)


def folders(root: Path | None) -> dict[str, tuple[str, ...]]:
    """The folders that could be chosen: those that hold folders, two levels deep at the most."""
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
        return "No folder on the server may be read: its operator can name one in UNLEARN_DATA_ROOT."
    return "" if folders(root)["folder"] else f"There is no folder with class folders below {root}."


SOURCE = Source(
    id="folder",
    title="A folder on the server",
    summary="A folder for each class, with its pictures in it; optionally in train, val and test folders.",
    needs="root",
    size=64,
    natural=False,
    licence="Not known to the lab: whoever added these pictures knows.",
    origin="A folder on the server.",
    read=read,
    options=(Option("folder", "Folder", "It holds a folder for each class.", "", placeholder="faces"),),
    choices=folders,
    why_not=_missing,
)
