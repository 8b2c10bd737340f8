"""The digest of the code that a worker runs, so that a worker with newer code can replace it."""

import hashlib
import sys
from pathlib import Path

from unlearn_core.installation import source_digest
from unlearn_core.plugins import plugin_packages

PACKAGE_DIR = Path(__file__).resolve().parents[1]


def code_digest(folder: Path = PACKAGE_DIR) -> str:
    """Return a short hex digest of the source files, the Python version and the names of the plug-in packages."""
    code = f"{sys.version} {','.join(plugin_packages())} {source_digest(folder)}"
    return hashlib.sha256(code.encode()).hexdigest()[:16]
