"""Chart of one objective against one hyperparameter: every trial, whatever its other hyperparameters."""

from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import (
    NONE_YET,
    SweepChart,
    SweepData,
    compact,
    format_objective,
    format_value,
    hover,
)
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.domain.sweeps import objectives
from unlearn_core.domain.sweeps.objectives import OBJECTIVES
from unlearn_core.domain.sweeps.sweep import Trial

HEIGHT = 230


def applies(sweep_data: SweepData, *, objective: str | None = None) -> Literal[True] | str:
    """True if a trial has a value for this objective, else the reason."""
    if not sweep_data.done:
        return NONE_YET
    name = objective or sweep_data.sweep.spec.objectives[0]
    return True if _known(sweep_data, name) else f"{OBJECTIVES[name].title} was not measured in any of these trials."


def figure(
    sweep_data: SweepData, theme: Theme, *, hyperparameter: str | None = None, objective: str | None = None
) -> go.Figure:
    """One objective over one hyperparameter; later trials have a stronger colour, the best trial has a ring."""
    name = objective or sweep_data.sweep.spec.objectives[0]
    hyperparameter = hyperparameter or sweep_data.sweep.spec.ranges[0].knob
    scale, known = sweep_drawing.axis_scale(sweep_data.search_range(hyperparameter)), _known(sweep_data, name)
    drawn = go.Figure()
    drawn.update_layout(template=theme.template, height=HEIGHT, clickmode="event+select", margin={"t": 8, "r": 14})
    drawn.add_scatter(
        x=compact(scale.position(trial.params[hyperparameter]) for trial, _ in known),
        y=compact(value for _, value in known),
        mode="markers",
        marker={
            "size": 9,
            "color": [trial.number for trial, _ in known],
            "colorscale": [[0, theme.border], [0.35, theme.before], [1, theme.after]],
            "cmin": 0,
            "cmax": max(1, len(sweep_data.trials) - 1),
            "line": {"color": theme.quiet, "width": 0.5},
        },
        **hover(sweep_data, [trial for trial, _ in known]),
        unselected={"marker": {"opacity": 1}},
        cliponaxis=False,
    )
    ringed = [(trial, value) for trial, value in known if sweep_data.best and trial.number == sweep_data.best.number]
    for trial, value in ringed:
        ring = {"symbol": "circle-open", "size": 18, "color": theme.after, "line": {"width": 2}}
        drawn.add_scatter(
            x=[scale.position(trial.params[hyperparameter])],
            y=[value],
            mode="markers",
            marker=ring,
            hoverinfo="skip",
            cliponaxis=False,
        )
    drawn.update_xaxes(
        tickvals=scale.tick_values,
        ticktext=scale.tick_labels,
        title_text=sweep_data.hyperparameter_title(hyperparameter),
        range=_across(sweep_data, hyperparameter),
    )
    drawn.update_yaxes(
        showgrid=True, nticks=5, title_text=OBJECTIVES[name].axis, range=_up([value for _, value in known])
    )
    if OBJECTIVES[name].is_fraction:
        drawn.update_yaxes(tickformat=".0%")
    return drawn


def summary(sweep_data: SweepData, *, hyperparameter: str | None = None, objective: str | None = None) -> str:
    """The best value with its hyperparameter, the worst value and the trend."""
    name = objective or sweep_data.sweep.spec.objectives[0]
    hyperparameter = hyperparameter or sweep_data.sweep.spec.ranges[0].knob
    known = _known(sweep_data, name)
    pick = min if OBJECTIVES[name].lower_is_better else max
    trial, value = pick(known, key=lambda one: one[1])
    worst = (max if pick is min else min)(value for _, value in known)
    words = f"Best {format_objective(name, value)} at {format_value(trial.params[hyperparameter])}"
    words += f", worst {format_objective(name, worst)}"
    return f"{words}{_tendency(sweep_data, hyperparameter, known)}."


def _tendency(sweep_data: SweepData, hyperparameter: str, known: list[tuple[Trial, float]]) -> str:
    """Spearman's rank correlation in words, if there are enough trials."""
    if sweep_data.search_range(hyperparameter).is_choice or len(known) < 5:
        return ""
    scale = sweep_drawing.axis_scale(sweep_data.search_range(hyperparameter))
    ranks = [
        pd.Series(column).rank().to_numpy()
        for column in zip(*((scale.position(t.params[hyperparameter]), v) for t, v in known), strict=True)
    ]
    if any(np.ptp(own) == 0 for own in ranks):
        return ""
    size = float(np.corrcoef(np.stack(ranks))[0, 1])
    trend = "increases with it" if size > 0.3 else "decreases with it" if size < -0.3 else "shows no trend"
    return f"; overall the value {trend} (rank correlation {size:.1f})".replace("-", "\N{MINUS SIGN}")


def alt_text(sweep_data: SweepData, *, hyperparameter: str | None = None, objective: str | None = None) -> str:
    """The same in words."""
    known = _known(sweep_data, objective or sweep_data.sweep.spec.objectives[0])
    return f"Scatter of {len(known)} trials. {summary(sweep_data, hyperparameter=hyperparameter, objective=objective)}"


def table(sweep_data: SweepData) -> pd.DataFrame:
    """One row per trial, the same table for every sweep chart."""
    return sweep_drawing.trials_table(sweep_data)


def for_hyperparameter(hyperparameter: str, objective: str) -> SweepChart:
    """The chart for this hyperparameter and this objective."""
    which = {"hyperparameter": hyperparameter, "objective": objective}
    return replace(
        SWEEP_CHART,
        id=f"slice-{hyperparameter}-{objective}",
        title=OBJECTIVES[objective].title,
        applies=partial(applies, objective=objective),
        figure=partial(figure, **which),
        summary=partial(summary, **which),
        alt_text=partial(alt_text, **which),
    )


def _known(sweep_data: SweepData, name: str) -> list[tuple[Trial, float]]:
    found = ((trial, objectives.objective_value(name, trial.metrics)) for trial in sweep_data.done)
    return [(trial, value) for trial, value in found if value is not None]


def _up(values: list[float]) -> list[float]:
    """The range of a vertical axis around these values; equal values lie in its middle."""
    middle, span = (min(values) + max(values)) / 2, max(max(values) - min(values), 0.1 * abs(max(values)), 0.02)
    return [middle - 0.6 * span, middle + 0.6 * span]


def _across(sweep_data: SweepData, hyperparameter: str) -> list[float]:
    one = sweep_data.search_range(hyperparameter)
    scale = sweep_drawing.axis_scale(one)
    ends = [scale.position(value) for value in (one.values if one.is_choice else (one.low, one.last_value))]
    room = 0.5 if one.is_choice else (max(ends) - min(ends)) * 0.05
    return [min(ends) - room, max(ends) + room]


SWEEP_CHART = SweepChart(
    id="slice",
    title="Effect of one hyperparameter",
    question="How does one objective change with each hyperparameter?",
    caveat="Every trial is shown whatever its other hyperparameters, so points above one another differ in those. An "
    "adaptive sampler tries more where trials were good: empty regions were predicted to be bad, not shown to be.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
