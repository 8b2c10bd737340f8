"""Source: where images of a data set come from, which options it needs, and how to read it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from unlearn_core.data.ingest.decode_image import Fit
from unlearn_core.data.ingest.layout.class_folders import ImageFile
from unlearn_core.data.ingest.layout.name_encodings import ENCODINGS, UTF8
from unlearn_core.data.sandbox import ProgressCallback
from unlearn_core.domain.errors import InvalidDatasetError

OptionValues = Mapping[str, str | int]
"""A value for each option."""


class Option(NamedTuple):
    """An option of a source: one of `choices`, a whole number from `low` to `high`, or text."""

    name: str
    title: str
    explain: str
    default: str | int
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    placeholder: str = ""


ENCODING = Option(
    "encoding",
    "Encoding of names",
    "How names are written that are not UTF-8: old zip programs use the encoding of their system.",
    UTF8,
    tuple(ENCODINGS),
)
FOLDERS = Option(
    "folders",
    "Folders called train, val or test",
    "Whether such folders at the top are the splits, or classes like all others.",
    "splits",
    ("splits", "classes"),
)
LAYOUT_OPTIONS = (ENCODING, FOLDERS)
"""How the names of files and folders are read: for sources of files that people have named themselves."""


def layout_values(options: OptionValues) -> tuple[str, bool]:
    """The `encoding` and `as_classes` of these options."""
    return str(options[ENCODING.name]), options[FOLDERS.name] == "classes"


class ImportContext(NamedTuple):
    """What an import works with: the operator's root (UNLEARN_DATA_ROOT), the data folder, and a progress callback."""

    root: Path | None
    data_dir: Path
    on_progress: ProgressCallback

    @property
    def downloads(self) -> Path:
        """The folder of downloaded files, laid out as below a root."""
        return self.data_dir / "downloads"


class ArrayData(NamedTuple):
    """Images in memory: (N, H, W) grey or (N, H, W, 3), uint8, with labels (N,), for each part."""

    classes: tuple[str, ...]
    parts: dict[str, tuple[np.ndarray, np.ndarray]]


class FolderData(NamedTuple):
    """Image files below a folder: all class folders in it, or the listed ones.

    With `min_count`, only classes with at least so many images are used. The last two are as in ZipData.
    """

    root: Path
    classes: tuple[str, ...] = ()
    items: list[ImageFile] | None = None
    min_count: int | None = None
    encoding: str = UTF8
    as_classes: bool = False


class ZipData(NamedTuple):
    """Images in a zip of class folders; a temporary zip is removed when it has been read.

    Names are in that encoding; with `as_classes`, folders called train, val or test are classes and not splits.
    """

    file: Path
    temporary: bool = True
    encoding: str = UTF8
    as_classes: bool = False


RawData = ArrayData | FolderData | ZipData


class Source(NamedTuple):
    """A source of images: one file of `data/sources`.

    `needs` is what is required: a connection or a local copy, a folder below the operator's root, a file to upload, or
    a library. `size` is the default width in pixels, `natural` whether the images have that size by themselves.
    `unavailable_reason` says why the source cannot be used here, or "".
    """

    id: str
    title: str
    summary: str
    needs: Literal["download", "root", "upload", "library"]
    size: int
    natural: bool
    licence: str
    origin: str
    read: Callable[[OptionValues, ImportContext], RawData]
    options: tuple[Option, ...] = ()
    fit: Fit = "crop"
    choices: Callable[[Path | None], dict[str, tuple[str, ...]]] = lambda root: {}
    """Choices that depend on the server, by the option's name."""
    unavailable_reason: Callable[[Path | None], str] = lambda root: ""
    """Why it cannot be used here, as a sentence; "" if it can."""
    variant_label: Callable[[OptionValues], str] = lambda options: ""
    """What these options add to the id and the title."""

    def option_values(self, options: OptionValues) -> dict[str, str | int]:
        """Every option with its value. Raises InvalidDatasetError if one is unknown or out of range."""
        options_by_name = {option.name: option for option in self.options}
        for name in options:
            if name not in options_by_name:
                ways = ", ".join(options_by_name) or "none"
                raise InvalidDatasetError(f"{self.title} has no option called {name[:40]!r}. It has: {ways}.")
        return {name: _checked(option, options.get(name, option.default)) for name, option in options_by_name.items()}


def _checked(option: Option, value: str | int) -> str | int:
    if option.high:
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            value = int(value[:12])
        if not isinstance(value, int) or not option.low <= value <= option.high:
            raise InvalidDatasetError(f"{option.title} must be a whole number from {option.low:,} to {option.high:,}.")
    elif option.choices and value not in option.choices:
        raise InvalidDatasetError(f"{option.title} ({option.name}) must be one of {', '.join(option.choices)}.")
    elif not isinstance(value, str) or len(value) > 300:
        raise InvalidDatasetError(f"{option.title} takes a text of at most 300 characters.")
    return value
