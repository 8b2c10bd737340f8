"""A zip that a stranger may have made: looked at before anything in it is opened, and never unpacked to a path."""

import stat
import zipfile
from pathlib import Path
from typing import NamedTuple, Self

from unlearn_core.data.ingest.sanitize import said, why_no_path
from unlearn_core.data.ingest.upload_limits import Limits, change
from unlearn_core.domain.errors import BadPictures

_RATIO = 100
"""How many times as large as itself a zip may claim to become: honest pictures hardly shrink at all."""
_SPARED = 20_000_000
"""Bytes that are no bomb, however well they are packed."""
_HEAD = 30
"""Bytes that a member's own header takes at the least, before its name."""
_KINDS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class Zipped(NamedTuple):
    """An open zip that has passed every check, and the paths of its members; those of folders end with /.

    `largest` is how many bytes a member may have.
    """

    file: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]
    largest: int

    def read(self, path: str) -> bytes:
        """A member's bytes, never more than it claims. Raises OSError or ValueError where it is damaged."""
        info = self.members[path]
        if info.file_size > self.largest:
            raise ValueError("it is too large for a picture")
        try:
            with self.file.open(info) as member:
                data = member.read(info.file_size + 1)
        except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as problem:
            raise ValueError(str(problem)) from None
        if len(data) != info.file_size:
            raise ValueError("it is not as long as the zip says")
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def opened(path: Path, most: Limits) -> Zipped:
    """Opens a zip and checks all that can be known without unpacking. Raises BadPictures."""
    try:
        file = zipfile.ZipFile(path)
        infos = file.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        raise BadPictures(
            "This is no zip, or a damaged one. Make a zip of a folder that holds a folder for each class."
        ) from None
    _check_size(infos, path.stat().st_size, most)
    _check_places(infos, file.start_dir)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _check_member(info)
        if info.filename in members:
            raise BadPictures(f"The zip holds two files called {said(info.filename)}. Make it again.")
        members[info.filename] = info
    return Zipped(file, members, most.bytes_of_one)


def _check_size(infos: list[zipfile.ZipInfo], packed: int, most: Limits) -> None:
    if len(infos) > 2 * most.pictures:
        raise BadPictures(
            f"The zip lists {len(infos):,} files, and a data set may have {most.pictures:,} pictures. Take some out. "
            + change("pictures")
        )
    unpacked = sum(info.file_size for info in infos)
    if unpacked > max(_RATIO * packed, _SPARED):
        raise BadPictures(
            f"The zip would grow from {packed / 1e6:,.1f} to {unpacked / 1e6:,.0f} MB when unpacked, as bombs do and "
            "pictures do not. Make it again from the pictures themselves."
        )
    if unpacked > most.unpacked_mb * 1_000_000:
        raise BadPictures(
            f"Unpacked, the zip would take {unpacked / 1e6:,.0f} MB, and {most.unpacked_mb:,} MB are allowed. "
            f"Make the pictures smaller, or take some out. {change('unpacked_mb')}"
        )


def _check_places(infos: list[zipfile.ZipInfo], end: int) -> None:
    """No two members share bytes: that is how 50 kB become 10 GB, entry by entry."""
    free = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < free:
            raise BadPictures(
                "Files in this zip overlap, as only bombs do. Make it again from the pictures themselves."
            )
        free = info.header_offset + _HEAD + info.compress_size
    if free > end:
        raise BadPictures("The zip's list of files runs into its own contents: it is damaged. Make it again.")


def _check_member(info: zipfile.ZipInfo) -> None:
    why = why_no_path(info.orig_filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if why is None and kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        why = "is a link" if kind == stat.S_IFLNK else "is neither a file nor a folder"
    if why is None and info.flag_bits & 0x1:
        why = "is encrypted"
    if why is None and info.compress_type not in _KINDS:
        why = "is packed in a way that not every zip program knows"
    if why is not None:
        raise BadPictures(f"A file in the zip, {said(info.orig_filename)}, {why}. Make the zip again without it.")
