"""The digest of the code that runs: a worker with newer code replaces an older one, and results of other code are other
results."""

import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from unlearn_core.installation import source_digest
from unlearn_core.plugins import package_folders

PACKAGE_DIR = Path(__file__).resolve().parents[1]


def code_digest(folder: Path = PACKAGE_DIR) -> str:
    """Return a short hex digest of the source files, those of plug-in packages too, and the versions below them."""
    plugins = [f"{name} {' '.join(map(source_digest, folders))}" for name, folders in package_folders().items()]
    code = f"{sys.version} {metadata.version('torch')} {plugins} {source_digest(folder)}"
    return hashlib.sha256(code.encode()).hexdigest()[:16]


@cache
def running_code() -> str:
    """Return the digest of this process's code, as its files were when this was first asked for."""
    return code_digest()
