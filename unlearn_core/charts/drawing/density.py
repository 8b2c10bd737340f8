"""Densities of logits shared by three charts: smooth curves for before, after and gold, and their quantiles."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Row, build_table, models, panels
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, line_style, text_color, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, capitalize
from unlearn_core.domain.report import Report

ValuesByModel = Callable[[Report], dict[str, np.ndarray]]
NUM_POINTS = 240
MAX_RUG_POINTS = 40
"""Up to this many images, each is also drawn as a tick: a smooth curve alone would suggest too much data."""
_CLOSE = 0.08
"""Peaks closer than this share of the axis leave no room for a label beside each."""
_LABEL_WIDTH = 0.22
"""The share of the axis that a label takes on a phone."""
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class AxisRange(NamedTuple):
    """The range of an axis: `low` and `high` bound what is drawn; with `is_closed` no value can lie outside."""

    low: float
    high: float
    is_closed: bool


def values_in_set(report: Report, values: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """The values (N,) of a LogitsResult for the images in a set, by model."""
    rows = getattr(report.split, name)
    return {model: values[model][rows].astype(float) for model in models(report)}


def medians(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Each model's median."""
    return {model: float(np.median(part)) for model, part in values.items()}


def quantiles(values: Mapping[str, np.ndarray]) -> list[Row]:
    """One row per model: number of images, mean, and the 5, 25, 50, 75 and 95 % quantiles."""
    return [
        {"model": MODEL_LABELS[model], "images": len(part), "mean": float(part.mean())}
        | {f"{share:.0%}": float(np.quantile(part, share)) for share in _QUANTILES}
        for model, part in values.items()
    ]


def quantile_table(values: ValuesByModel) -> Callable[[Sequence[Report]], pd.DataFrame]:
    """The `table` of a chart of densities: the `quantiles` of each report."""
    return lambda reports: build_table(reports, lambda report: quantiles(values(report)))


def describe_quartiles(values: Mapping[str, np.ndarray], form: Callable[[float], str]) -> str:
    """Each model's median and interquartile range in words; `form` formats a number."""
    return " ".join(
        f"{capitalize(row['model'])}: median {form(row['50%'])}, middle half {form(row['25%'])} to {form(row['75%'])}."
        for row in quantiles(values)
    )


def density(values: np.ndarray, at: np.ndarray, span: AxisRange) -> np.ndarray:
    """A Gaussian kernel density of values (n,) at points (m,), at least 0 and of area 1.

    The bandwidth is Silverman's rule of thumb (Density Estimation, 1986, equation 3.31), but at least 1.5 % of the
    axis. At closed ends the kernel is reflected, so that no area is lost beyond them.
    """
    quarter, three = np.quantile(values, [0.25, 0.75])
    spread = min(float(values.std()), float(three - quarter) / 1.34) or float(values.std())
    width = max(0.9 * spread * len(values) ** -0.2, 0.015 * (span.high - span.low))
    centres = [values, 2 * span.low - values, 2 * span.high - values] if span.is_closed else [values]
    heights = sum(np.exp(-0.5 * ((at[:, None] - part[None, :]) / width) ** 2).sum(1) for part in centres)
    return heights / (len(values) * width * np.sqrt(2 * np.pi))


def draw_densities(
    reports: Sequence[Report],
    theme: Theme,
    *,
    values: ValuesByModel,
    axis: str,
    span: AxisRange | None = None,
    reference: float | None = None,
) -> go.Figure:
    """One density per model: before a grey area, after a line, gold a dotted line, each with its label beside it.

    `axis` is the axis title; `span` defaults to the range of the values; a vertical line marks `reference`.
    """
    found = [values(report) for report in reports]
    span = span or _span([part for each in found for part in each.values()])
    drawn = panels(reports, theme)
    at = np.linspace(span.low, span.high, NUM_POINTS)
    top = 0.0
    for column, each in enumerate(found, 1):
        curves = {model: density(part, at, span) for model, part in each.items()}
        top = max(top, *(float(curve.max()) for curve in curves.values()))
        for model, curve in curves.items():
            drawn.add_trace(_curve(model, at, curve, theme), row=1, col=column)
            if len(each[model]) <= MAX_RUG_POINTS:
                drawn.add_trace(_ticks(model, each[model], theme), row=1, col=column)
        for label in _labels(curves, at, span, theme):
            drawn.add_annotation(**label, row=1, col=column)
    if reference is not None:
        drawn.add_vline(x=reference, line={"color": theme.quiet, "width": 1})
    drawn.update_yaxes(visible=False, range=[-0.06 * top, 1.16 * top])
    drawn.update_xaxes(range=[span.low, span.high], showgrid=True, nticks=6, title_text=axis, showline=True)
    return drawn


def _span(parts: Sequence[np.ndarray]) -> AxisRange:
    low, high = min(float(part.min()) for part in parts), max(float(part.max()) for part in parts)
    room = 0.12 * (high - low) or 1.0
    return AxisRange(low - room, high + room, is_closed=False)


def _curve(model: str, at: np.ndarray, curve: np.ndarray, theme: Theme) -> go.Scatter:
    look: PlotlyDict = {"line": line_style(theme, model)}
    if model == "before":
        look = {"line": {"width": 0}, "fill": "tozeroy", "fillcolor": with_alpha(theme.before, 0.35)}
    return go.Scatter(
        name=MODEL_LABELS[model],
        x=at,
        y=curve,
        mode="lines",
        hovertemplate=f"<b>{MODEL_LABELS[model]}</b> at %{{x:.1f}}<extra></extra>",
        **look,
    )


def _ticks(model: str, values: np.ndarray, theme: Theme) -> go.Scatter:
    colour = getattr(theme, model)
    return go.Scatter(
        name=f"{MODEL_LABELS[model]}, each image",
        x=np.sort(values),
        y=np.zeros(len(values)),
        mode="markers",
        marker={"symbol": "line-ns", "size": 9, "color": colour, "line": {"color": colour, "width": 1.5}},
        hovertemplate=f"<b>{MODEL_LABELS[model]}</b>: %{{x:.2f}}<extra></extra>",
    )


def _labels(curves: Mapping[str, np.ndarray], at: np.ndarray, span: AxisRange, theme: Theme) -> list[PlotlyDict]:
    """A label beside each curve; a key in the emptier corner if peaks lie too close together or to an end."""
    peaks = sorted(float(at[curve.argmax()]) for curve in curves.values())
    if span.is_closed or min(np.diff(peaks), default=np.inf) < _CLOSE * (span.high - span.low):
        return [_key(curves, theme)]
    order = sorted(curves, key=lambda model: float(at[curves[model].argmax()]))
    labels = []
    for place, model in enumerate(order):
        curve, peak = curves[model], int(curves[model].argmax())
        label = {
            "text": MODEL_LABELS[model],
            "font": {"size": SMALL_FONT + 1, "color": text_color(theme, model)},
            "x": at[peak],
        }
        left, right = place == 0 and len(order) > 1, place == len(order) - 1 and len(order) > 1
        if left or right:
            flank = np.flatnonzero(curve >= 0.6 * curve[peak])[0 if left else -1]
            room = at[flank] - span.low if left else span.high - at[flank]
            if room < _LABEL_WIDTH * (span.high - span.low):
                return [_key(curves, theme)]
            label |= {"x": at[flank], "y": curve[flank], "xanchor": "right" if left else "left"}
            label["xshift"] = -6 if left else 6
        else:
            label |= {"y": max(other[peak] for other in curves.values()), "yanchor": "bottom", "yshift": 2}
        labels.append(label)
    return labels


def _key(curves: Mapping[str, np.ndarray], theme: Theme) -> PlotlyDict:
    third = NUM_POINTS // 3
    right = sum(curve[-third:].sum() for curve in curves.values()) <= sum(
        curve[:third].sum() for curve in curves.values()
    )
    signs = {"before": (with_alpha(theme.before, 0.6), "█"), "after": (theme.after, "━━"), "gold": (theme.gold, "┅┅")}
    lines = [
        f'<span style="color:{signs[model][0]}">{signs[model][1]}</span> {MODEL_LABELS[model]}' for model in curves
    ]
    return {
        "text": "<br>".join(lines),
        "align": "left",
        "xref": "x domain",
        "yref": "y domain",
        "x": 1 if right else 0,
        "y": 0.98,
        "xanchor": "right" if right else "left",
        "yanchor": "top",
        "font": {"size": SMALL_FONT + 1},
    }
