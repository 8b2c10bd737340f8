"""A figure that was drawn before, as plain values: what a cache keeps, and what is sent to a browser as it is."""

from typing import Any

import plotly.graph_objects as go

from unlearn_core.charts.drawing.theme import PlotlyDict


class PlainFigure(go.Figure):
    """A finished figure, which `st.plotly_chart` sends without checking or copying it again.

    That takes most of the time of a page that shows figures from a cache. `plain` is what `to_dict` of the figure gave;
    to change such a figure, make a figure from it: `go.Figure(plain)`.
    """

    def __init__(self, plain: PlotlyDict) -> None:  # Figure's own would check all values.
        self._plain = plain

    @classmethod
    def of(cls, figure: go.Figure) -> "PlainFigure":
        """The figure as it is now."""
        return cls(figure.to_dict())

    def to_dict(self) -> PlotlyDict:
        """The values themselves, not a copy."""
        return self._plain

    def to_plotly_json(self) -> Any:
        """The same: there is nothing left to convert."""
        return self.to_dict()

    def __reduce__(self) -> tuple[type["PlainFigure"], tuple[PlotlyDict]]:
        return type(self), (self._plain,)
