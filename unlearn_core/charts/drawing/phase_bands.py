"""The accuracy curve of a run, finished or in progress: two lines over bands of the phases."""

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.chart import percent_axis, spread_labels
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, line_style, text_color, with_alpha
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.run import Phase

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
"""Tick distances of the time axis in seconds; at most seven ticks fit."""

LETTER_WIDTH = 0.019
"""Largest width of a letter, as a share of the width of a panel."""


class PhaseSpan(NamedTuple):
    """A phase on the time axis, in seconds; `planned` where it has not begun."""

    name: str
    start: float
    end: float
    planned: bool


class LineLabels(NamedTuple):
    """The names of the two lines: "cat" and "other classes"."""

    forget: str
    retain: str


class AccuracyCurves(NamedTuple):
    """The curve: seconds since the start, and both accuracies (0 to 1)."""

    seconds: Sequence[float]
    forget: Sequence[float]
    retain: Sequence[float]


def phase_spans(phases: Sequence[Phase], *, expected: float | None = None) -> list[PhaseSpan]:
    """Where each phase lies on the time axis: measured, or estimated from the speed of the phases before it."""
    spent, made = sum(phase.seconds for phase in phases), sum(phase.done for phase in phases)
    steps = sum(phase.steps for phase in phases) or 1
    pace = spent / made if made and spent else (expected or 1.0) / steps
    begun = [place for place, phase in enumerate(phases) if phase.done or phase.seconds]
    bands, at = [], 0.0
    for place, phase in enumerate(phases):
        own = phase.seconds / phase.done if phase.done and phase.seconds else pace
        # A phase that ended early is over as soon as a later one has begun.
        over = any(later > place for later in begun)
        length = phase.seconds + (0 if over else own * max(0, phase.steps - phase.done))
        bands.append(PhaseSpan(phase.name, at, at + length, planned=place not in begun and not over))
        at += length
    return bands


def draw_curves(
    figure: go.Figure,
    lines: AccuracyCurves,
    spans: Sequence[PhaseSpan],
    *,
    line_labels: LineLabels,
    end: float,
    theme: Theme,
    column: int = 1,
) -> None:
    """Draw bands, both lines and their names into one panel whose time axis goes to `end`."""
    here: PlotlyDict = {"row": 1, "col": column}
    for place, band in enumerate(spans):
        shade = phase_fill(place, len(spans), theme, planned=band.planned)
        box = {"x0": band.start, "x1": band.end, "fillcolor": shade, "line": {"width": 0}, "layer": "below"}
        figure.add_vrect(**box, **here, exclude_empty_subplots=False)
        if (band.end - band.start) / end > LETTER_WIDTH * len(band.name):  # Narrower bands have no room for their name.
            middle = (band.start + band.end) / 2
            figure.add_annotation(text=band.name, x=middle, y=1.075, font={"color": theme.quiet}, **here)
    for role in ("retain", "forget"):
        figure.add_trace(_line(lines.seconds, getattr(lines, role), role, getattr(line_labels, role), theme), **here)
    for label in _labels(lines, line_labels, end, theme):
        figure.add_annotation(**label, **here)


def _line(seconds: Sequence[float], values: Sequence[float], role: str, name: str, theme: Theme) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=seconds,
        y=values,
        mode="lines" if len(values) > 1 else "markers",
        line=line_style(theme, role, 3),
        marker={"color": getattr(theme, role), "size": 8},
        hovertemplate=f"<b>{name}</b><br>%{{y:.0%}} after %{{x:.1f}} s<extra></extra>",
        cliponaxis=False,
    )


def phase_fill(index: int, count: int, theme: Theme, *, planned: bool = False) -> str:
    """The last phase is tinted as repair, the one before it as forgetting; earlier phases and a single one are grey.

    A phase that has not begun has half the tint, so that it keeps its colour.
    """
    role = "before" if count == 1 else {count - 1: "retain", count - 2: "forget"}.get(index, "before")
    alpha = 0.13 if role == "before" else 0.08
    return with_alpha(getattr(theme, role), alpha / 2 if planned else alpha)


def _labels(lines: AccuracyCurves, line_labels: LineLabels, end: float, theme: Theme) -> list[dict]:
    """Name and current value of each line: behind its end, or clear of the line where there is no room behind."""
    if not lines.seconds:
        return []
    now = lines.seconds[-1]
    behind = now < 0.6 * end
    drawn = [role for role in ("forget", "retain") if not isnan(getattr(lines, role)[-1])]  # One may have no images.
    ends = [getattr(lines, role)[-1] for role in drawn]
    texts = [f"{getattr(line_labels, role)} {percent(value, 0)}" for role, value in zip(drawn, ends, strict=True)]
    if not behind:
        ends = [
            _clear(lines.seconds, getattr(lines, role), since=now - LETTER_WIDTH * end * len(text))
            for text, role in zip(texts, drawn, strict=True)
        ]
    heights = spread_labels(ends, 0.085)
    return [
        {
            "text": text,
            "x": now,
            "y": height,
            "xanchor": "left" if behind else "right",
            "xshift": 8 if behind else -2,
            "font": {"size": SMALL_FONT + 1, "color": text_color(theme, role)},
        }
        for role, text, height in zip(drawn, texts, heights, strict=True)
    ]


def _clear(seconds: Sequence[float], values: Sequence[float], *, since: float) -> float:
    """The height of a label over its line from `since` on: above it, or below where the phase names are."""
    spanned = [float(np.interp(since, seconds, values))]
    spanned += [value for at, value in zip(seconds, values, strict=True) if at >= since]
    above = max(spanned) + 0.065
    return above if above < 0.965 else min(spanned) - 0.065


def set_axes(figure: go.Figure, end: float) -> go.Figure:
    """Give every panel the same axes: accuracy from 0 to 100 %, time from 0 to `end` seconds."""
    figure.update_yaxes(showgrid=True, **percent_axis(-0.02, 1.13, max_ticks=4))
    step = next((step for step in _STEPS if end / step <= 7), end)
    marks = np.arange(0, end + 1e-9, step).tolist()
    figure.update_xaxes(range=[0, end], tickvals=marks, ticktext=[f"{mark:g} s" for mark in marks])
    return figure
