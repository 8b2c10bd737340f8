"""The digest of the code that a worker runs, so that a worker with newer code can replace it."""

import hashlib
import sys
from pathlib import Path

from unlearn_core.plugins import plugin_packages

PACKAGE_DIR = Path(__file__).resolve().parents[1]


def code_digest(folder: Path = PACKAGE_DIR) -> str:
    """Return a short hex digest of the source files, the Python version and the names of the plug-in packages."""
    digest = hashlib.sha256(f"{sys.version} {','.join(plugin_packages())}".encode())
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"\n{path.relative_to(folder)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
