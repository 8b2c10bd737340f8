"""What a chart is, and what all charts share: who may draw it, one panel a report, labels that keep apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.report import MODELS, Report

HEIGHT = 310
"""Pixels; the same for all charts that may stand side by side."""
NO_GOLD = "There is no gold yet to compare with."
ONE_GOLD = "Spread unknown: one gold."
"""What stands where two golds would tell how far golds themselves are apart."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One question about a run, answered as a table, a picture and a sentence.

    `applies(report)` is True, or says why there is nothing to draw; the other functions may be called only where it is
    True. `frame` and `figure` take one report or several; `sentence` and `alt` speak about one.
    """

    id: str
    title: str
    """What is shown: the heading."""
    question: str
    """The question that it answers: the line below the heading."""
    caveat: str
    applies: Callable[[Report], Literal[True] | str]
    table: Callable[[Sequence[Report]], pd.DataFrame]
    figure: Callable[[Sequence[Report], Theme], go.Figure]
    summary: Callable[[Report], str]
    alt_text: Callable[[Report], str]
    height: int = HEIGHT
    variants: Mapping[str, "Chart"] = field(default_factory=dict)
    """The same question drawn in other ways, by what a switch calls them; it begins with the first."""


def needs_gold(part: str) -> Callable[[Report], Literal[True] | str]:
    """The `applies` of a chart whose part is all about gold: where gold is missing, that is the reason."""

    def applies(report: Report) -> Literal[True] | str:
        if "gold" in report.evaluations or part in report.parts:
            return needs(part)(report)
        return report.missing.get(part, report.missing.get("gold", NO_GOLD))

    return applies


def needs(part: str) -> Callable[[Report], Literal[True] | str]:
    """The `applies` of a chart that is drawn from one part of the report."""

    def applies(report: Report) -> Literal[True] | str:
        if part in report.parts:
            return True
        return report.missing.get(part, f"This run has no record of its {part}, so there is nothing to draw.")

    return applies


def models(report: Report) -> list[str]:
    """The models that this report knows, in their usual order."""
    return [model for model in MODELS if model in report.evaluations]


def report_names(reports: Sequence[Report]) -> list[str]:
    """What to call each report beside the others: its method, and its run where a method comes twice."""
    methods = [report.method for report in reports]
    return [
        report.method
        if methods.count(report.method) == 1
        else f"{report.method} · run {number if report.run is None else report.run}"
        for number, report in enumerate(reports, 1)
    ]


def panels(reports: Sequence[Report], theme: Theme, *, height: int = HEIGHT, shared_y: bool = True) -> go.Figure:
    """An empty figure with one column a report, side by side on one scale; a single report has no heading."""
    several = len(reports) > 1
    figure = make_subplots(
        rows=1,
        cols=len(reports),
        shared_yaxes=shared_y,
        horizontal_spacing=0.06 if shared_y else 0.14,
        column_titles=report_names(reports) if several else None,
    )
    figure.update_annotations(font={"size": 14, "color": theme.ink}, yshift=6)
    figure.update_layout(template=theme.template, height=height)
    if several:
        figure.update_layout(margin={"t": 40})
        figure.update_xaxes(matches="x")
        figure.update_xaxes(matches=None, row=1, col=1)  # It is "x" itself.
    return figure


def build_table(reports: Sequence[Report], rows: Callable[[Report], list[dict[str, Any]]]) -> pd.DataFrame:
    """The rows of every report under one another, each with its run and method."""
    return pd.DataFrame(
        [
            {"run": report.run, "method": name, **row}
            for report, name in zip(reports, report_names(reports), strict=True)
            for row in rows(report)
        ]
    )


def percent_axis(low: float, high: float, *, max_ticks: int = 5) -> dict[str, Any]:
    """An axis for shares from `low` to `high`, with at most `most` round ticks from 0 up, as "20 %"."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0) if high / step < max_ticks or step == 1)
    marks = np.arange(0, min(high, 1.0) + 1e-9, step).tolist()
    return {"range": [low, high], "tickvals": marks, "ticktext": [percent(mark, 0) for mark in marks]}


def spread_labels(values: Sequence[float], gap: float) -> list[float]:
    """The same heights for labels, moved as little as needed so that any two are at least `gap` apart."""
    order = np.argsort(values, kind="stable")
    steps = np.arange(len(values)) * gap
    blocks: list[list[float]] = []  # Neighbours that touch share one mean (pool adjacent violators).
    for value in np.asarray(values, float)[order] - steps:
        blocks.append([float(value)])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    placed = np.concatenate([[np.mean(block)] * len(block) for block in blocks]) + steps
    return placed[np.argsort(order, kind="stable")].tolist()
