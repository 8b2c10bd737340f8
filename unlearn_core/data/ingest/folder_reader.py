"""Read the files below a folder on this machine, without following links."""

import os
from collections.abc import Iterator
from pathlib import Path

from unlearn_core.settings import UploadLimits


class FolderReader:
    """The files below a root."""

    def __init__(self, root: Path, limits: UploadLimits) -> None:
        self.root, self.most = root, limits

    def read(self, path: str) -> bytes:
        handle = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if os.fstat(handle).st_size > self.most.max_file_bytes:
                raise ValueError("it is too large for an image")
            return file.read()

    def paths(self) -> Iterator[str]:
        """All files below the root, and the folders with a trailing /, in alphabetical order."""
        for place, folders, files in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not (Path(place) / name).is_symlink())
            above = "" if place == str(self.root) else f"{Path(place).relative_to(self.root).as_posix()}/"
            yield from (f"{above}{name}/" for name in folders)
            yield from (f"{above}{name}" for name in sorted(files))
