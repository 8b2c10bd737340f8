"""Colours of all charts: two themes, the markers and lines of each role, plotly's template; and the axis of shares."""

from collections.abc import Sequence
from functools import cache
from math import ceil, floor
from typing import Any, NamedTuple

import plotly.graph_objects as go

from unlearn_core.charts.drawing.wording import percent

FONT = "Source Sans, sans-serif"
"""Streamlit's own font, under the name by which it is loaded."""
SMALL_FONT = 12
"""Size of labels inside a chart, in pixels; nothing there is smaller than 11."""
TRANSPARENT = "rgba(0,0,0,0)"


ROOM = 0.08
"""Margin around the points on an axis of shares, as a share of their span."""
LEAST = 0.04
"""The smallest span of such an axis, so that nearly equal shares look nearly equal."""


class Theme(NamedTuple):
    """Colours by role. `ink` is for text, `quiet` for secondary text; before and gold are too pale for text."""

    name: str
    before: str
    after: str
    gold: str
    forget: str
    retain: str
    page: str
    panel: str
    ink: str
    quiet: str
    border: str

    @property
    def template(self) -> go.layout.Template:
        """The plotly template of this theme: transparent, no legend, one font, faint lines."""
        return _template(self)


LIGHT = Theme(
    name="light",
    before="#7A828E",
    after="#2563EB",
    gold="#B7791F",
    forget="#C2410C",
    retain="#0F766E",
    page="#FFFFFF",
    panel="#F6F7F9",
    ink="#1B2430",
    quiet="#566070",
    border="#E3E6EB",
)
DARK = Theme(
    name="dark",
    before="#9AA4B2",
    after="#6EA8FE",
    gold="#E3B341",
    forget="#FB923C",
    retain="#2DD4BF",
    page="#0F1419",
    panel="#182028",
    ink="#E6EAF0",
    quiet="#A7B1BF",
    border="#2A3440",
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}

CLASS_COLORS = ("#3B82C4", "#D9822B", "#4D9F4A", "#B0559D", "#B3A02C", "#3AA6A6", "#8A6BC9", "#C8553D")
"""Colours of classes in maps, where their names are shown as well. They suit both themes."""

PlotlyDict = dict[str, Any]
"""A part of a figure as plain values: keyword arguments of plotly, or its JSON."""
PLOTLY_CONFIG: PlotlyDict = {
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"scale": 2},
    "responsive": True,
}
"""Plotly's settings for a figure on a page: one button, which saves it as a PNG."""


def with_alpha(color: str, alpha: float) -> str:
    """A colour "#RRGGBB" with this opacity (0 to 1)."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def marker_style(theme: Theme, model: str, size: float = 11) -> PlotlyDict:
    """A model's marker: before a hollow circle, after a filled one, gold a diamond."""
    if model == "before":
        return {
            "symbol": "circle",
            "size": size + 2,
            "color": theme.page,
            "line": {"color": theme.before, "width": 2.5},
        }
    colour = getattr(theme, model)
    symbol = "diamond" if model == "gold" else "circle"
    return {"symbol": symbol, "size": size, "color": colour, "line": {"color": theme.page, "width": 1}}


def line_style(theme: Theme, role: str, width: float = 2.5) -> PlotlyDict:
    """A role's line: gold is dotted, forget dashed, everything else solid."""
    dash = {"gold": "dot", "forget": "dash"}.get(role, "solid")
    return {"color": getattr(theme, role), "width": width, "dash": dash}


def text_color(theme: Theme, role: str) -> str:
    """The text colour for a role: its own where that is strong enough to read, else ink."""
    return theme.ink if role in ("before", "gold") else getattr(theme, role)


def share_axis(values: Sequence[float]) -> PlotlyDict:
    """The settings of an axis around these shares with a margin, and with ticks only between 0 and 1."""
    middle, span = (min(values) + max(values)) / 2, max(LEAST, max(values) - min(values))
    low, high = middle - span * (0.5 + ROOM), middle + span * (0.5 + ROOM)
    step = next((step for step in (0.005, 0.01, 0.02, 0.05, 0.1) if (high - low) / step < 7), 0.2)
    marks = [place * step for place in range(ceil(max(low, 0) / step), floor(min(high, 1) / step + 1e-9) + 1)]
    digits = 1 if step < 0.01 else 0
    return {"range": [low, high], "tickvals": marks, "ticktext": [percent(mark, digits) for mark in marks]}


@cache
def _template(theme: Theme) -> go.layout.Template:
    axis = {
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "gridcolor": theme.border,
        "linecolor": theme.border,
        "zerolinecolor": theme.border,
        "tickfont": {"size": SMALL_FONT, "color": theme.quiet},
        "title": {"font": {"size": SMALL_FONT, "color": theme.quiet}, "standoff": 8},
        "ticklabelstandoff": 4,
        "fixedrange": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": theme.ink},
            "paper_bgcolor": TRANSPARENT,
            "plot_bgcolor": TRANSPARENT,
            "margin": {"l": 8, "r": 18, "t": 12, "b": 8},
            "showlegend": False,
            "dragmode": False,
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": theme.panel,
                "bordercolor": theme.border,
                "font": {"family": FONT, "size": 13, "color": theme.ink},
                "align": "left",
            },
            "colorway": [theme.after, theme.gold, theme.before, theme.forget, theme.retain],
            "bargap": 0.2,
            "xaxis": axis,
            "yaxis": axis,
            "annotationdefaults": {"showarrow": False, "font": {"size": SMALL_FONT, "color": theme.ink}},
        }
    )
