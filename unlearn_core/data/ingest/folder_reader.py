"""Read the files below a folder on this machine, without following links."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from unlearn_core.data.ingest.layout.file_kinds import FileTooLargeError
from unlearn_core.data.ingest.layout.name_encodings import UTF8, decode_paths
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits


class FolderReader:
    """The files below a root, whose names are in an encoding."""

    def __init__(self, root: Path, limits: UploadLimits, encoding: str = UTF8) -> None:
        self.root, self.most, self.encoding = root, limits, encoding
        self._on_disk: dict[str, str] = {}
        """What Python calls the paths that are not in UTF-8 on the disk."""

    def read(self, path: str) -> bytes:
        return self._read(path, self.most.max_file_bytes)

    def head(self, path: str, size: int) -> bytes:
        return self._read(path, size, whole=False)

    def _read(self, path: str, size: int, *, whole: bool = True) -> bytes:
        handle = os.open(self.root / self._on_disk.get(path, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if whole and os.fstat(handle).st_size > size:
                raise FileTooLargeError
            return file.read(size)

    def paths(self) -> list[str]:
        """All files below the root, and the folders with a trailing /, in alphabetical order.

        Raises InvalidDatasetError if there are too many, or if their names are not in the encoding.
        """
        most = 2 * self.most.most_pictures
        found = list(islice(self._walk(), most + 1))
        if len(found) > most:
            raise InvalidDatasetError(f"The folder contains more than {most:,} files. Choose a smaller one.")
        names = decode_paths(map(os.fsencode, found), self.encoding)
        self._on_disk = {name: path for name, path in zip(names, found, strict=True) if name != path}
        return names

    def _walk(self) -> Iterator[str]:
        for place, folders, files in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not (Path(place) / name).is_symlink())
            above = "" if place == str(self.root) else f"{Path(place).relative_to(self.root).as_posix()}/"
            yield from (f"{above}{name}/" for name in folders)
            yield from (f"{above}{name}" for name in sorted(files))
