"""Writes the pages of docs that are made from cards and settings: `make docs`."""

from pathlib import Path

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.export import reference
from unlearn_core.installation import ROOT

PAGES = {
    "methods.md": reference.methods_page,
    "measures.md": reference.measures_page,
    "settings.md": reference.settings_page,
}


def main(folder: Path = ROOT / "docs") -> None:
    """Write all of them."""
    for name, page in PAGES.items():
        atomic_write(folder / name, page().encode())


if __name__ == "__main__":
    main()
