"""What the log and the bug reports of a data folder say about runs and sweeps that no longer exist."""

import re
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise
from pathlib import Path

from unlearn_core.store.files.error_report import FOLDER
from unlearn_core.store.files.log_file import LOG_FILE

_ENTRY = re.compile(rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", re.MULTILINE)
_ABOUT = re.compile(rb"\b(run|sweep)s? \[?(\d+(?:, \d+)*)", re.IGNORECASE)
_BLANK = b"(deleted)"

IsGone = Callable[[str, int], bool]
"""Whether there is no "run" or "sweep" of that number any more."""


def blank_log(data_dir: Path, is_gone: IsGone, ids: Collection[str]) -> int:
    """Blank the entries of the log that mention what is gone, or one of these ids; return how many there were.

    Each is overwritten where it is, since a worker may be writing to the end of the file meanwhile.
    """
    return sum(_blank(file, is_gone, ids) for file in sorted(data_dir.glob(f"{LOG_FILE}*")))


def delete_bug_reports(data_dir: Path, is_gone: IsGone, ids: Collection[str]) -> int:
    """Delete the bug reports that mention what is gone, or one of these ids; return how many there were."""
    found = [path for path in (data_dir / FOLDER).glob("*.txt") if _mentions(path.read_bytes(), is_gone, ids)]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def _blank(file: Path, is_gone: IsGone, ids: Collection[str]) -> int:
    blanked = 0
    with file.open("r+b") as log:
        text = log.read()
        for start, end in _entries(text):
            if _mentions(text[start:end], is_gone, ids):
                log.seek(start)
                log.write(_BLANK.ljust(end - start - 1)[: end - start - 1] + b"\n")
                blanked += 1
    return blanked


def _entries(text: bytes) -> Iterator[tuple[int, int]]:
    """Where each entry begins and ends: a dated line, with the lines of its traceback. The last line must be whole."""
    starts = [0, *(match.start() for match in _ENTRY.finditer(text)), text.rfind(b"\n") + 1]
    return ((start, end) for start, end in pairwise(starts) if end > start)


def _mentions(text: bytes, is_gone: IsGone, ids: Collection[str]) -> bool:
    if any(one.encode() in text for one in ids):
        return True
    found = (
        (kind.decode().lower(), number) for kind, numbers in _ABOUT.findall(text) for number in numbers.split(b",")
    )
    return any(is_gone(kind, int(number)) for kind, number in found)
