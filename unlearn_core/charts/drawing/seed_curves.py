"""Accuracy curves over several seeds: the mean curve, in a band from the lowest to the highest seed."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, panels, percent_axis
from unlearn_core.charts.drawing.seed_statistics import applies, seed_runs
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, line_style, text_color, with_alpha
from unlearn_core.charts.drawing.wording import capitalize, number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import SeedsResult

NUM_POINTS = 60
"""Number of steps at which the bands are drawn."""


def needs_curves(report: Report) -> Literal[True] | str:
    """True if every seed has recorded its curve, else the reason."""
    why = applies(report)
    if why is not True:
        return why
    return (
        report[SeedsResult].has_curves or "Not every seed has recorded its accuracy curve, so there is no band to draw."
    )


def _curves(report: Report, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps, and every seed's accuracy at each step (seeds, steps); a shorter curve stays at its last value."""
    result = report[SeedsResult]
    accuracies = result.forget if side == "forget" else result.retain
    steps = np.linspace(0, max(float(own[-1]) for own in result.steps.values()), NUM_POINTS)
    return steps, np.stack([np.interp(steps, own, accuracies[place]) for place, own in result.steps.items()])


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Two lines over the optimiser steps, each the mean over seeds, in a band from the lowest to the highest seed."""
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        for side in ("retain", "forget"):
            steps, lines = _curves(report, side)
            for trace in _band(side, steps, lines, theme):
                drawn.add_trace(trace, row=1, col=column)
            drawn.add_annotation(
                text=f"{side} set",
                x=float(steps[-1]),
                y=float(lines.mean(0)[-1]),
                xanchor="right",
                yshift=13,
                font={"size": SMALL_FONT + 1, "color": text_color(theme, side)},
                row=1,
                col=column,
            )
    drawn.update_yaxes(showgrid=True, **percent_axis(-0.04, 1.12, max_ticks=4))
    drawn.update_xaxes(title_text="optimiser steps", row=1)
    return drawn


def _band(side: str, steps: np.ndarray, lines: np.ndarray, theme: Theme) -> list[go.Scatter]:
    low, high, mean = (np.round(own, 4).tolist() for own in (lines.min(0), lines.max(0), lines.mean(0)))
    at = steps.tolist()
    outline = go.Scatter(
        name=f"{side}, all seeds",
        x=[*at, *at[::-1]],
        y=[*high, *low[::-1]],
        fill="toself",
        fillcolor=with_alpha(getattr(theme, side), 0.18),
        mode="lines",
        line={"width": 0, "color": with_alpha(getattr(theme, side), 0)},
        hoverinfo="skip",
    )
    line = go.Scatter(
        name=f"{side}, mean",
        x=at,
        y=mean,
        mode="lines",
        line=line_style(theme, side, 3),
        customdata=[[percent(a, 0), percent(b, 0)] for a, b in zip(low, high, strict=True)],
        hovertemplate="step %{x:.0f}: %{y:.0%}, seeds %{customdata[0]} to %{customdata[1]}<extra></extra>",
        cliponaxis=False,
    )
    return [outline, line]


def summary(report: Report) -> str:
    """The widest width of both bands and the width at the end."""
    said = []
    for side, words in (("forget", "the forget set"), ("retain", "the retain set")):
        _, lines = _curves(report, side)
        width = lines.max(0) - lines.min(0)
        said.append(
            f"on {words} the seeds differ by at most {number(100 * float(width.max()))} points and by "
            f"{number(100 * float(width[-1]))} at the end, with a mean of {percent(float(lines.mean(0)[-1]))}"
        )
    band = "The line is the mean over the seeds; the band spans the lowest to the highest seed."
    return f"{capitalize('; '.join(said))}. {band} {_gold(report)}"


def _gold(report: Report) -> str:
    """Gold's accuracies on the whole sets from which the monitored images are drawn."""
    gold = seed_runs(report)[0].accuracy.get("gold")
    if gold is None:
        return NO_GOLD
    forget = gold.get("forget_val", gold["forget_train"])
    return f"The retrained model has {percent(forget, 0)} and {percent(gold['retain_val'], 0)} there."


def alt_text(report: Report) -> str:
    """The start and the end of the bands."""
    ends = []
    for side, words in (("forget", "forget set"), ("retain", "retain set")):
        _, lines = _curves(report, side)
        first, last = (f"{percent(float(own.min()))} to {percent(float(own.max()))}" for own in lines.T[[0, -1]])
        ends.append(f"{words} from {first} at the start, {last} at the end")
    return f"Two lines in bands over the steps of {len(seed_runs(report))} seeds: {'; '.join(ends)}."
