"""The type Chart, and helpers that all charts share: conditions, panels per report, tables, axes, label placement."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme
from unlearn_core.charts.drawing.wording import percent, short_layers
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.predictions import AccuracyResult, Score
from unlearn_core.domain.results.result import Result
from unlearn_core.domain.run import run_name

HEIGHT = 310
"""Default height in pixels, the same for all charts that may be shown side by side."""
MAX_LAYER_LABELS = 30
"""More labels of layers overlap in half the width of a page."""
NO_GOLD = "There is no retrained model yet to compare with."
ONE_GOLD = "Spread unknown: only one retrained model."
"""Shown where the distance between two retrained models would serve as the reference."""
TWO_GOLDS = "two retrained"
"""The tight label of the distance between two retrained models."""


Section = Literal["Overview", "Images", "Classes", "Privacy", "Inside", "How it went", "Details"]
SECTIONS: tuple[Section, ...] = get_args(Section)
"""The sections of a report and of a comparison, in their order."""


Row = dict[str, Any]
"""A row of a chart's table: its values by column."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One question about a run, answered by a table, a figure and a summary, and where it stands in reports.

    `applies(report)` is True, or the reason why there is nothing to draw; the other functions may only be called where
    it is True. `table` and `figure` take one report or several; `summary` and `alt_text` describe one.
    """

    id: str
    title: str
    """The heading: a noun phrase that names what is shown."""
    question: str
    """The subtitle: the question that the chart answers."""
    caveat: str
    applies: Callable[[Report], Literal[True] | str]
    table: Callable[[Sequence[Report]], pd.DataFrame]
    figure: Callable[[Sequence[Report], Theme], go.Figure]
    summary: Callable[[Report], str]
    alt_text: Callable[[Report], str]
    section: Section
    order: int
    """Its place in the section: smaller numbers come first."""
    optional: bool = False
    """Whether a report in which it does not apply leaves it out, instead of showing the reason."""
    is_compared: bool = True
    """Whether it is on the page that compares runs."""
    is_exported: bool = True
    """Whether it is in the HTML report."""
    export_variants: bool = False
    """Whether the HTML report has all variants instead of the first."""
    height: int = HEIGHT
    variants: Mapping[str, "Chart"] = field(default_factory=dict)
    """Other ways to draw it, by their labels in a switch, which are written into URLs too; the first is the default."""
    former_variants: Mapping[str, str] = field(default_factory=dict)
    """Today's label of a variant by the label that links of former releases may contain."""


def needs_gold(kind: type[Result], *, otherwise: str = "") -> Callable[[Report], Literal[True] | str]:
    """Return the `applies` of a chart whose result compares with gold: where gold is missing, that is the reason.

    `otherwise` is why some reports lack the result all the same.
    """

    def applies(report: Report) -> Literal[True] | str:
        if "gold" in report.evaluations or kind.is_in(report.parts):
            return needs(kind, otherwise=otherwise)(report)
        return report.missing.get(kind.part, report.missing.get("gold", NO_GOLD))

    return applies


def needs(*kinds: type[Result], otherwise: str = "") -> Callable[[Report], Literal[True] | str]:
    """Return the `applies` of a chart that is drawn from these results; `otherwise` is why most reports lack them."""

    def applies(report: Report) -> Literal[True] | str:
        for kind in kinds:
            if kind not in report:
                is_absent = otherwise and not kind.is_in(report.parts)
                return report.missing.get(kind.part, otherwise) if is_absent else report.reason(kind)
        return True

    return applies


def needs_images(kind: type[Result], what: str, *sets: str) -> Callable[[Report], Literal[True] | str]:
    """Return the `applies` of a chart of the images in some sets, `what` in words, of which not all may be empty."""

    def applies(report: Report) -> Literal[True] | str:
        if not any(len(getattr(report.split, name)) for name in sets):
            return f"There are no {what} in this data set, so there is nothing to show."
        return needs(kind)(report)

    return applies


def needs_request(kind: type[Result], offer: str) -> Callable[[Report], Literal[True] | str]:
    """Return the `applies` of a chart of a measurement on request, which needs gold; `offer` is why there is none."""
    return lambda report: needs(kind, otherwise=report.missing.get("gold", offer))(report)


def models(report: Report) -> list[str]:
    """Return the models that were evaluated for the report, in their usual order, even if their outputs were lost.

    Parts may be newer than the rest of a report to which a retrained model is just being added, so they do not decide.
    """
    measured = (*report.evaluations, *(report.lost if AccuracyResult in report else ()))
    return [model for model in MODELS if model in measured]


def report_labels(reports: Sequence[Report]) -> list[str]:
    """Return a name for each report: its method, with its run number where several have the same method."""
    methods = [report.method for report in reports]
    return [
        report.method
        if methods.count(report.method) == 1
        else f"{report.method} · {run_name(number if report.run is None else report.run).lower()}"
        for number, report in enumerate(reports, 1)
    ]


def panels(reports: Sequence[Report], theme: Theme, *, height: int = HEIGHT, shared_y: bool = True) -> go.Figure:
    """Return an empty figure with one column per report on a common scale; a single report has no column title."""
    several = len(reports) > 1
    figure = make_subplots(
        rows=1,
        cols=len(reports),
        shared_yaxes=shared_y,
        horizontal_spacing=0.06 if shared_y else 0.14,
        column_titles=report_labels(reports) if several else None,
    )
    figure.update_annotations(font={"size": 14, "color": theme.ink}, yshift=6)
    figure.update_layout(template=theme.template, height=height)
    if several:
        figure.update_layout(margin={"t": 40})
        figure.update_xaxes(matches="x")
        figure.update_xaxes(matches=None, row=1, col=1)  # It is "x" itself.
    return figure


def build_table(reports: Sequence[Report], rows: Callable[[Report], list[Row]]) -> pd.DataFrame:
    """Return one table with the rows of all reports, each with its run and method."""
    return pd.DataFrame(
        [
            {"run": report.run, "method": name, **row}
            for report, name in zip(reports, report_labels(reports), strict=True)
            for row in rows(report)
        ]
    )


def accuracy_columns(score: Score) -> Row:
    """Return an accuracy with its counts and its 95 % interval as the columns of a table."""
    return {
        "correct": score.correct,
        "images": score.total,
        "accuracy": score.accuracy,
        "low": score.low,
        "high": score.high,
    }


def percent_axis(low: float, high: float, *, max_ticks: int = 5) -> PlotlyDict:
    """Return the axis settings for shares from `low` to `high`, with at most `max_ticks` round ticks such as "20 %"."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0) if high / step < max_ticks or step == 1)
    marks = np.arange(0, min(high, 1.0) + 1e-9, step).tolist()
    return {"range": [low, high], "tickvals": marks, "ticktext": [percent(mark, 0) for mark in marks]}


def log_percent_axis(least: float) -> PlotlyDict:
    """Return the settings of a logarithmic axis for shares from `least` to 1, with ticks such as "0.1 %"."""
    marks = [10.0**power for power in range(-6, 1)]
    ticks = {"tickvals": marks, "ticktext": [f"{100 * mark:g}{chr(160)}%" for mark in marks]}
    return {"type": "log", "range": [np.log10(least) - 0.05, 0.05], **ticks}


def list_axis(labels: Sequence[str], theme: Theme) -> PlotlyDict:
    """Return the settings of a vertical axis with these labels from top to bottom, the first at 0, the next at 1."""
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": list(labels),
        "tickfont": {"size": SMALL_FONT, "color": theme.ink},
        "range": [len(labels) - 0.4, -0.6],
    }


def layer_axis(layers: Iterable[str]) -> PlotlyDict:
    """Return the settings of a horizontal axis along these layers, which may occur several times.

    Of many layers every second one has a label, or fewer, and the last one.
    """
    each = list(dict.fromkeys(layers))
    short = dict(zip(each, short_layers(each), strict=True))
    step = max(1, -(-len(each) // MAX_LAYER_LABELS))
    labelled = [*each[:-step:step], *each[-1:]]
    return {
        "type": "category",
        "tickvals": labelled,
        "ticktext": [short[layer] for layer in labelled],
        "range": [-0.5, len(each) - 0.5],
    }


def spread_labels(values: Sequence[float], gap: float) -> list[float]:
    """Return the heights of labels, moved as little as necessary so that any two are at least `gap` apart."""
    order = np.argsort(values, kind="stable")
    steps = np.arange(len(values)) * gap
    blocks: list[list[float]] = []  # Neighbours that touch share one mean (pool adjacent violators).
    for value in np.asarray(values, float)[order] - steps:
        blocks.append([float(value)])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    placed = np.concatenate([[np.mean(block)] * len(block) for block in blocks]) + steps
    return placed[np.argsort(order, kind="stable")].tolist()
