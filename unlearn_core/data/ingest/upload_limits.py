"""How much somebody may bring: settings, each an environment variable."""

import os
from typing import NamedTuple

from unlearn_core.domain.errors import InvalidDatasetError


class UploadLimits(NamedTuple):
    """What uploads, pictures and prepared data sets may cost; the README's table says which variable sets which."""

    upload_mb: int = 200
    """An uploaded file."""
    unpacked_mb: int = 2_000
    """All files of a zip together, unpacked."""
    images: int = 200_000
    """Pictures of one data set."""
    pixels: int = 25_000_000
    """Width times height of one picture before it is made small."""
    classes: int = 1_000
    per_class: int = 3
    """The fewest pictures of a class: one to train with, one to validate, one to test."""
    unusable: int = 10
    """Per cent of the pictures that may be left out because they cannot be read."""
    folder_gb: int = 50
    """All prepared data sets together, those in the trash included."""
    minutes: int = 60
    """For the decoding of one data set, on the clock."""
    memory_mb: int = 1_500
    """For the process that decodes, 300 more for each of its threads."""

    @property
    def max_file_bytes(self) -> int:
        """The most bytes that a picture's file may have: what its pixels take when nothing is compressed, and a bit."""
        return 4 * self.pixels + (1 << 20)


VARIABLES = {
    "upload_mb": "UNLEARN_MOST_UPLOAD_MB",
    "unpacked_mb": "UNLEARN_MOST_UNPACKED_MB",
    "pictures": "UNLEARN_MOST_PICTURES",
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
    """The sentence that follows where a limit was met."""
    return f"Whoever runs this server may change {VARIABLES[name]}."


def limits() -> UploadLimits:
    """The limits as they are set. Raises BadPictures where a variable is no positive whole number."""
    said = {name: os.environ.get(variable, "").strip() for name, variable in VARIABLES.items()}
    for name, text in said.items():
        if text and not (text.isascii() and text.isdecimal() and int(text) > 0):
            raise InvalidDatasetError(
                f"{VARIABLES[name]} is {text[:40]!r}: set it to a whole number greater than 0, or unset it."
            )
    return UploadLimits(**{name: int(text) for name, text in said.items() if text})
