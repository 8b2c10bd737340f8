"""Version, files and folders of this installation: in a checkout they lie beside the package, in a wheel inside it.

The wheel holds app, pages, assets and settings in the package's folder `_app`; pyproject.toml says what goes there.
"""

import hashlib
import os
from pathlib import Path

from unlearn_core.domain.errors import NotSupportedError

VERSION = "0.1.0"

_PACKAGE = Path(__file__).resolve().parent
_IN_WHEEL = _PACKAGE / "_app"

IMPORT_DIR = _PACKAGE.parent
"""The folder in which Python finds the package."""
IS_CHECKOUT = not _IN_WHEEL.is_dir()
ROOT = _PACKAGE.parent if IS_CHECKOUT else _IN_WHEEL
"""The folder of app.py, `pages`, `assets`, `.streamlit` and requirements.txt."""
ASSETS = ROOT / "assets"
"""The files that ship with the project."""
GLOSSARY = ROOT / "docs" / "glossary.md"
"""The definitions of terms, which the pages show."""
DEFAULT_DATA_DIR = (
    ROOT / "data" if IS_CHECKOUT else Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share") / "unlearn-lab"
)
"""The data folder unless a setting names another: what users made must outlive an update of a wheel."""

HOW_TO_RESTORE = (
    "`git checkout -- assets`, or `make bundle`"
    if IS_CHECKOUT
    else "`pip install --force-reinstall --no-deps unlearn-lab`"
)
"""What to do if a bundled file is missing or damaged."""


def require_checkout(what: str) -> None:
    """Raise NotSupportedError, for what writes into the project's own folder, if there is no checkout."""
    if not IS_CHECKOUT:
        raise NotSupportedError(f"{what} writes into the project's own folder: run it in a checkout of the project.")


def source_digest(folder: Path = _PACKAGE) -> str:
    """The SHA-256 of the source files in a folder: paths and contents of all of them, pages and assets aside."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        if not path.is_relative_to(_IN_WHEEL):
            digest.update(f"\n{path.relative_to(folder).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
