"""Where the classes lie: below which folders, which of these are splits, and which images have no class folder."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from unlearn_core.data.ingest.layout.split_folders import is_container, split_folders
from unlearn_core.data.ingest.sanitize import quote
from unlearn_core.domain.errors import InvalidDatasetError

Folder = tuple[str, ...]
"""A folder by the names on its path."""


class SplitQuestionError(InvalidDatasetError):
    """Folders that may be splits or classes: a person has to say which."""

    def __init__(self, question: str) -> None:
        self.question = question
        super().__init__(
            f"{question} If these folders are classes, say so: on the page, or with --set folders=classes. {SPLIT_HINT}"
        )


SPLIT_HINT = "If they are splits, put one folder per class into each, or add a labels.csv."


class Placement(NamedTuple):
    """The folders that contain class folders, and those that directly contain images; each with its part, or ""."""

    sorted: dict[Folder, str]
    flat: dict[Folder, str]
    beside: list[Folder]
    """Folders of images without classes beside the splits."""

    def locate(self, path: str) -> tuple[str, str] | None:
        """The class folder and the part of a file; None for a file that lies in no class folder."""
        names = tuple(path.split("/"))
        for folder, part in self.sorted.items():
            if len(names) > len(folder) + 1 and names[: len(folder)] == folder:
                return names[len(folder)], part
        return None


def place(images: Sequence[str], *, as_classes: bool) -> Placement:
    """Finds the class folders and splits of images by their paths.

    With `as_classes`, folders that are called like splits are classes. Raises InvalidDatasetError if an image lies
    beside the class folders, and SplitQuestionError if folders may be splits or classes.
    """
    paths = [tuple(image.split("/")) for image in images]
    wrapping = _wrapping(paths)
    tops: dict[str, list[Folder]] = defaultdict(list)
    for path in paths:
        tops[path[wrapping] if len(path) > wrapping + 1 else ""].append(path)
    above = paths[0][:wrapping]
    if len({path[:-1] for path in paths}) == 1:
        return Placement({}, {paths[0][:-1]: ""}, [])
    splits = {} if as_classes else _splits(tops, wrapping)
    if not splits:
        if "" in tops:
            raise _loose(tops[""][0])
        return Placement({above: ""}, {}, [])
    found = Placement({}, {}, [])
    for top, part in splits.items():
        folder, is_flat = _inside(tops[top], wrapping + 1, part)
        (found.flat if is_flat else found.sorted)[folder] = part
    for top in tops.keys() - splits.keys():
        folder, is_flat = _inside(tops[top], wrapping + bool(top), "")
        if not is_flat:
            raise SplitQuestionError(f"The folder {quote(top)} lies beside the splits {_names(splits)}.")
        found.beside.append(folder)
    return found


def _wrapping(paths: list[Folder]) -> int:
    """The number of folders around everything that are not a class: most zips have one."""
    depth = 0
    while len({path[: depth + 1] for path in paths}) == 1 and min(map(len, paths)) > depth + 1:
        below = [path[depth + 1] for path in paths if len(path) > depth + 2]
        if len(below) < len(paths) and len(set(below)) < 2:
            break
        depth += 1
    return depth


def _splits(tops: dict[str, list[Folder]], wrapping: int) -> dict[str, str]:
    """The top folders that are splits, each with its part; none if they are classes."""
    found = split_folders(tops)
    others = len(tops) - len(found) - ("" in tops)
    if not found or (len(found) == 1 and others and not _has_folders(tops[min(found)], wrapping + 1)):
        return {}  # A class may be called “train”.
    if "train" not in found.values():
        raise SplitQuestionError(f"There is no folder of training images beside {_names(found)}.")
    if len(set(found.values())) < len(found):
        same = sorted(top for top, part in found.items() if list(found.values()).count(part) > 1)
        raise InvalidDatasetError(f"Two folders mean the same: {', '.join(same)}. Put their images into one.")
    return found


def _has_folders(paths: list[Folder], depth: int) -> bool:
    return len({path[depth] for path in paths if len(path) > depth + 1}) > 1


def _inside(paths: list[Folder], depth: int, part: str) -> tuple[Folder, bool]:
    """The folder below a split that holds its class folders or images, and whether it holds the images directly.

    A split may be doubled (training_set/training_set), or have its images in a folder that is called so.
    """
    while True:
        below = {path[depth] if len(path) > depth + 1 else "" for path in paths}
        if below == {""}:
            return paths[0][:depth], True
        (only, *more) = below
        doubled = only == paths[0][depth - 1] or (part and split_folders([only]).get(only) == part)
        if more or not (doubled or is_container(only)):
            break
        depth += 1
    if "" in below:
        raise _loose(next(path for path in paths if len(path) == depth + 1))
    return paths[0][:depth], False


def _loose(path: Folder) -> InvalidDatasetError:
    return InvalidDatasetError(f"The file {quote('/'.join(path))} is not in a class folder. {LAYOUT_HINT}")


def _names(splits: dict[str, str]) -> str:
    return " and ".join(map(quote, sorted(splits)))


LAYOUT_HINT = "Make one folder per class, with its images in it: faces/anna/1.png, faces/ben/1.png and so on."
