"""A figure that was drawn before, as plain values: what a cache keeps, and what is sent to a browser as it is."""

from typing import Any

import plotly.graph_objects as go

from unlearn_core.charts.drawing.theme import PlotlyDict
from unlearn_core.charts.finished.single_draw import drawn_once

_FONTS = ("font", "tickfont", "textfont")
_ENLARGED = {"marker": ("size",), "line": ("width",), "margin": ("l", "r", "t", "b")}
_ENLARGED |= dict.fromkeys(_FONTS, ("size",))
"""What is enlarged, by the part of a figure in which it is; shifts of labels everywhere."""
_SHIFTS = ("xshift", "yshift", "standoff")


class PlainFigure(go.Figure):
    """A finished figure, which `st.plotly_chart` sends without checking or copying it again.

    That takes most of the time of a page that shows figures from a cache. `plain` is what `to_dict` of the figure gave;
    to change such a figure, make a figure from it, `go.Figure(plain)`, and give that the theme's template again.
    """

    def __init__(self, plain: PlotlyDict) -> None:  # Figure's own would check all values.
        self._plain = plain

    @classmethod
    def of(cls, figure: go.Figure) -> "PlainFigure":
        """The figure as it is now, so that a browser draws it once: see `drawn_once`."""
        return cls(drawn_once(figure.to_dict()))

    def to_dict(self) -> PlotlyDict:
        """The values themselves, not a copy."""
        return self._plain

    def to_plotly_json(self) -> Any:
        """The same: there is nothing left to convert."""
        return self.to_dict()

    def enlarged(self, scale: float, *, height: int) -> "PlainFigure":
        """The same figure for a screen that many look at: words, marks and lines are `scale` times as large."""
        plain = _enlarged(self._plain, scale)
        plain["layout"] |= {"height": height}
        return PlainFigure(drawn_once(plain))

    def __reduce__(self) -> tuple[type["PlainFigure"], tuple[PlotlyDict]]:
        return type(self), (self._plain,)


def _enlarged(value: Any, scale: float, part: str = "") -> Any:
    if isinstance(value, dict):
        sizes = (*_ENLARGED.get(part, ()), *_SHIFTS)
        return {
            name: _times(own, scale) if name in sizes else _enlarged(own, scale, name) for name, own in value.items()
        }
    if isinstance(value, list | tuple) and any(isinstance(own, dict) for own in value):
        return [_enlarged(own, scale, part) for own in value]
    return value


def _times(value: Any, scale: float) -> Any:
    """A number, or all numbers of a list, times `scale`; anything else as it is."""
    if isinstance(value, list | tuple):
        return [scale * own for own in value]
    return scale * value if isinstance(value, int | float) else value
