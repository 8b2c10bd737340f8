"""Find which file is an image of which class, from the paths in a zip or in a folder on the server."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from unlearn_core.data.ingest.layout import file_kinds
from unlearn_core.data.ingest.layout.file_kinds import SourceFiles
from unlearn_core.data.ingest.layout.label_tables import find_labels
from unlearn_core.data.ingest.layout.name_encodings import UTF8
from unlearn_core.data.ingest.layout.placement import LAYOUT_HINT, Placement, SplitQuestionError, place
from unlearn_core.data.ingest.sanitize import class_name, class_name_error, quote, without_joiners
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits, limit_hint


class ImageFile(NamedTuple):
    """The path of an image, with the class and the part ("train", "val", "test" or "") that its folders give."""

    path: str
    label: str
    part: str


class SkippedFile(NamedTuple):
    """An image that cannot be used, why, and the setting whose limit it exceeds; "" if it is a fault of its own."""

    path: str
    reason: str
    setting: str = ""


class ClassFolders(NamedTuple):
    """The classes in alphabetical order, their images, and the pictures of a kind that is not read.

    `notes` are sentences about what else was found or left out.
    """

    classes: tuple[str, ...]
    items: list[ImageFile]
    skipped: list[SkippedFile]
    notes: tuple[str, ...] = ()


def read_class_folders(
    paths: Iterable[str], source: SourceFiles, limits: UploadLimits, *, as_classes: bool = False, encoding: str = UTF8
) -> ClassFolders:
    """Reads `[anything/][train|val|test/]class/[anything/]image`; a path that ends with / is a folder.

    Where images lie in no class folder, a table beside them may give their classes, in that encoding if not in UTF-8.
    With `as_classes`, folders called like splits are classes. Files that are no images are left out. Raises
    InvalidDatasetError if the layout is another one, if a class has no image, and if there are too many classes or
    files, or fewer than two classes.
    """
    kept = [path for path in paths if not file_kinds.is_clutter(path)]
    files = [path for path in kept if not path.endswith("/")]
    archive = next(filter(file_kinds.is_archive, files), None)
    if archive:
        raise InvalidDatasetError(
            f"{quote(archive.rpartition('/')[2])} is an archive inside this one. Unpack it first."
        )
    images = [path for path in files if file_kinds.is_image(path, source)]
    if not images:
        raise InvalidDatasetError(f"It contains no image. {LAYOUT_HINT}")
    found = place(images, as_classes=as_classes)
    items = [ImageFile(path, class_name(at[0]), at[1]) for path in images if (at := found.locate(path))]
    listed, tables = find_labels(found.flat, images, files, source, encoding=encoding)
    items += [ImageFile(path, entry.label, entry.part) for path, entry in listed.items()]
    _check_flat(found, items, images)
    rest = set(files) - set(images)
    pictures = {path: why for path in rest if found.locate(path) and (why := file_kinds.why_unreadable(path))}
    skipped = [SkippedFile(path, why) for path, why in sorted(pictures.items())]
    # A folder with nothing in it, or with pictures of another kind only, is a class without an image.
    others = {folder for path in rest for folder in _folders_above(path)}
    folders = [path for path in kept if path.endswith("/") and path not in others]
    names = {class_name(at[0]) for path in [*(f"{one}x" for one in folders), *pictures] if (at := found.locate(path))}
    _check(names | {item.label for item in items}, items, skipped, limits)
    left = [
        *_unlabelled(set(images) - {item.path for item in items}),
        *_no_images(rest - pictures.keys() - set(tables)),
    ]
    from_tables = [f"Images with a class from {' and '.join(map(quote, tables))}: {len(listed):,}."] if tables else []
    return ClassFolders(tuple(sorted({item.label for item in items})), items, skipped, (*from_tables, *left))


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
    items = [item for item in layout.items if counts[item.label] >= min_count]
    return ClassFolders(kept, items, [], layout.notes)


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
    alike = Counter(map(without_joiners, classes))
    twins = [name for name in sorted(classes) if alike[without_joiners(name)] > 1]
    if twins:
        raise InvalidDatasetError(
            f"{' and '.join(map(quote, twins[:2]))} differ only by invisible characters. Rename one."
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


def _check_flat(found: Placement, items: list[ImageFile], images: list[str]) -> None:
    """Refuses images without classes where others, or the training images, have none either."""
    if not found.flat:
        return
    labelled = {item.part for item in items}
    if not items and len(found.flat) == 1:
        (folder,) = found.flat
        what = (
            f"There is only one class ({quote(folder[-1])}); a classifier needs at least two."
            if folder
            else f"The file {quote(images[0])} is not in a class folder."
        )
        raise InvalidDatasetError(f"{what} {LAYOUT_HINT} {_TABLE_HINT}")
    if not items:
        names = " and ".join(quote(folder[-1]) for folder in found.flat)
        raise SplitQuestionError(f"{names} directly contain images, and no folder or table gives their classes.")
    if "train" in found.flat.values() and "train" not in labelled:
        (folder,) = (one for one, part in found.flat.items() if part == "train")
        raise InvalidDatasetError(
            f"The training images in {quote('/'.join(folder))} are in no class folder. {LAYOUT_HINT}"
        )


def _unlabelled(images: set[str]) -> list[str]:
    """A sentence for each folder of images that have no class."""
    counts = Counter(path.rpartition("/")[0] for path in images)
    return [
        f"{quote(folder) if folder else 'The top folder'} contains {count:,} "
        + ("image without a class, which is left out." if count == 1 else "images without classes, which are left out.")
        for folder, count in sorted(counts.items())[:_MOST_NAMED]
    ]


def _folders_above(path: str) -> list[str]:
    """The folders around a file, as paths that end with /."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) + "/" for end in range(len(parts))]


def _no_images(files: set[str]) -> list[str]:
    """A sentence about the files that are no images."""
    if not files:
        return []
    first = quote(min(files, key=lambda path: (path.count("/"), path)))
    if len(files) == 1:
        return [f"{first} is no image and is left out."]
    return [f"{len(files):,} files are no images and are left out, among them {first}."]


_TABLE_HINT = "Or add a labels.csv with the columns “image” and “label”."
_MOST_NAMED = 5
