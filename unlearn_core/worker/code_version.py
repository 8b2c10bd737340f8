"""Which code a worker runs, so that a newer one replaces it."""

import hashlib
import os
import sys
from pathlib import Path

from unlearn_core.plugins import PLUGINS_VARIABLE

PACKAGE_DIR = Path(__file__).resolve().parents[1]


def code_digest(folder: Path = PACKAGE_DIR) -> str:
    """The same for the same source files under the same Python with the same plug-ins; a short hex text."""
    digest = hashlib.sha256(f"{sys.version} {os.environ.get(PLUGINS_VARIABLE, '')}".encode())
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"\n{path.relative_to(folder)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
