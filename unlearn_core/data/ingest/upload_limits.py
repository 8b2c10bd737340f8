"""Limits of uploads and imports, each set by an environment variable."""

import os
from typing import NamedTuple

from unlearn_core.domain.errors import InvalidDatasetError, UnlearnError


class UploadLimits(NamedTuple):
    """The limits of uploads, images and prepared data sets; the README's table lists the variables."""

    upload_mb: int = 200
    """An uploaded file."""
    unpacked_mb: int = 2_000
    """All files of a zip together, unpacked."""
    images: int = 200_000
    """Images of one data set."""
    pixels: int = 25_000_000
    """Width times height of one image before it is resized."""
    classes: int = 1_000
    per_class: int = 3
    """The fewest images of a class: one each for training, validation and test."""
    unusable: int = 10
    """Per cent of the images that may be left out because they cannot be read."""
    folder_gb: int = 50
    """All prepared data sets together, those in the trash included."""
    minutes: int = 60
    """Wall-clock time to decode one data set."""
    memory_mb: int = 1_500
    """Memory of the process that decodes; each of its threads gets 300 more."""

    @property
    def max_file_bytes(self) -> int:
        """The largest size of an image file in bytes: that of its uncompressed pixels, and a little more."""
        return 4 * self.pixels + (1 << 20)


VARIABLES = {
    "upload_mb": "UNLEARN_MOST_UPLOAD_MB",
    "unpacked_mb": "UNLEARN_MOST_UNPACKED_MB",
    "images": "UNLEARN_MOST_PICTURES",
    "pixels": "UNLEARN_MOST_PIXELS",
    "classes": "UNLEARN_MOST_CLASSES",
    "per_class": "UNLEARN_LEAST_PER_CLASS",
    "unusable": "UNLEARN_MOST_UNUSABLE",
    "folder_gb": "UNLEARN_MOST_FOLDER_GB",
    "minutes": "UNLEARN_MOST_MINUTES",
    "memory_mb": "UNLEARN_MOST_MEMORY_MB",
}
"""The environment variable that sets each limit."""


def limit_hint(name: str) -> str:
    """The sentence that follows when a limit is exceeded."""
    return f"The operator of this server can change {VARIABLES[name]}."


def limits() -> UploadLimits:
    """The limits as they are set. Raises InvalidDatasetError if a variable is not a positive whole number."""
    return UploadLimits(**read_limits(VARIABLES, InvalidDatasetError))


def read_limits(variables: dict[str, str], error: type[UnlearnError]) -> dict[str, int]:
    """The limits that environment variables set. Raises `error` if one is not a positive whole number."""
    values = {name: os.environ.get(variable, "").strip() for name, variable in variables.items()}
    for name, text in values.items():
        if text and not (text.isascii() and text.isdecimal() and int(text) > 0):
            raise error(f"{variables[name]} is {text[:40]!r}: set it to a whole number greater than 0, or unset it.")
    return {name: int(text) for name, text in values.items() if text}
