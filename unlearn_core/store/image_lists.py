"""Long lists of pictures to forget, kept under a short name so that a link can carry them."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from unlearn_core.data.atomic_files import write_whole
from unlearn_core.domain.errors import BadRequest, StoreError


def as_ranges(pictures: Sequence[int]) -> str:
    """Ascending numbers as text: "3-5,9"."""
    spans: list[list[int]] = []
    for number in pictures:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans)


def from_ranges(text: str, *, most: int) -> tuple[int, ...]:
    """What `as_ranges` was given. Raises BadRequest where that is no list, or holds a number from `most` on."""
    found: set[int] = set()
    for part in text.split(","):
        span = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part.strip(), re.ASCII)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (1, 0)
        if not first <= last < most:
            raise BadRequest(
                f"{part.strip()[:40]!r} is no list of pictures: "
                f"write numbers and ranges from 0 to {most - 1:,}, as in 17,40-52."
            )
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def keep(home: Path, pictures: Sequence[int]) -> str:
    """Keeps a list in the data folder and gives its fingerprint: the same for the same list."""
    text = as_ranges(pictures)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    file = home / "requests" / f"{name}.txt"
    try:
        if not file.exists():
            write_whole(file, text.encode())
    except OSError as problem:
        raise StoreError(f"The list of pictures cannot be kept in {file.parent} ({problem.strerror}).") from None
    return name


def read(home: Path, name: str, *, most: int) -> tuple[int, ...]:
    """A kept list by its fingerprint. Raises BadRequest where this data folder has none of that name."""
    try:
        if re.fullmatch(r"[0-9a-f]{16}", name) is None:
            raise FileNotFoundError
        text = (home / "requests" / f"{name}.txt").read_text()
    except OSError:
        raise BadRequest(
            f"This lab's data folder keeps no list of pictures called {name[:40]!r}: "
            "the link was made elsewhere. Tick the pictures again, or use a link with the numbers in it."
        ) from None
    return from_ranges(text, most=most)
