"""Writes matplotlib's figures as SVG files for the documents."""

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_svg(figure: "Figure", path: Path) -> None:
    """Write a figure so that the same data give the same file, and a small one.

    Words are text instead of drawn glyphs, and places have two digits: a hundredth of a point.
    """
    import matplotlib

    drawn = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "unlearn", "svg.fonttype": "none"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(re.sub(r"(\d+\.\d\d)\d+", r"\1", drawn.getvalue()))
