"""Lists of image indices as text, and long lists stored under a short name for use in links."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.errors import InvalidRequestError, StoreError


def spans(image_indices: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending indices as spans of neighbours, each with its first and last index."""
    found: list[tuple[int, int]] = []
    for index in image_indices:
        if found and index == found[-1][1] + 1:
            found[-1] = (found[-1][0], index)
        else:
            found.append((index, index))
    return found


def format_ranges(image_indices: Sequence[int]) -> str:
    """Return ascending indices as text: "3-5,9"."""
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans(image_indices))


def parse_ranges(text: str, *, upper_bound: int) -> tuple[int, ...]:
    """Return the indices of a text as from `format_ranges`.

    Raises InvalidRequestError if it is not such a list, or has an index of `upper_bound` or more.
    """
    found: set[int] = set()
    for part in text.split(","):
        span = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part.strip(), re.ASCII)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (1, 0)
        if not first <= last < upper_bound:
            raise InvalidRequestError(
                f"{part.strip()[:40]!r} is not a list of images: "
                f"write indices and ranges from 0 to {upper_bound - 1:,}, such as 17,40-52."
            )
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def save(data_dir: Path, image_indices: Sequence[int]) -> str:
    """Store a list in the data folder and return its fingerprint, the same for the same list."""
    file = stored_path(data_dir, image_indices)
    try:
        if not file.exists():
            atomic_write(file, format_ranges(image_indices).encode())
    except OSError as problem:
        raise StoreError(f"Cannot save the list of images in {file.parent} ({problem.strerror}).") from None
    return file.stem


def stored_path(data_dir: Path, image_indices: Sequence[int]) -> Path:
    """Return the file of a list, which need not be stored."""
    name = hashlib.sha256(format_ranges(image_indices).encode()).hexdigest()[:16]
    return data_dir / "requests" / f"{name}.txt"


def load(data_dir: Path, name: str, *, upper_bound: int) -> tuple[int, ...]:
    """Return a stored list by its fingerprint. Raises InvalidRequestError if this data folder does not have it."""
    try:
        if re.fullmatch(r"[0-9a-f]{16}", name) is None:
            raise FileNotFoundError
        text = (data_dir / "requests" / f"{name}.txt").read_text()
    except OSError:
        raise InvalidRequestError(
            f"The data folder has no list of images {name[:40]!r}: "
            "the link was created elsewhere. Select the images again, or use a link that contains their indices."
        ) from None
    return parse_ranges(text, upper_bound=upper_bound)
