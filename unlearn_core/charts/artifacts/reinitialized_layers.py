"""Layers that stochastic re-initialisation re-initialised, by cycle."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, Row, build_table, list_axis, needs, panels
from unlearn_core.charts.drawing.theme import PlotlyDict, Theme
from unlearn_core.charts.drawing.wording import capitalize, join_words, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.method_artifacts import ReinitializedLayers

_ROW = 19
"""Height of a layer in pixels."""
_MAX_ROWS = 60
"""Of a model with more layers, only those that were re-initialised are drawn."""


def reinit_counts(report: Report) -> tuple[Sequence[str], np.ndarray, bool]:
    """Return the layers that could be re-initialised, and (cycles, layers) how often each one was.

    Where single weights were re-initialised, the second value is the share (0 to 1) of a layer's weights and the third
    is True.
    """
    made = report[ReinitializedLayers]
    return made.layers, made.counts.astype(float), made.granularity == "weights"


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per cycle and layer: how often it was re-initialised, or which share of its weights."""

    def rows(report: Report) -> list[Row]:
        layers, counts, shares = reinit_counts(report)
        what = "share re-initialised" if shares else "times re-initialised"
        return [
            {"cycle": cycle, "layer": layer, what: float(value) if shares else int(value)}
            for cycle, row in enumerate(counts, 1)
            for layer, value in zip(layers, row, strict=True)
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw a dot where a layer was re-initialised, a faint one where it was not; the first layer is on top."""
    found = [reinit_counts(report) for report in reports]
    every = _rows(found)
    figure = panels(reports, theme, height=80 + _ROW * len(every))
    marks = {
        "not re-initialised": {"size": 4, "color": theme.border},
        "re-initialised": {"size": 12, "color": theme.after},
    }
    for column, (layers, counts, shares) in enumerate(found, 1):
        here: PlotlyDict = {"row": 1, "col": column}
        for name, mark in marks.items():
            points = [
                (cycle, layer, value)
                for cycle, row in enumerate(counts.tolist(), 1)
                for layer, value in zip(layers, row, strict=True)
                if bool(value) == (name == "re-initialised") and layer in every
            ]
            dots = go.Scatter(
                name=name,
                x=[cycle for cycle, _, _ in points],
                y=[every.index(layer) for _, layer, _ in points],
                mode="markers",
                marker=mark,
                customdata=[[layer, _times(value, shares)] for _, layer, value in points],
                hovertemplate="<b>%{customdata[0]}</b>, cycle %{x}<br>%{customdata[1]}<extra></extra>",
            )
            figure.add_trace(dots, **here)
        for cycle, layer, text in _notes(layers, counts, shares):
            figure.add_annotation(text=text, x=cycle, y=every.index(layer), xanchor="left", xshift=9, **here)
        last = len(counts)
        figure.update_xaxes(range=[0.5, last + 0.75], tickvals=list(range(1, last + 1)), matches=None, **here)
    figure.update_xaxes(title_text="cycle")
    figure.update_yaxes(showgrid=True, **list_axis(every, theme))
    return figure


def _rows(found: Sequence[tuple[Sequence[str], np.ndarray, bool]]) -> list[str]:
    """Return the layers that are drawn: all, or those that were re-initialised."""
    every = list(dict.fromkeys(layer for layers, _, _ in found for layer in layers))
    chosen = {
        layer for layers, counts, _ in found for layer, times in zip(layers, counts.T, strict=True) if times.any()
    }
    return every if len(every) <= _MAX_ROWS else [layer for layer in every if layer in chosen] or every


def _times(value: float, shares: bool) -> str:
    if shares:
        return f"{percent(value)} of its weights re-initialised"
    times = {0: "not", 1: "once", 2: "twice"}.get(int(value), f"{int(value)} times")
    return f"re-initialised {times}" if value else "not re-initialised"


def _notes(layers: Sequence[str], counts: np.ndarray, shares: bool) -> list[tuple[int, str, str]]:
    """Return cycle, layer and label where a dot is not enough: several times, or a share of the weights."""
    if shares:
        return [(cycle, layers[0], percent(row[0], 0)) for cycle, row in enumerate(counts, 1)]
    return [
        (cycle, layer, f"{int(count)}×")
        for cycle, row in enumerate(counts, 1)
        for layer, count in zip(layers, row, strict=True)
        if count > 1
    ]


def summary(report: Report) -> str:
    """Describe how many layers were re-initialised, which more than once, and how many never."""
    layers, counts, shares = reinit_counts(report)
    cycles = f"{len(counts)} cycle{'s' if len(counts) > 1 else ''}"
    if shares:
        given = join_words([percent(row[0], 0) for row in counts])
        return f"In {cycles}, {given} of the weights of each of {len(layers)} layers were re-initialised at random."
    total = counts.sum(0)
    chosen = [layer for layer, count in zip(layers, total, strict=True) if count]
    by = " by Fisher information" if report[ReinitializedLayers].choice == "fisher" else ""
    said = f"In {cycles}, {int(total.sum())} draws{by} re-initialised {len(chosen)} of {len(layers)} layers"
    again = [layer for layer, count in zip(layers, total, strict=True) if count > 1]
    said += (
        f", {join_words(again)} more than once"
        if again
        else f": {join_words(chosen)}, none more than once"
        if chosen
        else ""
    )
    never = len(layers) - len(chosen)
    return f"{said}. {capitalize(_never(never))}"


def _never(count: int) -> str:
    if not count:
        return "no layer kept its original weights."
    if count == 1:
        return "1 layer was never re-initialised."
    return f"{count} layers were never re-initialised."


def alt_text(report: Report) -> str:
    """List the layers that were re-initialised, by cycle."""
    layers, counts, shares = reinit_counts(report)
    if shares:
        rows = [f"Cycle {cycle}: {percent(row[0])} of each layer's weights." for cycle, row in enumerate(counts, 1)]
        return f"A grid of {len(layers)} layers and {len(counts)} cycles. {' '.join(rows)}"
    rows = []
    for cycle, row in enumerate(counts, 1):
        names = [f"{layer} ({_times(count, shares)})" for layer, count in zip(layers, row, strict=True) if count]
        rows.append(f"Cycle {cycle}: {join_words(names, len(names)) if names else 'none'}.")
    grid = f"A grid of {len(layers)} layers and {len(counts)} cycles, with a dot for each re-initialised layer."
    return f"{grid} {' '.join(rows)}"


CHART = Chart(
    id="redrawn",
    title="Re-initialised layers per cycle",
    question="Which layers were re-initialised?",
    caveat="A re-initialised layer lost everything it had learned, not only the forget images, and was then trained "
    "to restore the original predictions. A layer that was never re-initialised may still contain what should be "
    "forgotten, and another seed chooses other layers: compare several seeds. Layers that the hyperparameters exclude "
    "(the head and the projections of residual blocks) are not listed.",
    applies=needs(
        ReinitializedLayers,
        otherwise="This run did not re-initialise layers at random: only stochastic re-initialisation does.",
    ),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=400,
    section="Inside",
    order=80,
    optional=True,
    is_compared=False,
)
