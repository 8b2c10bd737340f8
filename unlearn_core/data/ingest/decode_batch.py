"""Decode many image files in parallel into one array on disk."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np

from unlearn_core.data.ingest.class_folders import SkippedFile
from unlearn_core.data.ingest.decode_image import Fit, UndecodableImageError, decode
from unlearn_core.data.ingest.sanitize import escape_control
from unlearn_core.data.sandbox import ProgressCallback
from unlearn_core.settings import UploadLimits

_AT_ONCE = 64


class FileReader(Protocol):
    """Reads files by their path."""

    def read(self, path: str) -> bytes:
        """The bytes of one file; raises OSError or ValueError."""
        ...


def create_npy(file: Path, shape: tuple[int, ...]) -> int:
    """Creates an .npy file of uint8 of that shape and its full length; returns the offset of its first row."""
    with file.open("wb") as begun:
        np.lib.format.write_array_header_1_0(begun, {"descr": "|u1", "fortran_order": False, "shape": shape})
        start = begun.tell()
        begun.truncate(start + int(np.prod(shape)))
    return start


def decode_all(
    source: FileReader,
    paths: Sequence[str],
    places: np.ndarray,
    out: Path,
    *,
    size: int,
    fit: Fit,
    limits: UploadLimits,
    threads: int,
    on_progress: ProgressCallback,
) -> dict[int, SkippedFile]:
    """Decodes every path into its row of a new .npy file (N, size, size, 3); returns the failures by position."""
    start, row = create_npy(out, (len(paths), size, size, 3)), size * size * 3
    left: dict[int, SkippedFile] = {}
    target = os.open(out, os.O_WRONLY)

    def work(first: int) -> int:
        numbers = range(first, min(first + _AT_ONCE, len(paths)))
        for number in numbers:
            try:
                pixels = decode(source.read(paths[number]), size=size, fit=fit, max_pixels=limits.most_pixels)
            except (UndecodableImageError, OSError, ValueError) as problem:
                reason = (
                    str(problem)
                    if isinstance(problem, UndecodableImageError)
                    else f"cannot be read ({str(problem)[:60]})"
                )
                left[number] = SkippedFile(paths[number], escape_control(reason))
            else:
                os.pwrite(target, pixels.tobytes(), start + int(places[number]) * row)
        return len(numbers)

    done = 0
    try:
        with ThreadPoolExecutor(threads) as pool:
            for count in pool.map(work, range(0, len(paths), _AT_ONCE)):
                done += count
                on_progress("decode", done, len(paths))
    finally:
        os.close(target)
    return left
