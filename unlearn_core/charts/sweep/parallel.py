"""Parallel coordinates: every trial as a line through its hyperparameters to its objectives."""

from textwrap import wrap
from typing import Literal

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
)
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme
from unlearn_core.domain.sweeps import objectives
from unlearn_core.domain.sweeps.objectives import OBJECTIVES
from unlearn_core.domain.sweeps.sweep import Trial, trial_name

HEIGHT = 370


def applies(sweep_data: SweepData) -> Literal[True] | str:
    """True if at least two trials have values for all objectives of the sweep, else the reason."""
    found = len(_with_objectives(sweep_data))
    if not found:
        return NONE_YET
    return True if found > 1 else "Only one trial has finished; this chart needs two."


def figure(sweep_data: SweepData, theme: Theme) -> go.Figure:
    """One axis per hyperparameter, then one per objective; a stronger colour means a better first objective."""
    spec, trials = sweep_data.sweep.spec, _with_objectives(sweep_data)
    dimensions: list[PlotlyDict] = []
    for one in spec.ranges:
        scale = sweep_drawing.axis_scale(one)
        ends = [scale.position(value) for value in (one.values if one.is_choice else (one.low, one.last_value))]
        dimensions.append(
            {
                "label": _wrapped(sweep_data.hyperparameter_title(one.knob)),
                "values": compact(scale.position(trial.params[one.knob]) for trial in trials),
                "range": [min(ends), max(ends)],
                "tickvals": scale.tick_values,
                "ticktext": scale.tick_labels,
            }
        )
    for name in spec.objectives:
        values = [value for trial in trials if (value := objectives.objective_value(name, trial.metrics)) is not None]
        least, most = min(values), max(values)
        marks = [least, (least + most) / 2, most] if most > least else [least]
        dimensions.append(
            {
                "label": _wrapped(OBJECTIVES[name].title),
                "values": compact(values),
                "range": [least, most] if most > least else [least - 0.5, least + 0.5],
                "tickvals": marks,
                "ticktext": [format_objective(name, mark) for mark in marks],
            }
        )
    first = OBJECTIVES[spec.objectives[0]]
    drawn = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={
                "color": dimensions[len(spec.ranges)]["values"],
                "colorscale": [[0, theme.border], [0.5, theme.before], [1, theme.after]],
                "reversescale": first.lower_is_better,
            },
            labelfont={"size": SMALL_FONT, "color": theme.ink},
            tickfont={"size": SMALL_FONT, "color": theme.ink},
            rangefont={"size": 11, "color": theme.quiet},
            unselected={"line": {"color": theme.border, "opacity": 0.4}},
        )
    )
    drawn.update_layout(template=theme.template, height=HEIGHT, margin={"l": 60, "r": 50, "t": 76, "b": 26})
    return drawn


def summary(sweep_data: SweepData) -> str:
    """The hyperparameters of the best trial and its objectives."""
    best = sweep_data.best
    if best is None:
        return "No trial has values for all objectives of this sweep."
    params = ", ".join(
        f"{sweep_data.hyperparameter_title(name).lower()} {format_value(value)}" for name, value in best.params.items()
    )
    aims = ", ".join(
        f"{OBJECTIVES[name].title.lower()} {format_objective(name, value)}"
        for name, value in zip(
            sweep_data.sweep.spec.objectives,
            objectives.objective_values(sweep_data.sweep.spec, best) or (),
            strict=True,
        )
    )
    how = "A stronger colour is better; drag along an axis to select lines."
    return f"The best trial, {trial_name(best)}, has {params}; it reaches {aims}. {how}"


def alt_text(sweep_data: SweepData) -> str:
    """The number of lines and the axes."""
    names = [sweep_data.hyperparameter_title(one.knob) for one in sweep_data.sweep.spec.ranges]
    names += [OBJECTIVES[name].title for name in sweep_data.sweep.spec.objectives]
    return f"{len(_with_objectives(sweep_data))} lines through {', '.join(names)}. {summary(sweep_data)}"


def table(sweep_data: SweepData) -> pd.DataFrame:
    """One row per trial, the same table for every sweep chart."""
    return sweep_drawing.trials_table(sweep_data)


def _wrapped(title: str) -> str:
    """A title on at most two lines: a third line would overlap the axis, and a phone shows several axes."""
    return "<br>".join(wrap(title, max(12, len(title) // 2 + 4)))


def _with_objectives(sweep_data: SweepData) -> list[Trial]:
    return [trial for trial in sweep_data.done if objectives.objective_values(sweep_data.sweep.spec, trial) is not None]


SWEEP_CHART = SweepChart(
    id="parallel",
    title="All trials in parallel coordinates",
    question="Which settings lead to which results?",
    caveat="Lines that meet on a hyperparameter's axis share its value. That they also end together does not show that "
    "this hyperparameter is the cause, since the sampler varies several at once.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
