"""Chart of one objective over two hyperparameters: tiles where trials form a grid, else a surface near trials."""

from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import (
    COLORBAR_ROOM,
    SweepChart,
    SweepData,
    compact,
    format_objective,
    format_value,
    hover,
)
from unlearn_core.charts.drawing.theme import PlotlyDict, Theme
from unlearn_core.domain.sweeps import objectives
from unlearn_core.domain.sweeps.objectives import OBJECTIVES
from unlearn_core.domain.sweeps.sweep import Trial

HEIGHT = 420
MIN_TRIALS = 6
"""With fewer trials a surface would be misleading."""
GRID_SIZE = 40
MAX_DISTANCE = 0.22
"""Largest distance of the surface from the nearest trial, as a share of either range."""
NEAR = "The surface is only drawn near trials"
WIDTH = 0.12
"""Width of the Gaussian weights by which the surface is smoothed, in the same unit."""


def applies(sweep_data: SweepData, *, objective: str | None = None) -> Literal[True] | str:
    """True if two hyperparameters were swept in enough trials, else the reason."""
    if len(sweep_data.sweep.spec.ranges) < 2:
        return "Only one hyperparameter is swept; this chart needs two."
    found = len(_known(sweep_data, objective or sweep_data.sweep.spec.objectives[0]))
    return (
        True
        if found >= MIN_TRIALS
        else f"This chart needs {MIN_TRIALS} finished trials with this objective; there are {found}."
    )


def figure(
    sweep_data: SweepData, theme: Theme, *, pair: tuple[str, str] | None = None, objective: str | None = None
) -> go.Figure:
    """A map over two hyperparameters, brighter is better, with a tile for each pair of values or a smooth surface."""
    names, name = pair or _first_two(sweep_data), objective or sweep_data.sweep.spec.objectives[0]
    known = _known(sweep_data, name)
    values = np.array([value for _, value in known])
    share = OBJECTIVES[name].is_fraction
    drawn = go.Figure()
    drawn.update_layout(
        template=theme.template, height=HEIGHT, clickmode="event+select", margin={"t": COLORBAR_ROOM, "r": 14}
    )
    look: PlotlyDict = {
        "colorscale": "Viridis",
        "reversescale": OBJECTIVES[name].lower_is_better,
        "zmin": float(values.min()),
        "zmax": float(values.max()) if np.ptp(values) else float(values.min()) + 1e-9,
        "hoverinfo": "skip",
        "colorbar": sweep_drawing.colorbar(
            OBJECTIVES[name].title, theme, tickformat=".0%" if share else None, nticks=6
        ),
    }
    draw = _tiles if _is_grid(known, names) else _surface
    points = draw(drawn, sweep_data, names, known, look)
    drawn.add_scatter(
        x=compact(points[:, 0]),
        y=compact(points[:, 1]),
        mode="markers",
        marker={"size": 9, "color": theme.page, "line": {"color": theme.ink, "width": 1.5}},
        **hover(sweep_data, [trial for trial, _ in known]),
        unselected={"marker": {"opacity": 1}},
        cliponaxis=False,
    )
    return drawn


def _tiles(
    drawn: go.Figure, sweep_data: SweepData, names: tuple[str, str], known: list[tuple[Trial, float]], look: PlotlyDict
) -> np.ndarray:
    """Draw the mean of the trials of each pair of values as one tile, and return the place (n, 2) of each trial."""
    stops = _stops(sweep_data, known, names)
    points = np.array([[stops[axis].index(trial.params[own]) for axis, own in enumerate(names)] for trial, _ in known])
    sums, counts = np.zeros((len(stops[1]), len(stops[0]))), np.zeros((len(stops[1]), len(stops[0])))
    for (column, row), (_, value) in zip(points, known, strict=True):
        sums[row, column] += value
        counts[row, column] += 1
    drawn.add_heatmap(z=(sums / counts).astype(np.float32), xgap=2, ygap=2, **look)
    for axis, own, values in zip("xy", names, stops, strict=True):
        layout: PlotlyDict = {
            "tickvals": list(range(len(values))),
            "ticktext": [format_value(value) for value in values],
            "title_text": sweep_data.hyperparameter_title(own),
            "showgrid": False,
        }
        drawn.update_layout({f"{axis}axis": layout})
    return points


def _surface(
    drawn: go.Figure, sweep_data: SweepData, names: tuple[str, str], known: list[tuple[Trial, float]], look: PlotlyDict
) -> np.ndarray:
    """Draw the weighted mean of nearby trials on a fine grid, and return the place (n, 2) of each trial."""
    scales = [sweep_drawing.axis_scale(sweep_data.search_range(own)) for own in names]
    spans = [_span(sweep_data, own) for own in names]
    points = np.array(
        [[scale.position(trial.params[own]) for scale, own in zip(scales, names, strict=True)] for trial, _ in known]
    )
    axes = [np.linspace(low, high, GRID_SIZE) for low, high in spans]
    smoothed = smooth(points, np.array([value for _, value in known]), axes, spans).astype(np.float32)
    drawn.add_heatmap(x=axes[0], y=axes[1], z=smoothed, zsmooth="best", **look)
    for axis, own, scale, span in zip("xy", names, scales, spans, strict=True):
        layout: PlotlyDict = {
            "tickvals": scale.tick_values,
            "ticktext": scale.tick_labels,
            "title_text": sweep_data.hyperparameter_title(own),
        }
        drawn.update_layout({f"{axis}axis": layout | {"range": list(span)}})
    return points


def _stops(sweep_data: SweepData, known: list[tuple[Trial, float]], names: tuple[str, str]) -> list[list[Any]]:
    """The values of both hyperparameters that trials have, in the order of their axes."""
    scales = [sweep_drawing.axis_scale(sweep_data.search_range(own)) for own in names]
    return [
        sorted({trial.params[own] for trial, _ in known}, key=scale.position)
        for own, scale in zip(names, scales, strict=True)
    ]


def _is_grid(known: list[tuple[Trial, float]], names: tuple[str, str]) -> bool:
    """Whether the trials have every pair of their values."""
    pairs = {tuple(trial.params[own] for own in names) for trial, _ in known}
    columns, rows = (len(set(values)) for values in zip(*pairs, strict=True))
    return len(pairs) == columns * rows


def smooth(points: np.ndarray, values: np.ndarray, axes: list[np.ndarray], spans: list[tuple[float, float]]) -> Any:
    """The weighted mean of values (n,) at points (n, 2) on a grid; NaN where no point is near.

    Gaussian weights over both axes, each scaled by its span (Nadaraya 1964, Watson 1964).
    """
    wide = np.array([high - low for low, high in spans])
    grid = np.stack(np.meshgrid(*axes), -1)
    far = np.linalg.norm((grid[:, :, None, :] - points[None, None]) / wide, axis=-1)
    weights = np.exp(-0.5 * (far / WIDTH) ** 2)
    mean = (weights * values).sum(-1) / np.maximum(weights.sum(-1), 1e-12)
    return np.where(far.min(-1) <= MAX_DISTANCE, mean, np.nan)


def summary(sweep_data: SweepData, *, pair: tuple[str, str] | None = None, objective: str | None = None) -> str:
    """The best trial's value and its two hyperparameters."""
    names, name = pair or _first_two(sweep_data), objective or sweep_data.sweep.spec.objectives[0]
    pick = min if OBJECTIVES[name].lower_is_better else max
    known = _known(sweep_data, name)
    trial, value = pick(known, key=lambda one: one[1])
    where = " and ".join(
        f"{sweep_data.hyperparameter_title(own).lower()} {format_value(trial.params[own])}" for own in names
    )
    drawn = "Each tile is a tried pair of values" if _is_grid(known, names) else NEAR
    return f"The best trial, {format_objective(name, value)}, has {where}. {drawn}."


def alt_text(sweep_data: SweepData, *, pair: tuple[str, str] | None = None, objective: str | None = None) -> str:
    """The same in words."""
    return "Map over two hyperparameters. " + summary(sweep_data, pair=pair, objective=objective)


def table(sweep_data: SweepData) -> pd.DataFrame:
    """One row per trial, the same table for every sweep chart."""
    return sweep_drawing.trials_table(sweep_data)


def for_hyperparameters(pair: tuple[str, str], objective: str) -> SweepChart:
    """The chart for these two hyperparameters and this objective."""
    which: PlotlyDict = {"pair": pair, "objective": objective}
    return replace(
        SWEEP_CHART,
        applies=partial(applies, objective=objective),
        figure=partial(figure, **which),
        summary=partial(summary, **which),
        alt_text=partial(alt_text, **which),
    )


def _first_two(sweep_data: SweepData) -> tuple[str, str]:
    one, other, *_ = sweep_data.sweep.spec.ranges
    return one.knob, other.knob


def _known(sweep_data: SweepData, name: str) -> list[tuple[Trial, float]]:
    found = ((trial, objectives.objective_value(name, trial.metrics)) for trial in sweep_data.done)
    return [(trial, value) for trial, value in found if value is not None]


def _span(sweep_data: SweepData, hyperparameter: str) -> tuple[float, float]:
    one = sweep_data.search_range(hyperparameter)
    scale = sweep_drawing.axis_scale(one)
    ends = [scale.position(value) for value in (one.values if one.is_choice else (one.low, one.last_value))]
    room = 0.5 if one.is_choice else 0.0
    return min(ends) - room, max(ends) + room


SWEEP_CHART = SweepChart(
    id="contour",
    title="Interaction of two hyperparameters",
    question="How do two hyperparameters work together?",
    caveat="Where trials have every pair of their values, each pair has a tile: the mean of its trials. Else the "
    "colour between points is a weighted mean of nearby trials, which is an estimate, and where no trial is near "
    "nothing is drawn. All other hyperparameters varied freely.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
