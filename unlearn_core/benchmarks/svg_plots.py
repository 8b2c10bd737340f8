"""Writes matplotlib's figures as SVG files for the documents."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_svg(figure: "Figure", path: Path) -> None:
    """Write a figure so that the same data give the same file, with words as text: half as large as drawn glyphs."""
    import matplotlib

    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "unlearn", "svg.fonttype": "none"}):
        figure.savefig(path, format="svg", metadata={"Date": None})
