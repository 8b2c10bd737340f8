"""Tables that give the classes of images which lie in no class folder: labels.csv, val_annotations.txt and the like."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from unlearn_core.data.ingest.layout.file_kinds import SourceFiles, is_table, suffix_of
from unlearn_core.data.ingest.layout.name_encodings import UTF8, decode_paths
from unlearn_core.data.ingest.layout.placement import Folder
from unlearn_core.data.ingest.layout.split_folders import split_folders, split_name
from unlearn_core.data.ingest.sanitize import class_name, quote
from unlearn_core.domain.errors import InvalidDatasetError

_FILE_WORDS = frozenset(
    "image images img file filename filepath path imagename imagefile imagepath imageid imgid imgname imgpath".split()  # noqa: SIM905 (one line)
)
_LABEL_WORDS = (
    "label", "labels", "labelname", "class", "classname", "category", "categoryname", "target", "species", "breed",
    "diagnosis", "dx", "tag", "labelid", "classid", "categoryid", "y",
)  # fmt: skip
"""What columns of classes are usually called; of two such columns, the one that comes first here is taken."""
_SPLIT_WORDS = frozenset({"split", "set", "subset", "partition", "usage"})
_MOST_TABLES, _MOST_COLUMNS, _MOST_BYTES = 20, 100, 20_000_000
_TABLE_WORDS = ("label", "annotation")
_HINT = "Call the column with the names of the files “image” and the one with the classes “label”."


class Entry(NamedTuple):
    """The class of an image in a table, and its split ("train", "val", "test") if the table has one."""

    label: str
    part: str


class _Columns(NamedTuple):
    file: int
    label: int
    split: int | None
    named: bool


def find_labels(
    flat: Mapping[Folder, str], images: Sequence[str], files: Sequence[str], source: SourceFiles, *, encoding: str
) -> tuple[dict[str, Entry], list[str]]:
    """The entries of images in no class folder, and the tables that have such entries.

    `flat` are the folders that directly contain images, each with its part or "". Raises InvalidDatasetError if
    no table can be read and one could have been meant.
    """
    labels: dict[str, Entry] = {}
    used: list[str] = []
    problems: list[InvalidDatasetError] = []
    tables = [path for path in files if is_table(path)][:_MOST_TABLES] if flat else []
    for folder, part in flat.items():
        own = [path for path in images if tuple(path.split("/")[:-1]) == folder]
        for table in tables:
            split = _split_of_table(table, folder)
            if part and split not in (None, part):
                continue
            try:
                entries = read_table(table, source.read(table), own, encoding=encoding)
            except InvalidDatasetError as problem:
                problems.append(problem)
                continue
            except (OSError, ValueError):
                continue
            if entries:
                used.append(table)
                labels |= {path: Entry(one.label, part or one.part or split or "") for path, one in entries.items()}
    if problems and not labels:
        raise problems[0]
    return labels, list(dict.fromkeys(used))


def _split_of_table(table: str, folder: Folder) -> str | None:
    """The split that a table is for, by its name or that of a folder in which the images do not lie: train.csv."""
    names = [name for name in table.split("/")[:-1] if name not in folder] + [
        table.rpartition("/")[2].partition(".")[0]
    ]
    found = [part for name in names if (part := split_name(name))]
    return None if not found else "val" if found[-1] == "eval" else found[-1]


def read_table(path: str, data: bytes, paths: Sequence[str], *, encoding: str = UTF8) -> dict[str, Entry] | None:
    """The entry of each of these images that the table names; None if it is not a table of them.

    Images are named by their path, its end, or their name with or without its ending. The columns are found by their
    headers, or else by what they contain. Raises InvalidDatasetError if the column of the classes is unclear, and if an
    image has two classes.
    """
    if len(data) > _MOST_BYTES:
        return None
    text = _text(data, encoding)
    rows = _rows(text, suffix_of(path))
    images: dict[str, list[str]] = {}
    for image in paths:
        name = image.rpartition("/")[2]
        for key in {name, name.rpartition(".")[0] or name}:
            images.setdefault(key, []).append(image)
    columns = _columns(path, rows, images, len(paths))
    if columns is None:
        return None
    found: dict[str, Entry] = {}
    for row in rows[columns.named :]:
        if len(row) <= max(columns.file, columns.label) or not class_name(row[columns.label]):
            continue
        part = row[columns.split] if columns.split is not None and columns.split < len(row) else ""
        entry = Entry(class_name(row[columns.label]), split_folders([part]).get(part, ""))
        for image in _matches(row[columns.file], images):
            if found.setdefault(image, entry) != entry:
                raise InvalidDatasetError(
                    f"{quote(path)} gives the image {quote(image)} two classes, {quote(found[image].label)} and "
                    f"{quote(entry.label)}. Leave one row for each image."
                )
    return found


def _text(data: bytes, encoding: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "\n".join(decode_paths(data.splitlines(), encoding))


def _rows(text: str, suffix: str) -> list[list[str]]:
    """The rows of a table whose delimiter is the most frequent one of its first line."""
    first = text.lstrip().partition("\n")[0]
    delimiter = max("\t,;|" + (" " if suffix == ".txt" else ""), key=first.count)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error:
        return []
    return [row for row in rows if any(row)]


def _columns(path: str, rows: list[list[str]], images: dict[str, list[str]], count: int) -> _Columns | None:
    """Where the names of files and the classes are; None if too few names are those of images."""
    width = min(_MOST_COLUMNS, max(map(len, rows), default=0))
    if width < 2:
        return None
    cells = [[row[place] for row in rows if place < len(row)] for place in range(width)]
    named = [{image for cell in column for image in _matches(cell, images)} for column in cells]
    file = max(range(width), key=lambda place: len(named[place]))
    headed = file >= len(rows[0]) or not _matches(rows[0][file], images)
    words = [re.sub(r"[\W_]", "", cell.lower()) for cell in rows[0]] if headed else []
    told = (file < len(words) and words[file] in _FILE_WORDS) or any(word in path.lower() for word in _TABLE_WORDS)
    hits = sum(bool(_matches(cell, images)) for cell in cells[file])
    # A table of classes may have numbers that are names of images too: 0, 1, 2.
    if not hits or not (2 * len(named[file]) >= count or (told and 2 * hits >= len(rows) - headed)):
        return None
    split = next((place for place, word in enumerate(words) if word in _SPLIT_WORDS), None)
    label = next((words.index(word) for word in _LABEL_WORDS if word in words and words.index(word) != file), None)
    others = [place for place in range(width) if place not in (file, split)]
    if label is None and headed and len(others) > 1:
        names = ", ".join(quote(cell) for cell in rows[0][:6])
        raise InvalidDatasetError(f"It is unclear which column of {quote(path)} has the classes: {names}. {_HINT}")
    if label is None:
        label = next((place for place in others if place > file), others[0])
    return _Columns(file, label, split, headed)


def _matches(text: str, images: dict[str, list[str]]) -> Iterable[str]:
    """The images that a cell of a table names."""
    name = text.replace("\\", "/").removeprefix("./")
    found = images.get(name.rpartition("/")[2], ())
    if len(found) > 1 and "/" in name:
        found = [image for image in found if f"/{image}".endswith(f"/{name}")]
    return found
