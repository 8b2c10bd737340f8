"""Weight changes on a log axis, over the layers or the kinds of weights."""

from collections.abc import Sequence
from math import floor, log10
from typing import Any, Literal, NamedTuple

import plotly.graph_objects as go

from unlearn_core.charts.chart import layer_axis, panels
from unlearn_core.charts.drawing.theme import (
    SMALL_FONT,
    PlotlyDict,
    Theme,
    line_style,
    marker_style,
    text_color,
    with_alpha,
)
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.layer_comparison import TensorGroup, WeightDistance, WeightDistanceResult

PAIR_LABELS = {
    "before-after": "after",
    "before-gold": "retrained",
    "before-other": "two seeds of the same recipe",
    "gold-twin": "two retrained models",
}
UNCHANGED = "unchanged"
_HOVERED = 6
"""The largest number of tensors listed on hover; the table has them all."""


class ShiftView(NamedTuple):
    """Which distances are drawn: of layers or of kinds, absolute or relative to the norm before."""

    level: Literal["layers", "kinds"] = "layers"
    distance: Literal["relative", "l2"] = "relative"

    def groups(self, report: Report) -> Sequence[TensorGroup]:
        """The layers or the kinds of weights of a report."""
        result = report[WeightDistanceResult]
        return result.layers if self.level == "layers" else result.kinds

    def of(self, distance: WeightDistance) -> float:
        """The distance in this view's unit."""
        return distance.l2 if self.distance == "l2" else distance.relative

    def format(self, value: float) -> str:
        """A distance in words."""
        if self.distance == "l2":
            return f"{value:.3g}"
        return percent(value, 0 if value >= 0.1 else 1 if value >= 0.01 else 2)


def distances(report: Report, pair: str, view: ShiftView) -> dict[str, float]:
    """The distance of each layer or kind; empty where there is no such model."""
    return {group.name: view.of(group.pairs[pair]) for group in view.groups(report) if pair in group.pairs}


def figure(reports: Sequence[Report], theme: Theme, view: ShiftView) -> go.Figure:
    """Distances from input to output; unchanged layers lie on a line of their own."""
    drawn = panels(reports, theme)
    every = [value for report in reports for pair in PAIR_LABELS for value in distances(report, pair, view).values()]
    seen, still = [value for value in every if value > 0], 0 in every
    low, high = (floor(log10(min(seen))), log10(max(seen)) + 0.3) if seen else (-3, 0)
    # An unchanged layer has no place on a log axis: it gets a line of its own below the smallest decade.
    bottom = low - 0.14 * (high - low) if still else low
    for column, report in enumerate(reports, 1):
        for trace in _traces(report, theme, 10**bottom, view):
            drawn.add_trace(trace, row=1, col=column)
        for label in _labels(report, theme, view):
            drawn.add_annotation(**label, row=1, col=column)
    decades = list(range(low, floor(high) + 1))[:: max(1, round((high - low) / 5))]
    drawn.update_yaxes(
        type="log",
        range=[bottom - 0.05 * (high - low), high],
        tickvals=[10**bottom] * still + [10.0**decade for decade in decades],
        ticktext=[UNCHANGED] * still + [_tick(decade, view) for decade in decades],
        showgrid=True,
    )
    drawn.update_yaxes(title_text="change, L2" if view.distance == "l2" else "change, relative to norm", col=1)
    drawn.update_xaxes(**layer_axis(group.name for each in reports for group in view.groups(each)))
    drawn.update_xaxes(title_text="layer, input to output" if view.level == "layers" else "kind of weights", row=1)
    return drawn


def _tick(decade: int, view: ShiftView) -> str:
    if view.distance == "l2":
        return f"{10.0**decade:g}"
    return percent(10.0**decade, max(0, -decade - 2))


def _traces(report: Report, theme: Theme, bottom: float, view: ShiftView) -> list[go.Scatter]:
    """Bands of two seeds and two golds, lines for gold and after, and at `bottom` the unchanged layers."""
    drawn = []
    for pair in ("before-other", "gold-twin", "before-gold", "before-after"):
        groups = [group for group in view.groups(report) if pair in group.pairs]
        shifts = [view.of(group.pairs[pair]) for group in groups]
        role = {"before-after": "after", "before-other": "before"}.get(pair, "gold")
        look = _look(pair, role, theme)
        # A gap where a layer is unchanged: a line through it would suggest a value that does not exist.
        if any(shifts):
            drawn.append(_trace(pair, groups, [shift or None for shift in shifts], **look))
        if 0 in shifts:
            hollow = marker_style(theme, role, 8) | {"symbol": "circle-open", "line": {"width": 2}}
            heights = [None if shift else bottom for shift in shifts]
            drawn.append(_trace(pair, groups, heights, mode="markers", marker=hollow))
    return drawn


def _look(pair: str, role: str, theme: Theme) -> PlotlyDict:
    band = pair in ("before-other", "gold-twin")
    width = 12 if pair == "before-other" else 6
    return {
        "mode": "lines" if band else "lines+markers",
        "marker": marker_style(theme, role, 8),
        "line": {"color": with_alpha(getattr(theme, role), 0.3), "width": width}
        if band
        else line_style(theme, role, 2),
    }


def _trace(pair: str, groups: list[TensorGroup], heights: list[float | None], **look: Any) -> go.Scatter:
    return go.Scatter(
        name=PAIR_LABELS[pair],
        x=[group.name for group in groups],
        y=heights,
        customdata=[[f"{group.weights:,}", _tensors(group), _moved(group.pairs[pair])] for group in groups],
        hovertemplate=f"<b>{PAIR_LABELS[pair]}</b>, %{{x}}<br>%{{customdata[2]}}"
        "<br>%{customdata[0]} weights:<br>%{customdata[1]}<extra></extra>",
        **look,
    )


def _moved(distance: WeightDistance) -> str:
    if distance.l2 == 0:
        return UNCHANGED
    return f"{percent(distance.relative, 2)} of its norm, L2 distance {distance.l2:.3g}"


def _tensors(group: TensorGroup) -> str:
    """Names and shapes, one per line; a report of an earlier release has only the largest tensor's shape."""
    if not group.tensor_shapes:
        return group.shape
    lines = [f"{name} {shape}" for name, shape in group.tensor_shapes[:_HOVERED]]
    more = len(group.tensor_shapes) - len(lines)
    return "<br>".join(lines + [f"and {more} more"] * (more > 0))


def _labels(report: Report, theme: Theme, view: ShiftView) -> list[PlotlyDict]:
    """The label of each line: after's below the middle of its line, the others' above and below theirs."""
    after, gold, other = (distances(report, pair, view) for pair in ("before-after", "before-gold", "before-other"))
    labels: list[PlotlyDict] = []
    moved = [layer for layer, value in after.items() if value > 0]
    font = {"size": SMALL_FONT + 1}
    if moved:
        at = moved[len(moved) // 2]
        colour = text_color(theme, "after")
        labels.append(
            {"text": "after", "x": at, "y": log10(after[at]), "yshift": -16, "font": font | {"color": colour}}
        )
    placed = [layer for layer, value in gold.items() if value > 0]
    if placed:
        at = placed[1 % len(placed)]
        labels.append({"text": "retrained", "x": at, "y": log10(gold[at]), "yshift": 15, "font": font})
    apart = [layer for layer, value in other.items() if value > 0]
    if apart:
        golds = distances(report, "gold-twin", view)
        text = "bands: two seeds of the recipe, two retrained models" if golds else "band: two seeds of the same recipe"
        words = {"text": text, "xanchor": "left", "font": {"color": theme.quiet}}
        labels.append(words | {"x": apart[0], "y": log10(other[apart[0]]), "yshift": -18})
    return labels
