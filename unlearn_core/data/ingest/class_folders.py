"""Find which file is an image of which class, from the paths in a zip or in a folder on the server."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from unlearn_core.data.ingest.sanitize import class_name, class_name_error, quote
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits, limit_hint

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif"})
_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"})
_SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_TEXTS = frozenset({".txt", ".md", ".csv", ".json", ".pdf"})
"""Texts about the images, which may accompany them."""
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})

LAYOUT_HINT = "Make one folder per class, with its images directly in it: faces/anna/1.png, faces/ben/1.png and so on."


class ImageFile(NamedTuple):
    """The path of an image, with the class and the part ("train", "val", "test" or "") that its folders give."""

    path: str
    label: str
    part: str


class SkippedFile(NamedTuple):
    """A file that cannot be used, and why."""

    path: str
    reason: str


class ClassFolders(NamedTuple):
    """The classes in alphabetical order, their images, and the files that are not images."""

    classes: tuple[str, ...]
    items: list[ImageFile]
    skipped: list[SkippedFile]


def read_class_folders(paths: Iterable[str], limits: UploadLimits) -> ClassFolders:
    """Reads `[anything/][train|val|test/]class/image`; a path that ends with / is a folder.

    Raises InvalidDatasetError if the layout is another one, if a class has no image, and if there are too many classes
    or files, or fewer than two classes.
    """
    kept = [path for path in paths if not _is_clutter(path)]
    texts = [path for path in kept if PurePosixPath(path).suffix.lower() in _TEXTS]
    files = [path for path in kept if not path.endswith("/") and path not in set(texts)]
    if not files:
        raise InvalidDatasetError(f"It contains no image. {LAYOUT_HINT}")
    skip = _wrapping(files)
    parts = _parts([_under(path, skip) for path in files])
    depth = skip + bool(parts)
    items, left = [], []
    for path in files:
        *above, name = _under(path, depth)
        if PurePosixPath(name).suffix.lower() in _ARCHIVES:
            raise InvalidDatasetError(f"{quote(name)} is an archive inside this one. Unpack it first.")
        if len(above) != 1:
            where = "not in a class folder" if not above else "in a folder inside a class folder"
            raise InvalidDatasetError(f"The file {quote(path)} is {where}. {LAYOUT_HINT}")
        if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
            items.append(ImageFile(path, class_name(above[0]), parts[_under(path, skip)[0]] if parts else ""))
        else:
            left.append(SkippedFile(path, _why_not(name)))
    folders = [_under(path.rstrip("/"), depth) for path in kept if path.endswith("/")]
    folders += [_under(path, depth)[:-1] for path in [*files, *texts]]
    _check({class_name(folder[0]) for folder in folders if len(folder) == 1}, items, left, limits)
    return ClassFolders(tuple(sorted({item.label for item in items})), items, left)


def check_counts(counts: Sequence[int], classes: Sequence[str], limits: UploadLimits) -> None:
    """Raises InvalidDatasetError if a class has too few images to be split."""
    few = [name for name, count in zip(classes, counts, strict=True) if count < limits.least_per_class]
    if few:
        which = ", ".join(map(quote, few[:3])) + (f" and {len(few) - 3:,} more" if len(few) > 3 else "")
        noun = "class has" if len(few) == 1 else "classes have"
        raise InvalidDatasetError(
            f"{len(few):,} {noun} fewer than {limits.least_per_class} usable images ({which}), too few to split into "
            "training, validation and test. Add images, or leave these folders out."
        )


def with_min_count(layout: ClassFolders, min_count: int | None, limits: UploadLimits) -> ClassFolders:
    """The same with only the classes that have so many images; raises InvalidDatasetError if too few or many remain."""
    if min_count is None:
        return layout
    counts = dict.fromkeys(layout.classes, 0)
    for item in layout.items:
        counts[item.label] += 1
    kept = tuple(name for name in layout.classes if counts[name] >= min_count)
    if not 2 <= len(kept) <= limits.most_classes:
        raise InvalidDatasetError(
            f"{len(kept):,} classes have {min_count:,} images or more, and a data set needs 2 to "
            f"{limits.most_classes:,}. Choose another number of images."
        )
    return ClassFolders(kept, [item for item in layout.items if counts[item.label] >= min_count], [])


def _check(classes: set[str], items: list[ImageFile], left: list[SkippedFile], limits: UploadLimits) -> None:
    for name in sorted(classes):
        why = class_name_error(name)
        if why:
            raise InvalidDatasetError(f"The class {quote(name)} {why}.")
    if len(classes) > limits.most_classes:
        raise InvalidDatasetError(
            f"There are {len(classes):,} classes, and {limits.most_classes:,} are allowed. Remove some. "
            + limit_hint("most_classes")
        )
    if len(classes) < 2:
        raise InvalidDatasetError(
            f"There is only one class ({quote(min(classes))}); a classifier needs at least two. {LAYOUT_HINT}"
        )
    if len(items) > limits.most_pictures:
        raise InvalidDatasetError(
            f"There are {len(items):,} images, and {limits.most_pictures:,} are allowed. Remove some. "
            + limit_hint("most_pictures")
        )
    none = sorted(classes - {item.label for item in items})
    if none:
        why = next(
            (f": {quote(one.path.split('/')[-1])} {one.reason}" for one in left if f"{none[0]}/" in one.path), ""
        )
        raise InvalidDatasetError(f"The class {quote(none[0])} has no image{why}. Add some, or leave the folder out.")


def _under(path: str, depth: int) -> list[str]:
    """The parts of a path below its first `depth` folders."""
    return path.split("/")[depth:]


def _wrapping(files: list[str]) -> int:
    """The number of folders around everything that are not a class: most zips have one."""
    depth = 0
    while len({tuple(path.split("/")[: depth + 1]) for path in files}) == 1:
        if min(map(len, (_under(path, depth) for path in files))) < 3:
            break
        depth += 1
    return depth


def _parts(files: list[list[str]]) -> dict[str, str]:
    """The part that each top folder is for, if all are called train, val or test; else nothing."""
    tops = {file[0] for file in files}
    parts = {top: _SPLITS[top.lower()] for top in tops if top.lower() in _SPLITS}
    if len(parts) < len(tops) or "train" not in parts.values() or min(map(len, files)) < 3:
        return {}
    if max(Counter(parts.values()).values()) > 1:
        raise InvalidDatasetError(f"Two folders mean the same: {', '.join(sorted(parts))}. Put their images into one.")
    return parts


def _is_clutter(path: str) -> bool:
    """Return whether a file was left by an operating system: hidden files and folders, thumbnails."""
    return any(part.startswith(".") or part.lower() in _CLUTTER for part in path.rstrip("/").split("/"))


def _why_not(name: str) -> str:
    suffix = PurePosixPath(unicodedata.normalize("NFC", name)).suffix.lower()
    if suffix in {".svg", ".svgz"}:
        return "is a vector drawing (SVG): save it as PNG"
    return "is not a PNG, JPEG, WebP, BMP or GIF file"
