"""What a file is, by its name and, where its name does not tell, by its first bytes."""

from typing import Protocol

IMAGE_SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .webp .bmp .gif .ppm .pgm .pbm .pnm .tif .tiff".split()  # noqa: SIM905 (one line)
)
READ_FORMATS = "PNG, JPEG, WebP, BMP, GIF, TIFF or PPM"
HEAD = 16
"""How many bytes tell what a file is."""

_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", *(b"P%d" % n for n in range(1, 8)))
_UNREADABLE = {
    **dict.fromkeys((".svg", ".svgz"), "is a vector drawing (SVG): save it as PNG"),
    **dict.fromkeys((".heic", ".heif"), "is a HEIC image: save it as JPEG"),
    **dict.fromkeys((".avif", ".jxl", ".jp2", ".psd", ".dng", ".cr2", ".nef", ".arw", ".dcm", ".eps", ".tga"), ""),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v"), ""),
}
"""Pictures and films that are not read, by ending: not to be taken for files that only accompany the images."""
_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"})
_TABLES = frozenset({".csv", ".tsv", ".txt"})
_TEXTS = frozenset(
    {".md", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".html", ".htm", ".pdf", ".py", ".ipynb", ".mat"}
)
"""Endings of what accompanies images so often that their first bytes need not be read."""
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


class FileTooLargeError(ValueError):
    """A file has more bytes than the largest image that is allowed."""

    def __init__(self) -> None:
        super().__init__("it is too large for an image")


class SourceFiles(Protocol):
    """Reads files by their path."""

    def read(self, path: str) -> bytes:
        """The bytes of one file; raises OSError or ValueError."""
        ...

    def head(self, path: str, size: int) -> bytes:
        """Its first bytes, at most `size`; raises OSError or ValueError."""
        ...


def is_image(path: str, source: SourceFiles) -> bool:
    """Whether a file is an image that is read, if it is intact."""
    suffix = suffix_of(path)
    if suffix in IMAGE_SUFFIXES:
        return True
    if suffix in _TABLES | _TEXTS | _UNREADABLE.keys():
        return False
    try:
        return is_image_head(source.head(path, HEAD))
    except (OSError, ValueError):
        return False


def is_image_head(head: bytes) -> bool:
    """Whether a file that begins like this is an image that is read."""
    if head[:1] == b"P":  # Three printable bytes are little to go by.
        return head.startswith(_MAGIC) and head[2:3].isspace()
    if head[:2] == b"BM":
        return head[6:10] == bytes(4)
    return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def why_unreadable(path: str) -> str | None:
    """Why a picture or film of another kind is not read, as the end of a sentence; None for all other files."""
    reason = _UNREADABLE.get(suffix_of(path))
    return reason if reason != "" else f"is not a {READ_FORMATS} file"


def is_archive(path: str) -> bool:
    """Whether a file is an archive inside of this one."""
    return suffix_of(path) in _ARCHIVES


def is_table(path: str) -> bool:
    """Whether a file may be a table of labels."""
    return suffix_of(path) in _TABLES


def is_clutter(path: str) -> bool:
    """Whether a file was left by an operating system: hidden files and folders, thumbnails."""
    return any(part.startswith(".") or part.lower() in _CLUTTER for part in path.rstrip("/").split("/"))


def suffix_of(path: str) -> str:
    """The ending of a file's name in lower case, with its dot."""
    name = path.rpartition("/")[2]  # A PurePosixPath for each of 200,000 files takes seconds.
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""
