"""Decode many image files in parallel into one array on disk."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unlearn_core.data.ingest.decode_image import Fit, UndecodableImageError, decode
from unlearn_core.data.ingest.deep_pixels import ValueRange
from unlearn_core.data.ingest.layout.class_folders import SkippedFile
from unlearn_core.data.ingest.layout.file_kinds import FileTooLargeError, SourceFiles
from unlearn_core.data.ingest.sanitize import escape_control
from unlearn_core.data.sandbox import ProgressCallback
from unlearn_core.settings import UploadLimits

_AT_ONCE = 64


class DecodedSet(NamedTuple):
    """The images that cannot be used, by position; how many have more than 8 bits, and the range of their values."""

    left: dict[int, SkippedFile]
    num_deep: int
    deep: ValueRange | None


def create_npy(file: Path, shape: tuple[int, ...]) -> int:
    """Creates an .npy file of uint8 of that shape and its full length; returns the offset of its first row."""
    with file.open("wb") as begun:
        np.lib.format.write_array_header_1_0(begun, {"descr": "|u1", "fortran_order": False, "shape": shape})
        start = begun.tell()
        begun.truncate(start + int(np.prod(shape)))
    return start


def decode_all(
    source: SourceFiles,
    paths: Sequence[str],
    places: np.ndarray,
    out: Path,
    *,
    size: int,
    fit: Fit,
    limits: UploadLimits,
    threads: int,
    on_progress: ProgressCallback,
) -> DecodedSet:
    """Decodes every path into its row of a new .npy file (N, size, size, 3).

    Images with more than 8 bits per channel are decoded again when the range of the whole set is known.
    """
    start, row = create_npy(out, (len(paths), size, size, 3)), size * size * 3
    left: dict[int, SkippedFile] = {}
    ranges: dict[int, ValueRange] = {}
    known: ValueRange | None = None
    target = os.open(out, os.O_WRONLY)

    def work(numbers: Sequence[int]) -> int:
        for number in numbers:
            try:
                data = source.read(paths[number])
                found = decode(data, size=size, fit=fit, max_pixels=limits.most_pixels, known=known)
            except (UndecodableImageError, OSError, ValueError) as problem:
                left[number] = _skipped(paths[number], problem)
                continue
            if found.deep is not None:
                ranges[number] = found.deep
            os.pwrite(target, found.pixels.tobytes(), start + int(places[number]) * row)
        return len(numbers)

    def run(numbers: Sequence[int]) -> None:
        done, batches = 0, [numbers[first : first + _AT_ONCE] for first in range(0, len(numbers), _AT_ONCE)]
        with ThreadPoolExecutor(threads) as pool:
            for count in pool.map(work, batches):
                done += count
                on_progress("decode", done, len(numbers))

    try:
        run(range(len(paths)))
        if ranges:
            known = ValueRange.over(ranges.values())
            run(sorted(ranges))
    finally:
        os.close(target)
    return DecodedSet(left, len(ranges), known)


def _skipped(path: str, problem: Exception) -> SkippedFile:
    if isinstance(problem, UndecodableImageError):
        return SkippedFile(path, escape_control(str(problem)), problem.setting)
    setting = "most_pixels" if isinstance(problem, FileTooLargeError) else ""
    return SkippedFile(path, escape_control(f"cannot be read ({str(problem)[:60]})"), setting)
