"""The names of the files that the images of an imported data set come from, and the search for images by these names.

A data set's folder has them in `files.json`: the path of each image in its archive or folder, in the order of the
images. Data sets of earlier releases, and those that are not made of files, do not have them.
"""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, cast

from unlearn_core.data import user_catalog
from unlearn_core.data.ingest.sanitize import escape_control
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import MAX_IMAGES

FILES_FILE = "files.json"
MAX_PATH_LENGTH, MAX_PATH_BYTES = 250, 1_024
"""The most characters of a path that are stored, of a longer one the last; and the bytes that they take at most."""
MAX_LIST_BYTES = 50_000_000
"""The size of the largest list of names that is read."""


class FileMatch(NamedTuple):
    """What was found for a list of file names; each name is in exactly one of the lists."""

    by_path: dict[str, int]
    """Names that are the whole path of a training image, with the number of the image."""
    by_end: dict[str, int]
    """Names that are no path, but that fit only one file: by the last parts of its path, or by its base name."""
    held_out: list[str]
    """Names of validation and test images, which no model was trained on."""
    several: list[str]
    """Names that fit several files."""
    missing: list[str]

    @property
    def images(self) -> tuple[int, ...]:
        """The training images that were found, in ascending order."""
        return tuple(sorted({*self.by_path.values(), *self.by_end.values()}))

    @property
    def is_complete(self) -> bool:
        """Whether every name led to a training image."""
        return not (self.held_out or self.several or self.missing)


def write_image_paths(folder: Path, paths: Iterable[str]) -> None:
    """Store the paths of a data set's images, in the order of the images, in its folder."""
    (folder / FILES_FILE).write_text(json.dumps(list(map(_normal, paths)), ensure_ascii=False), encoding="utf-8")


def image_paths(card: DatasetCard) -> list[str] | None:
    """The path of each image of a data set; None if it has none stored."""
    folder = user_catalog.user_dataset_dir(card.id)
    try:
        found = None if folder is None else _read(folder / FILES_FILE, (folder / FILES_FILE).stat().st_mtime_ns)
    except OSError:
        return None
    return found if found is not None and len(found) == card.train + card.val + card.test else None


def why_no_paths(card: DatasetCard) -> str:
    """Why images of this data set cannot be found by file name, as a sentence."""
    folder = user_catalog.user_dataset_dir(card.id)
    if folder is None or not folder.exists():
        return f"{card.title} is not made of files, so its {card.item_noun}s have no file names."
    return (
        f"{card.title} has no file names: it is not made of files, or an earlier release imported it. "
        "If it is made of files, add it again to find its images by their names."
    )


def find_files(wanted: Sequence[str], card: DatasetCard) -> FileMatch:
    """Find the training images of these files: by the whole path, else by the only file that the name fits.

    Raises InvalidRequestError if the data set has no file names, or if there are too many or no names.
    """
    paths = image_paths(card)
    if paths is None:
        raise InvalidRequestError(why_no_paths(card))
    if not wanted:
        raise InvalidRequestError("The list has no file name: write one on each line.")
    if len(wanted) > MAX_IMAGES:
        raise InvalidRequestError(f"At most {MAX_IMAGES:,} images can be forgotten at once: choose fewer.")
    numbers = _Numbers(paths)
    found = FileMatch({}, {}, [], [], [])
    for name in dict.fromkeys(wanted):
        exact, fitting = numbers.find(name)
        if not fitting:
            found.missing.append(name)
        elif len(fitting) > 1:
            found.several.append(name)
        elif fitting[0] >= card.train:
            found.held_out.append(name)
        else:
            (found.by_path if exact else found.by_end)[name] = fitting[0]
    return found


def split_list(text: str) -> list[str]:
    """The file names of a list: one on each line, with or without double quotes; empty lines are left out."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return [line[1:-1] if len(line) > 2 and line[0] == line[-1] == '"' else line for line in lines if line]


def read_list(file: Path) -> list[str]:
    """The file names of a text file. Raises InvalidRequestError if it cannot be read."""
    try:
        if file.stat().st_size > MAX_LIST_BYTES:
            raise InvalidRequestError(f"{file} is larger than {MAX_LIST_BYTES // 1_000_000} MB: split the list.")
        return split_list(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InvalidRequestError(f"Cannot read {file} ({problem.strerror}). Choose another file.") from None
    except UnicodeDecodeError:
        raise InvalidRequestError(f"{file} is not a text in UTF-8: write one file name on each line.") from None


class _Numbers:
    """The numbers of the images by path and by base name."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths
        self.by_path: dict[str, list[int]] = {}
        self.by_name: dict[str, list[int]] = {}
        for number, path in enumerate(paths):
            self.by_path.setdefault(path, []).append(number)
            self.by_name.setdefault(path.rpartition("/")[2], []).append(number)

    def find(self, name: str) -> tuple[bool, list[int]]:
        """The images that a name fits, and whether the name is their whole path."""
        path = _normal(name.replace("\\", "/")).removeprefix("./")
        if path in self.by_path:
            return True, self.by_path[path]
        fitting = self.by_name.get(path.rpartition("/")[2], [])
        ending = [number for number in fitting if self.paths[number].endswith(f"/{path}")]
        return False, ending or fitting


@lru_cache(maxsize=4)
def _read(file: Path, _changed: int) -> list[str] | None:
    """The names in a file, which is read once for each time that it changed; None if it is damaged."""
    try:
        found = json.loads(file.read_bytes())
    except ValueError:
        return None
    return list(map(str, cast("list[object]", found))) if isinstance(found, list) else None


def _normal(path: str) -> str:
    """A path in one Unicode form, with invisible characters written as their code point, and not too long."""
    return escape_control(unicodedata.normalize("NFC", path))[-MAX_PATH_LENGTH:]
