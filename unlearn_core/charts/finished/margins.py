"""The room that the labels of the axes need, known before a browser draws them.

Plotly's `automargin` measures labels that it has drawn, and where they need more room it draws the whole figure again:
a third of the time that a page of charts takes. So the room is estimated here, rather a few pixels too large than too
small. `automargin` stays on: where an estimate is missing or too small, it does what it always did.
"""

import re
from collections.abc import Iterable, Sequence
from math import ceil, inf
from typing import Any

from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict

_WIDTHS = {
    0.21: " \N{NO-BREAK SPACE}",
    0.26: "ijlI.,:;'|!",
    0.35: "frt()[]/-",
    0.46: "csz",
    0.5: "aegkvxy0123456789",
    0.66: "ADGHKNOQUVw",
    0.84: "mMW%@",
}
_USUAL_WIDTH, _BOLD = 0.56, 1.06
"""How wide characters of the charts' font are as a share of its size: these, all others, and how much more in bold."""
_EMS = {character: width for width, characters in _WIDTHS.items() for character in characters}
_LINE = 4 / 3
"""The height of a line as a share of the font's size."""
_GAP, _LINE_GAP, _TITLE_GAP = 17, 3, 2
"""Pixels between a figure, its labels and its edge; and more of them where the axis has a line, and a title."""
_NUMBER = "0.000"
"""As wide as most labels that Plotly itself chooses for numbers."""


def reserve_margins(figure: PlotlyDict) -> PlotlyDict:
    """Return a figure's margins, the left and lower one enlarged to what the labels of its axes are expected to need.

    A figure with several pairs of axes, or none, keeps its margins.
    """
    layout, margin = figure["layout"], dict(figure["layout"].get("margin", {}))
    if {name for name in layout if name.startswith(("xaxis", "yaxis"))} == {"xaxis", "yaxis"}:
        left = _depth(layout["yaxis"], _categories(figure), is_vertical=True)
        below = _depth(layout["xaxis"], [], is_vertical=False)
        margin |= {"l": max(margin.get("l", 0), left), "b": max(margin.get("b", 0), below)}
    return margin


def text_width(text: str, size: float) -> float:
    """Return about how many pixels wide a text is in a font of that size; `<br>` begins a new line."""
    return size * max(_line_width(line) for line in _lines(text))


def _line_width(line: str) -> float:
    width = sum(_EMS.get(character, _USUAL_WIDTH) for character in re.sub("<[^>]*>", "", line))
    return _BOLD * width if "<b>" in line else width


def _depth(axis: PlotlyDict, categories: Sequence[str], *, is_vertical: bool) -> int:
    """How many pixels an axis needs beside the figure; 0 if none of its labels is drawn."""
    if not axis.get("visible", True) or not axis.get("showticklabels", True):
        return 0
    size, title = axis.get("tickfont", {}).get("size", SMALL_FONT), axis.get("title", {}).get("text")
    labels = [f"{text}{axis.get('ticksuffix', '')}" for text in _shown(axis) or categories or [_NUMBER]]
    if is_vertical or axis.get("tickangle") in (-90, 90):
        room = max(text_width(text, size) for text in labels)
    else:
        room = _LINE * size * max(len(_lines(text)) for text in labels)
    if axis.get("showline"):
        room += _LINE_GAP
    if title:
        room += _TITLE_GAP + _LINE * SMALL_FONT * len(_lines(title))
    return ceil(_GAP + room)


def _shown(axis: PlotlyDict) -> list[str]:
    """The axis' own labels within its range."""
    ends = [end for end in axis.get("range", ()) if isinstance(end, int | float)]
    low, high = (min(ends), max(ends)) if len(ends) == 2 else (-inf, inf)
    if axis.get("type") == "log":
        low, high = 10**low, 10**high
    labels = zip(axis.get("tickvals", ()), axis.get("ticktext", ()), strict=False)
    return [text for at, text in labels if isinstance(at, str) or low <= at <= high]


def _categories(figure: PlotlyDict) -> list[str]:
    """The categories along the vertical axis, if that is what the traces have."""
    columns = (trace.get("y", ()) for trace in figure["data"])
    values: Iterable[Any] = (value for column in columns if not isinstance(column, dict) for value in column)
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _lines(text: str) -> list[str]:
    return re.split(r"<br ?/?>", text)
