"""Chart of one objective over two hyperparameters, as a surface that is only estimated near trials."""

from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import (
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
    """A surface over two hyperparameters, brighter is better, with the trials behind it as points."""
    x_name, y_name = pair or _first_two(sweep_data)
    name = objective or sweep_data.sweep.spec.objectives[0]
    known = _known(sweep_data, name)
    scales = [sweep_drawing.axis_scale(sweep_data.search_range(own)) for own in (x_name, y_name)]
    spans = [_span(sweep_data, own) for own in (x_name, y_name)]
    points = np.array(
        [[scale.position(t.params[k]) for scale, k in zip(scales, (x_name, y_name), strict=True)] for t, _ in known]
    )
    values = np.array([value for _, value in known])
    axes = [np.linspace(low, high, GRID_SIZE) for low, high in spans]
    share = OBJECTIVES[name].is_fraction
    drawn = go.Figure()
    drawn.update_layout(template=theme.template, height=HEIGHT, clickmode="event+select", margin={"t": 66, "r": 8})
    drawn.add_heatmap(
        x=axes[0],
        y=axes[1],
        z=smooth(points, values, axes, spans).astype(np.float32),
        colorscale="Viridis",
        reversescale=OBJECTIVES[name].lower_is_better,
        zmin=float(values.min()),
        zmax=float(values.max()) if np.ptp(values) else float(values.min()) + 1e-9,
        zsmooth="best",
        hoverinfo="skip",
        colorbar=sweep_drawing.colorbar(OBJECTIVES[name].title, theme, tickformat=".0%" if share else None, nticks=6),
    )
    drawn.add_scatter(
        x=compact(points[:, 0]),
        y=compact(points[:, 1]),
        mode="markers",
        marker={"size": 9, "color": theme.page, "line": {"color": theme.ink, "width": 1.5}},
        **hover(sweep_data, [trial for trial, _ in known]),
        unselected={"marker": {"opacity": 1}},
        cliponaxis=False,
    )
    for axis, own, scale, span in zip("xy", (x_name, y_name), scales, spans, strict=True):
        layout: PlotlyDict = {
            "tickvals": scale.tick_values,
            "ticktext": scale.tick_labels,
            "title_text": sweep_data.hyperparameter_title(own),
        }
        drawn.update_layout({f"{axis}axis": layout | {"range": list(span)}})
    return drawn


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
    trial, value = pick(_known(sweep_data, name), key=lambda one: one[1])
    where = " and ".join(
        f"{sweep_data.hyperparameter_title(own).lower()} {format_value(trial.params[own])}" for own in names
    )
    return f"The best trial, {format_objective(name, value)}, has {where}. The surface is only drawn near trials."


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
    caveat="Between points the colour is a weighted mean of nearby trials, which is an estimate; where no trial is "
    "near nothing is drawn. All other hyperparameters varied freely.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
