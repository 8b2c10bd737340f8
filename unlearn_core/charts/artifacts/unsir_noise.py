"""UNSIR's error-maximising noise: the error of the model on it while it is learned, and the noise as images."""

from collections.abc import Sequence
from math import log

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, Row, build_table, needs, panels, spread_labels
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, line_style, text_color
from unlearn_core.charts.drawing.wording import join_words, number
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.method_artifacts import NoiseErrors, NoiseImages

TILE_SIZE = 128
"""Noise images are enlarged to about this many pixels, by a whole factor."""

_MAX_LABELLED = 4
"""With more classes than this, the lines have no labels."""


def noise_errors(report: Report) -> dict[str, np.ndarray]:
    """Return the cross-entropy (steps,) of the noise of each forgotten class with that class as label, in nats."""
    noise = report[NoiseErrors]
    traces = noise.errors.astype(float)
    return {report.dataset.classes[at]: traces[:, column] for column, at in enumerate(noise.classes)}


def noise_tiles(report: Report, *, count: int = 8) -> list[np.ndarray]:
    """Return some evenly spaced noise images, each (H, W, 3) uint8; small ones are enlarged to about TILE_SIZE."""
    images = report[NoiseImages].pixels
    scale = max(1, TILE_SIZE // images.shape[1])
    chosen = images[np.linspace(0, len(images) - 1, min(count, len(images))).round().astype(int)]
    # Noise has no edges to smooth: a pixel stays a square.
    return [image.repeat(scale, axis=0).repeat(scale, axis=1) for image in chosen]


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per step and class: the cross-entropy."""

    def rows(report: Report) -> list[Row]:
        return [
            {"class": name, "step": step, "error": float(value)}
            for name, trace in noise_errors(report).items()
            for step, value in enumerate(trace)
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one line per class over the steps, and a line at the error of guessing."""
    drawn = panels(reports, theme, height=260)
    found = [noise_errors(report) for report in reports]
    top = max(float(trace.max()) for each in found for trace in each.values())
    for column, (report, each) in enumerate(zip(reports, found, strict=True), 1):
        for name, trace in each.items():
            drawn.add_trace(_line(name, trace, theme), row=1, col=column)
        guess = log(len(report.dataset.classes))
        here: PlotlyDict = {"row": 1, "col": column}
        drawn.add_hline(y=guess, line={"color": theme.quiet, "width": 1, "dash": "dot"}, **here)
        for label in _labels(each, guess, top, theme):
            drawn.add_annotation(xanchor="right", **label, row=1, col=column)
    drawn.update_yaxes(range=[0, 1.2 * top], showgrid=True, nticks=5)
    drawn.update_yaxes(title_text="error on the noise, nats", col=1)
    drawn.update_xaxes(title_text="noise optimisation steps", nticks=6)
    return drawn


def _labels(traces: dict[str, np.ndarray], guess: float, top: float, theme: Theme) -> list[PlotlyDict]:
    """Label the line of guessing, and each class where they are few."""
    last = max(len(trace) for trace in traces.values()) - 1
    guessing = {"text": "guessing", "x": last, "y": guess, "yanchor": "bottom", "font": {"color": theme.quiet}}
    if len(traces) > _MAX_LABELLED:
        return [guessing]
    heights = spread_labels([float(trace[-1]) for trace in traces.values()], 0.09 * top)
    font = {"size": SMALL_FONT + 1, "color": text_color(theme, "forget")}
    return [guessing] + [
        {"text": f"{name} {number(float(trace[-1]))}", "x": last, "y": height, "yshift": 13, "font": font}
        for (name, trace), height in zip(traces.items(), heights, strict=True)
    ]


def _line(name: str, trace: np.ndarray, theme: Theme) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=list(range(len(trace))),
        y=trace,
        mode="lines",
        line=line_style(theme, "forget", 2.5),
        hovertemplate=f"<b>{name}</b>, step %{{x}}<br>error %{{y:.2f}} nats<extra></extra>",
    )


def summary(report: Report) -> str:
    """Describe how the error changed, compared with guessing."""
    found = noise_errors(report)
    before = float(np.mean([trace[0] for trace in found.values()]))
    after = float(np.mean([trace[-1] for trace in found.values()]))
    guess = log(len(report.dataset.classes))
    over = f" (mean of {len(found)} classes)" if len(found) > 1 else ""
    verdict = "is confidently wrong about it" if after > 2 * guess else "is not very wrong about it"
    return (
        f"The error of the model on noise labelled {join_words(list(found))} went from {number(before)} to "
        f"{number(after)} nats{over}. Guessing gives {number(guess)}, so the model {verdict}."
    )


def alt_text(report: Report) -> str:
    """List the first, highest and last error of each class."""
    rows = [
        f"{name}: {number(float(trace[0]))} at first, {number(float(trace.max()))} at most, "
        f"{number(float(trace[-1]))} last."
        for name, trace in noise_errors(report).items()
    ]
    steps = len(next(iter(noise_errors(report).values()))) - 1
    return f"Lines of the model's error on its noise over {steps} steps. {' '.join(rows)}"


CHART = Chart(
    id="noise",
    title="Error-maximising noise",
    question="How strongly does the noise mislead the model?",
    caveat="Noise on which the model is badly wrong is the means, not the aim: much of the forgetting may come from "
    "training at a high learning rate on data without the class. The preset without noise shows how much. The images "
    "are clipped to the display range; the values used in training go beyond it.",
    applies=needs(
        NoiseErrors,
        NoiseImages,
        otherwise="This run learned no noise: only UNSIR does, and only with at least one noise image.",
    ),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=260,
    section="How it went",
    order=50,
    optional=True,
    is_compared=False,
)
