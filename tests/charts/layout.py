"""A figure's layout, whose attributes plotly makes at run time, out of a type checker's sight."""

from typing import Any

import plotly.graph_objects as go


def layout_of(figure: go.Figure) -> Any:
    """The layout, as anything."""
    return figure.layout
