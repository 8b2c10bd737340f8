"""Read an untrusted zip: it is checked before any member is opened, and never unpacked to disk."""

import stat
import zipfile
from pathlib import Path
from typing import NamedTuple, Self

from unlearn_core.data.ingest.sanitize import path_error, quote
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits, limit_hint

_RATIO = 100
"""Largest ratio of unpacked to packed size: real images hardly compress."""
_SPARED = 20_000_000
"""Unpacked size in bytes below which the ratio does not matter."""
_HEAD = 30
"""Smallest size of a member's header in bytes, without its name."""
_KINDS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class ZipReader(NamedTuple):
    """An open zip that has passed every check, and the paths of its members; those of folders end with /.

    `max_file_bytes` is the largest size of a member.
    """

    file: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]
    max_file_bytes: int

    def read(self, path: str) -> bytes:
        """A member's bytes, never more than it claims. Raises OSError or ValueError if it is damaged."""
        info = self.members[path]
        if info.file_size > self.max_file_bytes:
            raise ValueError("it is too large for an image")
        try:
            with self.file.open(info) as member:
                data = member.read(info.file_size + 1)
        except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as problem:
            raise ValueError(str(problem)) from None
        if len(data) != info.file_size:
            raise ValueError("its size differs from the one in the zip")
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def open_zip(path: Path, limits: UploadLimits) -> ZipReader:
    """Opens a zip and checks all that can be checked without unpacking. Raises InvalidDatasetError."""
    try:
        file = zipfile.ZipFile(path)
        infos = file.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        raise InvalidDatasetError(
            "This is not a zip file, or it is damaged. Make a zip of a folder that contains one folder per class."
        ) from None
    _check_size(infos, path.stat().st_size, limits)
    _check_places(infos, file.start_dir)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _check_member(info)
        if info.filename in members:
            raise InvalidDatasetError(f"The zip contains two files called {quote(info.filename)}. Make it again.")
        members[info.filename] = info
    return ZipReader(file, members, limits.max_file_bytes)


def _check_size(infos: list[zipfile.ZipInfo], packed: int, limits: UploadLimits) -> None:
    if len(infos) > 2 * limits.most_pictures:
        raise InvalidDatasetError(
            f"The zip lists {len(infos):,} files, and a data set may have {limits.most_pictures:,} images. "
            f"Remove some. {limit_hint('most_pictures')}"
        )
    unpacked = sum(info.file_size for info in infos)
    if unpacked > max(_RATIO * packed, _SPARED):
        raise InvalidDatasetError(
            f"The zip would grow from {packed / 1e6:,.1f} to {unpacked / 1e6:,.0f} MB when unpacked, like a zip bomb "
            "and unlike images. Make it again from the image files."
        )
    if unpacked > limits.most_unpacked_mb * 1_000_000:
        raise InvalidDatasetError(
            f"Unpacked, the zip would take {unpacked / 1e6:,.0f} MB, and {limits.most_unpacked_mb:,} MB are allowed. "
            f"Make the images smaller, or remove some. {limit_hint('most_unpacked_mb')}"
        )


def _check_places(infos: list[zipfile.ZipInfo], end: int) -> None:
    """Checks that no two members share bytes, by which a zip bomb turns 50 kB into 10 GB."""
    free = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < free:
            raise InvalidDatasetError(
                "Files in this zip overlap, as in a zip bomb. Make it again from the image files."
            )
        free = info.header_offset + _HEAD + info.compress_size
    if free > end:
        raise InvalidDatasetError("The zip is damaged: its list of files overlaps its contents. Make it again.")


def _check_member(info: zipfile.ZipInfo) -> None:
    why = path_error(info.orig_filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if why is None and kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        why = "is a link" if kind == stat.S_IFLNK else "is neither a file nor a folder"
    if why is None and info.flag_bits & 0x1:
        why = "is encrypted"
    if why is None and info.compress_type not in _KINDS:
        why = "is compressed by a method that not every zip program supports"
    if why is not None:
        raise InvalidDatasetError(
            f"A file in the zip, {quote(info.orig_filename)}, {why}. Make the zip again without it."
        )
