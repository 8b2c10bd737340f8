"""How do two knobs work together? One figure over both, guessed only near where something was tried."""

from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import SweepChart, SweepData, format_objective, format_value, hover_text
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.domain import objectives
from unlearn_core.domain.objectives import OBJECTIVES
from unlearn_core.domain.sweep import Trial

HEIGHT = 420
MIN_TRIALS = 6
"""Trials under which a surface would be invention."""
GRID_SIZE = 40
MAX_DISTANCE = 0.22
"""How far from the nearest trial the surface goes on, as a share of either range."""
WIDTH = 0.12
"""Width of the Gaussian weights by which the surface is smoothed, in the same unit."""


def applies(sweep_data: SweepData, *, objective: str | None = None) -> Literal[True] | str:
    """Whether two knobs were swept in enough trials."""
    if len(sweep_data.sweep.spec.ranges) < 2:
        return "One knob is swept: it takes two to see how they work together."
    found = len(_known(sweep_data, objective or sweep_data.sweep.spec.objectives[0]))
    return (
        True
        if found >= MIN_TRIALS
        else f"It takes {MIN_TRIALS} finished trials with this figure, and there are {found}."
    )


def figure(
    sweep_data: SweepData, theme: Theme, *, pair: tuple[str, str] | None = None, objective: str | None = None
) -> go.Figure:
    """A surface over two knobs, the brighter the better, with the trials it rests on as points."""
    x_knob, y_knob = pair or _first_two(sweep_data)
    name = objective or sweep_data.sweep.spec.objectives[0]
    known, scales = (
        _known(sweep_data, name),
        [sweep_drawing.axis_scale(sweep_data.search_range(knob)) for knob in (x_knob, y_knob)],
    )
    spans = [_span(sweep_data, knob) for knob in (x_knob, y_knob)]
    points = np.array(
        [[scale.position(t.params[k]) for scale, k in zip(scales, (x_knob, y_knob), strict=True)] for t, _ in known]
    )
    values = np.array([value for _, value in known])
    axes = [np.linspace(low, high, GRID_SIZE) for low, high in spans]
    share = OBJECTIVES[name].is_fraction
    drawn = go.Figure()
    drawn.update_layout(template=theme.template, height=HEIGHT, clickmode="event+select", margin={"t": 66, "r": 8})
    drawn.add_heatmap(
        x=axes[0],
        y=axes[1],
        z=smooth(points, values, axes, spans),
        colorscale="Viridis",
        reversescale=OBJECTIVES[name].lower_is_better,
        zmin=float(values.min()),
        zmax=float(values.max()) if np.ptp(values) else float(values.min()) + 1e-9,
        zsmooth="best",
        hoverinfo="skip",
        colorbar=sweep_drawing.colorbar(OBJECTIVES[name].title, theme, tickformat=".0%" if share else None, nticks=6),
    )
    drawn.add_scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        marker={"size": 9, "color": theme.page, "line": {"color": theme.ink, "width": 1.5}},
        customdata=[trial.run for trial, _ in known],
        text=[hover_text(sweep_data, trial) for trial, _ in known],
        hovertemplate="%{text}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
        cliponaxis=False,
    )
    for axis, knob, scale, span in zip("xy", (x_knob, y_knob), scales, spans, strict=True):
        layout: dict[str, Any] = {
            "tickvals": scale.tick_values,
            "ticktext": scale.tick_labels,
            "title_text": sweep_data.hyperparameter_title(knob),
        }
        drawn.update_layout({f"{axis}axis": layout | {"range": list(span)}})
    return drawn


def smooth(points: np.ndarray, values: np.ndarray, axes: list[np.ndarray], spans: list[tuple[float, float]]) -> Any:
    """The weighted mean of values (n,) at points (n, 2) on a grid; nothing where no point is near.

    Gaussian weights over both axes, each counted as a share of its span (Nadaraya 1964, Watson 1964).
    """
    wide = np.array([high - low for low, high in spans])
    grid = np.stack(np.meshgrid(*axes), -1)
    far = np.linalg.norm((grid[:, :, None, :] - points[None, None]) / wide, axis=-1)
    weights = np.exp(-0.5 * (far / WIDTH) ** 2)
    mean = (weights * values).sum(-1) / np.maximum(weights.sum(-1), 1e-12)
    return np.where(far.min(-1) <= MAX_DISTANCE, mean, np.nan)


def summary(sweep_data: SweepData, *, pair: tuple[str, str] | None = None, objective: str | None = None) -> str:
    """Where the best trial lies on both knobs."""
    knobs, name = pair or _first_two(sweep_data), objective or sweep_data.sweep.spec.objectives[0]
    pick = min if OBJECTIVES[name].lower_is_better else max
    trial, value = pick(_known(sweep_data, name), key=lambda one: one[1])
    where = " and ".join(
        f"{sweep_data.hyperparameter_title(knob).lower()} {format_value(trial.params[knob])}" for knob in knobs
    )
    return f"The best trial, {format_objective(name, value)}, has {where}. Colour only where a trial is near."


def alt_text(sweep_data: SweepData, *, pair: tuple[str, str] | None = None, objective: str | None = None) -> str:
    """The same in words."""
    return "Map over two knobs. " + summary(sweep_data, pair=pair, objective=objective)


def table(sweep_data: SweepData) -> pd.DataFrame:
    """One row a trial, as every chart of a sweep has it."""
    return sweep_drawing.trials_table(sweep_data)


def for_hyperparameters(pair: tuple[str, str], objective: str) -> SweepChart:
    """The same chart about these two knobs and this objective."""
    which: dict[str, Any] = {"pair": pair, "objective": objective}
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
    found = ((trial, objectives.objective_value(name, trial.headline)) for trial in sweep_data.done)
    return [(trial, value) for trial, value in found if value is not None]


def _span(sweep_data: SweepData, hyperparameter: str) -> tuple[float, float]:
    one, scale = (
        sweep_data.search_range(hyperparameter),
        sweep_drawing.axis_scale(sweep_data.search_range(hyperparameter)),
    )
    ends = [scale.position(value) for value in (one.values if one.is_choice else (one.low, one.last_value))]
    room = 0.5 if one.is_choice else 0.0
    return min(ends) - room, max(ends) + room


SWEEP_CHART = SweepChart(
    id="contour",
    title="How do two knobs work together?",
    caveat="Between the points the colour is a weighted mean of the trials nearby, which is a guess; where none is "
    "near nothing is drawn. All other knobs had whatever values they had.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
