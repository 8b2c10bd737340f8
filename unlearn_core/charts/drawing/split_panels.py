"""Split a chart of several runs into one figure per run with shared axes, so that a page can lay them out.

In one figure, four panels are unreadable on a phone; drawn separately, each would have a scale of its own.
"""

from collections.abc import Sequence
from textwrap import wrap

import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, report_labels
from unlearn_core.charts.drawing.theme import PlotlyDict, Theme
from unlearn_core.domain.report import Report

_LETTERS = 36
"""Letters of an axis title that fit on one line."""
_TITLES = 30
"""Pixels above the panels for their titles; single figures have no title."""


def split_figure(chart: Chart, reports: Sequence[Report], theme: Theme) -> list[go.Figure]:
    """One figure per report, all on one scale, of a chart that is drawn in panels.

    Reports on different data sets share no scale, since their classes differ: each is drawn separately. So is a chart
    with its panels one below the other: these are heat maps, whose scale is fixed.
    """
    alone = len(reports) == 1 or len({report.dataset.id for report in reports}) > 1
    whole = {} if alone else chart.figure(reports, theme).to_plotly_json()
    if alone or not _in_columns(whole["layout"], len(reports)):
        return [chart.figure([report], theme) for report in reports]
    _fix_time(whole)
    return [_panel(whole, number, titles=report_labels(reports)) for number in range(1, len(reports) + 1)]


def _in_columns(layout: PlotlyDict, count: int) -> bool:
    """Whether there is one panel per report, side by side."""
    ends = [tuple(axis["domain"]) for name, axis in layout.items() if name.startswith("xaxis")]
    return len(ends) == len(set(ends)) == count


def _fix_time(whole: PlotlyDict) -> None:
    """Give panels without a fixed horizontal range a common one, from all that is drawn in them."""
    if "range" in whole["layout"]["xaxis"]:
        return
    every = [float(value) for trace in whole["data"] for value in trace.get("x", ()) if value is not None]
    for name, axis in whole["layout"].items():
        if name.startswith("xaxis") and every:
            axis["range"] = [min(0.0, *every), 1.02 * max(every)]


def _panel(whole: PlotlyDict, number: int, *, titles: Sequence[str]) -> go.Figure:
    """The traces, axes, shapes and annotations of one column, as a figure."""
    suffix = "" if number == 1 else str(number)
    layout = {key: value for key, value in whole["layout"].items() if "axis" not in key}
    layout["xaxis"] = _in_lines(_unlinked(whole["layout"][f"xaxis{suffix}"]))
    first, own = whole["layout"]["yaxis"], whole["layout"][f"yaxis{suffix}"]
    layout["yaxis"] = _unlinked(own | {"title": own.get("title") or first.get("title") or {}, "showticklabels": True})
    for kind in ("annotations", "shapes"):
        placed = (_moved(dict(one), suffix) for one in whole["layout"].get(kind, ()))
        layout[kind] = [one for one in placed if one is not None and one.get("text") not in titles]
    if not any(one.get("yref") == "paper" and one["y"] == 1 for one in layout["annotations"]):
        layout["margin"] = {"t": max(10, layout.get("margin", {}).get("t", 0) - _TITLES)}
    traces = [
        {key: value for key, value in trace.items() if key not in ("xaxis", "yaxis")}
        for trace in whole["data"]
        if trace.get("xaxis", "x") == f"x{suffix}"
    ]
    return go.Figure(data=traces, layout=layout)


def _unlinked(axis: PlotlyDict) -> PlotlyDict:
    """An axis without its links to the other panels."""
    return {key: value for key, value in axis.items() if key not in ("domain", "anchor", "matches")}


def _in_lines(axis: PlotlyDict) -> PlotlyDict:
    """An axis whose title is wrapped to fit a figure that is a third of a page wide."""
    title = axis.get("title", {})
    return axis | {"title": title | {"text": "<br>".join(wrap(title["text"], _LETTERS))}} if "text" in title else axis


def _moved(one: PlotlyDict, suffix: str) -> PlotlyDict | None:
    """A shape or annotation of this panel on its own axes; None where it belongs to another panel."""
    for way in "xy":
        reference = one.get(f"{way}ref", "paper")
        if reference == "paper":
            continue
        axis, *domain = reference.split(" ")
        if axis != f"{way}{suffix}":
            return None
        one[f"{way}ref"] = " ".join([way, *domain])
    return one
