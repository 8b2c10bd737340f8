"""Highlights in a figure what is selected on the compare page: a class, a layer or an image."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.drawing.selection import Selection
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import LogitsResult

QUANTITIES: Mapping[str, Callable[[LogitsResult], Mapping[str, np.ndarray]]] = {
    "confidence": lambda result: result.true_logit,
    "margin": lambda result: result.margin,
    "certainty": lambda result: result.entropy,
}
"""The quantity of each image, by model, that is the axis of a chart."""


def highlight_selection(
    figure: go.Figure | PlotlyDict, chart: str, report: Report, focus: Selection, theme: Theme
) -> go.Figure:
    """A copy of one run's figure with the selection marked in it: a band behind a row, a ring, three markers."""
    # Without a template Plotly would take its own; a click selects, as the page would say otherwise.
    drawn = go.Figure(figure).update_layout(template=theme.template, clickmode="event+select")
    for name in (focus.label, focus.layer):
        if name is not None:
            _band(drawn, name, theme)
    if focus.image is not None and focus.image < len(report.labels):
        if chart in QUANTITIES and LogitsResult in report:
            name = f"{report.dataset.item_noun} {focus.image}"
            _mark_value(drawn, QUANTITIES[chart](report[LogitsResult]), focus.image, theme, name=name)
        _mark_point(drawn, report, focus.image, theme)
    # A click that chooses must not fade all that was not clicked.
    drawn.update_traces(unselected={"marker": {"opacity": 1}}, selector={"type": "scatter"})
    drawn.update_traces(unselected={"marker": {"opacity": 1}}, selector={"type": "bar"})
    return drawn


def _band(figure: go.Figure, name: str, theme: Theme) -> None:
    """A band behind the row or column of that name on either axis; a frame where a heat map would hide the band."""
    layout: Any = figure.layout
    look: PlotlyDict = {"fillcolor": with_alpha(theme.after, 0.14), "line": {"width": 0}, "layer": "below"}
    if any(trace.type == "heatmap" for trace in figure.select_traces()):
        look = {"line": {"color": theme.ink, "width": 1.5}}
    for way in "xy":
        axis = layout[f"{way}axis"]
        values, texts = list(axis.tickvals or ()), list(axis.ticktext or ())
        for place, value in enumerate(values):
            if name in (value, _plain(texts[place]) if place < len(texts) else None):
                at = place if axis.type == "category" else float(value)
                ends = {f"{way}0": at - 0.5, f"{way}1": at + 0.5}
                (figure.add_vrect if way == "x" else figure.add_hrect)(**ends, **look)


def _plain(text: str) -> str:
    return re.sub(r"<[^>]*>|\s*\(forgotten\)", "", str(text))


def _mark_value(figure: go.Figure, values: Mapping[str, np.ndarray], image: int, theme: Theme, *, name: str) -> None:
    """One image's place on the axis of a density, for each model."""
    for model in ("before", "gold", "after"):
        if model in values:
            figure.add_scatter(
                name=name,
                x=[float(values[model][image])],
                y=[0],
                mode="markers",
                marker=marker_style(theme, model, 11),
                hovertemplate=f"<b>{MODEL_LABELS[model]}</b>, {name}: %{{x:.2f}}<extra></extra>",
                cliponaxis=False,
            )


def _mark_point(figure: go.Figure, report: Report, image: int, theme: Theme) -> None:
    """A ring around the point of an image, in charts with one point per image."""
    name = f"{report.dataset.item_noun} {image}"
    for trace in figure.to_plotly_json()["data"]:
        known = trace.get("customdata") if trace["type"] == "scatter" else None
        for place, row in enumerate(() if known is None else known):
            if isinstance(row, list | tuple | np.ndarray) and len(row) == 2 and str(row[0]) == str(image):
                x, y = trace["x"][place], trace["y"][place]
                figure.add_scatter(
                    name=name,
                    x=[x],
                    y=[y],
                    mode="markers+text",
                    text=[name],
                    textposition="bottom center" if y > 0.5 else "top center",
                    textfont={"size": SMALL_FONT, "color": theme.ink},
                    marker={"symbol": "circle-open", "size": 15, "color": theme.ink, "line": {"width": 2}},
                    hoverinfo="skip",
                    cliponaxis=False,
                )
                return
