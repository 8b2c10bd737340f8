"""Which file is a picture of which class: from paths alone, those of a zip or of a folder on the server."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from unlearn_core.data.ingest.sanitize import class_name, class_name_error, quote
from unlearn_core.data.ingest.upload_limits import UploadLimits, limit_hint
from unlearn_core.domain.errors import InvalidDatasetError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif"})
_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"})
_SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_TEXTS = frozenset({".txt", ".md", ".csv", ".json", ".pdf"})
"""Words about the pictures, which may lie beside them."""
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})

LAYOUT_HINT = (
    "Make a folder for each class, with its pictures directly in it: faces/anna/1.png, faces/ben/1.png and so on."
)


class ImageFile(NamedTuple):
    """A picture by its path, with the class and the part ("train", "val", "test" or "") that its folders say."""

    path: str
    label: str
    part: str


class SkippedFile(NamedTuple):
    """A file that cannot be used, and why."""

    path: str
    reason: str


class ClassFolders(NamedTuple):
    """What was found: the classes in alphabetical order, their pictures, and the files that are none."""

    classes: tuple[str, ...]
    items: list[ImageFile]
    skipped: list[SkippedFile]


def read_class_folders(paths: Iterable[str], limits: UploadLimits) -> ClassFolders:
    """Reads `[anything/][train|val|test/]class/picture`; a path that ends with / is a folder.

    Raises BadPictures where that is not how it lies, where a class has no picture, and where there are too many
    classes or files, or fewer than two classes.
    """
    kept = [path for path in paths if not _is_clutter(path)]
    texts = [path for path in kept if PurePosixPath(path).suffix.lower() in _TEXTS]
    files = [path for path in kept if not path.endswith("/") and path not in set(texts)]
    if not files:
        raise InvalidDatasetError(f"There is no picture in it. {LAYOUT_HINT}")
    skip = _wrapping(files)
    parts = _parts([_under(path, skip) for path in files])
    depth = skip + bool(parts)
    items, left = [], []
    for path in files:
        *above, name = _under(path, depth)
        if PurePosixPath(name).suffix.lower() in _ARCHIVES:
            raise InvalidDatasetError(f"{quote(name)} is an archive inside of this one. Unpack it first.")
        if len(above) != 1:
            where = "in no class folder" if not above else "deeper than in a class folder"
            raise InvalidDatasetError(f"The file {quote(path)} lies {where}. {LAYOUT_HINT}")
        if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
            items.append(ImageFile(path, class_name(above[0]), parts[_under(path, skip)[0]] if parts else ""))
        else:
            left.append(SkippedFile(path, _why_not(name)))
    folders = [_under(path.rstrip("/"), depth) for path in kept if path.endswith("/")]
    folders += [_under(path, depth)[:-1] for path in [*files, *texts]]
    _check({class_name(folder[0]) for folder in folders if len(folder) == 1}, items, left, limits)
    return ClassFolders(tuple(sorted({item.label for item in items})), items, left)


def check_counts(counts: Sequence[int], classes: Sequence[str], limits: UploadLimits) -> None:
    """Raises BadPictures where a class has fewer pictures than a data set can be cut from."""
    few = [name for name, count in zip(classes, counts, strict=True) if count < limits.per_class]
    if few:
        which = ", ".join(map(quote, few[:3])) + (f" and {len(few) - 3:,} more" if len(few) > 3 else "")
        noun = "class has" if len(few) == 1 else "classes have"
        raise InvalidDatasetError(
            f"{len(few):,} {noun} fewer than {limits.per_class} usable pictures ({which}), so they cannot be cut into "
            "training, validation and test. Add pictures, or leave these folders out."
        )


def with_min_count(layout: ClassFolders, min_count: int | None, limits: UploadLimits) -> ClassFolders:
    """The same with only the classes that have so many pictures; raises BadPictures where these make no data set."""
    if min_count is None:
        return layout
    counts = dict.fromkeys(layout.classes, 0)
    for item in layout.items:
        counts[item.label] += 1
    kept = tuple(name for name in layout.classes if counts[name] >= min_count)
    if not 2 <= len(kept) <= limits.classes:
        raise InvalidDatasetError(
            f"{len(kept):,} classes have {min_count:,} pictures or more, and a data set has 2 to {limits.classes:,}. "
            "Ask for another number of pictures."
        )
    return ClassFolders(kept, [item for item in layout.items if counts[item.label] >= min_count], [])


def _check(classes: set[str], items: list[ImageFile], left: list[SkippedFile], limits: UploadLimits) -> None:
    for name in sorted(classes):
        why = class_name_error(name)
        if why:
            raise InvalidDatasetError(f"The class {quote(name)} {why}.")
    if len(classes) > limits.classes:
        raise InvalidDatasetError(
            f"There are {len(classes):,} classes, and {limits.classes:,} are allowed. Take some out. {limit_hint('classes')}"
        )
    if len(classes) < 2:
        raise InvalidDatasetError(
            f"There is one class only ({quote(min(classes))}); a classifier tells at least two apart. {LAYOUT_HINT}"
        )
    if len(items) > limits.images:
        raise InvalidDatasetError(
            f"There are {len(items):,} pictures, and {limits.images:,} are allowed. Take some out. {limit_hint('pictures')}"
        )
    none = sorted(classes - {item.label for item in items})
    if none:
        why = next(
            (f": {quote(one.path.split('/')[-1])} {one.reason}" for one in left if f"{none[0]}/" in one.path), ""
        )
        raise InvalidDatasetError(f"The class {quote(none[0])} has no picture{why}. Add some, or leave the folder out.")


def _under(path: str, depth: int) -> list[str]:
    """The parts of a path below so many folders."""
    return path.split("/")[depth:]


def _wrapping(files: list[str]) -> int:
    """How many folders hold everything and are no class: most zips have one."""
    depth = 0
    while len({tuple(path.split("/")[: depth + 1]) for path in files}) == 1:
        if min(map(len, (_under(path, depth) for path in files))) < 3:
            break
        depth += 1
    return depth


def _parts(files: list[list[str]]) -> dict[str, str]:
    """The top folders that are called train, val or test, where all are, with what each is for."""
    tops = {file[0] for file in files}
    known = {top: _SPLITS[top.lower()] for top in tops if top.lower() in _SPLITS}
    if len(known) < len(tops) or "train" not in known.values() or min(map(len, files)) < 3:
        return {}
    if max(Counter(known.values()).values()) > 1:
        raise InvalidDatasetError(
            f"Two folders are for the same: {', '.join(sorted(known))}. Put their pictures into one."
        )
    return known


def _is_clutter(path: str) -> bool:
    """What systems leave behind: hidden files and folders, thumbnails."""
    return any(part.startswith(".") or part.lower() in _CLUTTER for part in path.rstrip("/").split("/"))


def _why_not(name: str) -> str:
    suffix = PurePosixPath(unicodedata.normalize("NFC", name)).suffix.lower()
    if suffix in {".svg", ".svgz"}:
        return "is a drawing (SVG), not a picture of pixels: save it as PNG"
    return "is no PNG, JPEG, WebP, BMP or GIF"
