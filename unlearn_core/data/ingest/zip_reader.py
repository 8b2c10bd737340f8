"""Read an untrusted zip: it is checked before any member is opened, and never unpacked to disk."""

import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple, Self

from unlearn_core.data.ingest.layout.file_kinds import FileTooLargeError
from unlearn_core.data.ingest.layout.name_encodings import UTF8, decode_paths
from unlearn_core.data.ingest.sanitize import path_error, quote
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits, limit_hint

_RATIO = 100
"""Largest ratio of unpacked to packed size: real images hardly compress."""
_SPARED = 20_000_000
"""Unpacked size in bytes below which the ratio does not matter."""
_HEAD = 30
"""Smallest size of a member's header in bytes, without its name."""
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_UNICODE_PATH = 0x7075
"""The extra field by which some programs add the name in UTF-8."""
_KINDS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_KIND_NAMES = {9: "Deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA", 93: "Zstandard", 95: "XZ"}
_OTHER_ARCHIVES = {b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a RAR archive", b"\x1f\x8b": "a gzip archive"}


class ZipReader(NamedTuple):
    """An open zip that has passed every check, and the paths of its members; those of folders end with /.

    `max_file_bytes` is the largest size of a member.
    """

    file: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]
    max_file_bytes: int

    def head(self, path: str, size: int) -> bytes:
        """A member's first bytes, at most `size`. Raises OSError or ValueError if it is damaged."""
        return self._read(path, size)

    def read(self, path: str) -> bytes:
        """A member's bytes, never more than it claims. Raises OSError or ValueError if it is damaged."""
        info = self.members[path]
        if info.file_size > self.max_file_bytes:
            raise FileTooLargeError
        data = self._read(path, info.file_size + 1)
        if len(data) != info.file_size:
            raise ValueError("its size differs from the one in the zip")
        return data

    def _read(self, path: str, size: int) -> bytes:
        try:
            with self.file.open(self.members[path]) as member:
                return member.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as problem:
            raise ValueError(str(problem)) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def open_zip(path: Path, limits: UploadLimits, encoding: str = UTF8) -> ZipReader:
    """Opens a zip and checks all that can be checked without unpacking.

    Names that do not say that they are UTF-8 are read in that encoding. Raises InvalidDatasetError, and as one of these
    UnknownEncodingError if names are not in that encoding.
    """
    try:
        file = zipfile.ZipFile(path)
        infos = file.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        raise InvalidDatasetError(
            f"{_what_else(path)} Make a zip of a folder that contains one folder per class."
        ) from None
    _check_size(infos, path.stat().st_size, limits)
    _check_places(infos, file.start_dir)
    members: dict[str, zipfile.ZipInfo] = {}
    for name, info in zip(_names(infos, encoding), infos, strict=True):
        _check_member(name, info)
        if name in members:
            raise InvalidDatasetError(f"The zip contains two files called {quote(name)}. Make it again.")
        members[name] = info
    return ZipReader(file, members, limits.max_file_bytes)


def _what_else(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4)
    other = next((name for magic, name in _OTHER_ARCHIVES.items() if head.startswith(magic)), None)
    return f"This is {other}: unpack it first." if other else "This is not a zip file, or it is damaged."


def _names(infos: list[zipfile.ZipInfo], encoding: str) -> list[str]:
    """The paths of all members, with / between folders. Raises UnknownEncodingError."""
    names = [info.orig_filename if info.flag_bits & _UTF8_FLAG else _added_name(info) for info in infos]
    # The library has read the other names as cp437, in which every byte is a letter.
    raw = {place: infos[place].orig_filename.encode("cp437") for place, name in enumerate(names) if name is None}
    told = dict(zip(raw, decode_paths(raw.values(), encoding), strict=True))
    found = [told[place] if name is None else name for place, name in enumerate(names)]
    # Some programs for Windows write backslashes between folders, and then everywhere.
    return found if any("/" in name for name in found) else [name.replace("\\", "/") for name in found]


def _added_name(info: zipfile.ZipInfo) -> str | None:
    """The name in UTF-8 that some programs add to one in another encoding."""
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        body, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and body[1:5] == struct.pack("<I", zlib.crc32(info.orig_filename.encode("cp437"))):
            return body[5:].decode(errors="replace")
    return None


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


def _check_member(name: str, info: zipfile.ZipInfo) -> None:
    why = path_error(name)
    kind = stat.S_IFMT(info.external_attr >> 16)
    advice = "Make the zip again without it."
    if why is None and kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        why = "is a link" if kind == stat.S_IFLNK else "is neither a file nor a folder"
    if why is None and info.flag_bits & _ENCRYPTED_FLAG:
        why = "is encrypted with a password"
        advice = "Unpack the zip with its password, and make a new one without a password."
    if why is None and info.compress_type not in _KINDS:
        method = _KIND_NAMES.get(info.compress_type, f"method {info.compress_type}")
        why = f"is compressed with {method}, which not every zip program supports"
        advice = "Unpack the zip, and make a new one with the usual method (Deflate, or without compression)."
    if why is not None:
        raise InvalidDatasetError(f"A file in the zip, {quote(name)}, {why}. {advice}")
