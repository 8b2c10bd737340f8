"""A copy of a database that cannot be written to, in a temporary folder of this process."""

import shutil
import tempfile
import weakref
from pathlib import Path


class Snapshot:
    """The copy, as it is now; its folder is deleted with it. Raises OSError if the copy cannot be made."""

    def __init__(self, file: Path) -> None:
        folder = Path(tempfile.mkdtemp(prefix="unlearn-lab-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.file = folder / file.name
        shutil.copy(file, self.file)
        wal = file.with_name(f"{file.name}-wal")  # what was committed and not yet moved into the file
        if wal.exists():
            shutil.copy(wal, self.file.with_name(wal.name))
