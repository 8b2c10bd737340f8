"""Long lists of pictures to forget, kept under a short name so that a link can carry them."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.errors import InvalidRequestError, StoreError


def format_ranges(image_indices: Sequence[int]) -> str:
    """Ascending numbers as text: "3-5,9"."""
    spans: list[list[int]] = []
    for number in image_indices:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans)


def parse_ranges(text: str, *, upper_bound: int) -> tuple[int, ...]:
    """What `as_ranges` was given. Raises BadRequest where that is no list, or holds a number from `most` on."""
    found: set[int] = set()
    for part in text.split(","):
        span = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part.strip(), re.ASCII)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (1, 0)
        if not first <= last < upper_bound:
            raise InvalidRequestError(
                f"{part.strip()[:40]!r} is no list of pictures: "
                f"write numbers and ranges from 0 to {upper_bound - 1:,}, as in 17,40-52."
            )
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def save(data_dir: Path, image_indices: Sequence[int]) -> str:
    """Keeps a list in the data folder and gives its fingerprint: the same for the same list."""
    text = format_ranges(image_indices)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    file = data_dir / "requests" / f"{name}.txt"
    try:
        if not file.exists():
            atomic_write(file, text.encode())
    except OSError as problem:
        raise StoreError(f"The list of pictures cannot be kept in {file.parent} ({problem.strerror}).") from None
    return name


def load(data_dir: Path, name: str, *, upper_bound: int) -> tuple[int, ...]:
    """A kept list by its fingerprint. Raises BadRequest where this data folder has none of that name."""
    try:
        if re.fullmatch(r"[0-9a-f]{16}", name) is None:
            raise FileNotFoundError
        text = (data_dir / "requests" / f"{name}.txt").read_text()
    except OSError:
        raise InvalidRequestError(
            f"This lab's data folder keeps no list of pictures called {name[:40]!r}: "
            "the link was made elsewhere. Tick the pictures again, or use a link with the numbers in it."
        ) from None
    return parse_ranges(text, upper_bound=upper_bound)
