"""Figures that a browser draws once.

Streamlit gives Plotly each figure twice: the second one is a copy in which only the mode of dragging differs. Plotly
draws a copy anew if it has a template, or arrays of which it does not know that they are the same; and it draws any
figure again whose labels need more room than its margins leave. Three draws of one figure were most of what a visitor
waited for. So the template is filled in here, the data have a number, and the margins are large enough.
"""

import zlib
from typing import Any

from plotly.io.json import to_json_plotly

from unlearn_core.charts.drawing.theme import PlotlyDict
from unlearn_core.charts.finished.margins import reserve_margins

_AXES = ("xaxis", "yaxis")
_WITHOUT_AXES = ("parcoords",)
"""Kinds of traces that lie on no pair of axes."""


def drawn_once(figure: PlotlyDict) -> PlotlyDict:
    """Return a figure that looks the same and has neither a template nor another reason to be drawn again."""
    drawn = {**figure, "layout": _filled_in(figure)}
    drawn["layout"]["margin"] = reserve_margins(drawn)
    drawn["layout"]["datarevision"] = f"{zlib.crc32(str(to_json_plotly(drawn)).encode()):x}"
    return drawn


def _filled_in(figure: PlotlyDict) -> PlotlyDict:
    """The layout with all that its template says, as Plotly itself would fill it in."""
    layout = dict(figure["layout"])
    usual = dict(layout.pop("template", {}).get("layout", {}))
    note = usual.pop("annotationdefaults", {})
    if "annotations" in layout:
        layout["annotations"] = [_merged(note, own) for own in layout["annotations"]]
    if all(trace.get("type") not in _WITHOUT_AXES for trace in figure["data"]):
        layout = {axis: {} for axis in _AXES} | layout
    for kind in _AXES:
        axis = usual.pop(kind, {})
        layout |= {name: _merged(axis, own) for name, own in layout.items() if name.startswith(kind)}
    return _merged(usual, layout)


def _merged(usual: PlotlyDict, own: PlotlyDict) -> PlotlyDict:
    """Both dictionaries in one, and so are those within them; where both have a value it is `own`."""
    both: dict[str, Any] = usual | own
    inner = {
        name for name in usual.keys() & own.keys() if isinstance(usual[name], dict) and isinstance(own[name], dict)
    }
    return both | {name: _merged(usual[name], own[name]) for name in inner}
