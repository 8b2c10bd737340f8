"""Chart of both accuracies along the range of one hyperparameter, with gold and the current value."""

from dataclasses import replace
from functools import partial
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import HEIGHT, percent_axis
from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import (
    SweepChart,
    SweepData,
    baseline_accuracy,
    compact,
    format_value,
    hover,
    needs_finished_trial,
    trial_accuracy,
)
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, line_style, text_color
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.sweeps.sweep import Trial

SIDE_LABELS = {"retain": "retain set", "forget": "forget set"}


def applies(sweep_data: SweepData) -> Literal[True] | str:
    """True if a finished trial has accuracies, else the reason."""
    answer = needs_finished_trial(sweep_data)
    if answer is not True or any(trial_accuracy(trial, "after", "retain") is not None for trial in sweep_data.done):
        return answer
    return "No trial has accuracies on validation images, so there is nothing to show."


def figure(sweep_data: SweepData, theme: Theme, *, hyperparameter: str | None = None) -> go.Figure:
    """One point per trial and side, joined by a line where only one hyperparameter was swept."""
    hyperparameter = hyperparameter or sweep_data.sweep.spec.ranges[0].knob
    scale = sweep_drawing.axis_scale(sweep_data.search_range(hyperparameter))
    alone = len(sweep_data.sweep.spec.ranges) == 1
    drawn = go.Figure()
    drawn.update_layout(template=theme.template, height=HEIGHT, clickmode="event+select", margin={"t": 18, "r": 14})
    trials = sorted(sweep_data.done, key=lambda trial: scale.position(trial.params[hyperparameter]))
    for side in SIDE_LABELS:
        own = [(trial, value) for trial in trials if (value := trial_accuracy(trial, "after", side)) is not None]
        drawn.add_scatter(
            name=SIDE_LABELS[side],
            x=compact(scale.position(trial.params[hyperparameter]) for trial, _ in own),
            y=compact(value for _, value in own),
            mode="lines+markers" if alone and not sweep_data.search_range(hyperparameter).is_choice else "markers",
            line=line_style(theme, side, 2.5),
            marker={
                "color": getattr(theme, side),
                "size": 8,
                "symbol": "circle" if side == "retain" else "diamond-tall",
            },
            **hover(sweep_data, [trial for trial, _ in own]),
            unselected={"marker": {"opacity": 1}},
            cliponaxis=False,
        )
        gold = baseline_accuracy(sweep_data, "gold", side)
        if gold is not None:
            drawn.add_hline(gold, line={"color": theme.gold, "width": 1.5, "dash": "dot"})
    _label(drawn, sweep_data, theme, trials, hyperparameter=hyperparameter)
    _mark_current_value(drawn, sweep_data, theme, hyperparameter=hyperparameter)
    ends = [scale.position(value) for value in _ends(sweep_data, hyperparameter)]
    room = (max(ends) - min(ends)) * 0.04 if not sweep_data.search_range(hyperparameter).is_choice else 0.5
    drawn.update_yaxes(showgrid=True, **percent_axis(-0.03, 1.12, max_ticks=6))
    drawn.update_xaxes(
        range=[min(ends) - room, max(ends) + room],
        tickvals=scale.tick_values,
        ticktext=scale.tick_labels,
        title_text=_axis_title(sweep_data, hyperparameter),
    )
    return drawn


def summary(sweep_data: SweepData, *, hyperparameter: str | None = None) -> str:
    """The ranges of both accuracies along the hyperparameter, and gold's accuracies."""
    hyperparameter = hyperparameter or sweep_data.sweep.spec.ranges[0].knob
    scale = sweep_drawing.axis_scale(sweep_data.search_range(hyperparameter))
    trials = sorted(sweep_data.done, key=lambda trial: scale.position(trial.params[hyperparameter]))
    is_alone = len(sweep_data.sweep.spec.ranges) == 1
    parts = []
    for side, name in SIDE_LABELS.items():
        own = [value for trial in trials if (value := trial_accuracy(trial, "after", side)) is not None]
        gold = baseline_accuracy(sweep_data, "gold", side)
        reference = f" (retrained {percent(gold)})" if gold is not None else ""
        if len(own) > 1:
            low, high = (own[0], own[-1]) if is_alone else (min(own), max(own))
            words = f"from {percent(low)} to {percent(high)}" if is_alone else f"{percent(low)} to {percent(high)}"
            parts.append(f"on the {name} {words}{reference}")
        elif own:
            parts.append(f"on the {name} {percent(own[0])}{reference}")
    first, last = trials[0].params[hyperparameter], trials[-1].params[hyperparameter]
    span = f"from {format_value(first)} to {format_value(last)}" if len(trials) > 1 else f"at {format_value(first)}"
    others = "" if is_alone else " Other hyperparameters varied too, so the points scatter."
    return f"{sweep_data.hyperparameter_title(hyperparameter)} {span}: accuracy {', '.join(parts)}.{others}"


def alt_text(sweep_data: SweepData, *, hyperparameter: str | None = None) -> str:
    """The same in words."""
    return "Accuracies along a hyperparameter. " + summary(sweep_data, hyperparameter=hyperparameter)


def along_hyperparameter(hyperparameter: str) -> SweepChart:
    """The chart for this hyperparameter."""
    parts = {
        "figure": partial(figure, hyperparameter=hyperparameter),
        "summary": partial(summary, hyperparameter=hyperparameter),
        "alt_text": partial(alt_text, hyperparameter=hyperparameter),
    }
    return replace(SWEEP_CHART, id=f"along-{hyperparameter}", **parts)


def table(sweep_data: SweepData) -> pd.DataFrame:
    """One row per trial, the same table for every sweep chart."""
    return sweep_drawing.trials_table(sweep_data)


def _ends(sweep_data: SweepData, hyperparameter: str) -> list:
    one = sweep_data.search_range(hyperparameter)
    return list(one.values) if one.is_choice else [one.low, one.last_value]


def _axis_title(sweep_data: SweepData, hyperparameter: str) -> str:
    unit = sweep_data.hyperparameters[hyperparameter].unit if hyperparameter in sweep_data.hyperparameters else ""
    return sweep_data.hyperparameter_title(hyperparameter) + (f", {unit}" if unit else "")


def _label(figure: go.Figure, sweep_data: SweepData, theme: Theme, trials: list[Trial], *, hyperparameter: str) -> None:
    """Label both sides at the left end of their points, clear of the points nearby, and gold at the right."""
    scale = sweep_drawing.axis_scale(sweep_data.search_range(hyperparameter))
    places = [scale.position(trial.params[hyperparameter]) for trial in trials]
    near = [trial for trial, at in zip(trials, places, strict=True) if at <= places[0] + (places[-1] - places[0]) / 3]
    heights = {
        side: [v for trial in near if (v := trial_accuracy(trial, "after", side)) is not None] for side in SIDE_LABELS
    }
    upper = max(heights, key=lambda side: max(heights[side], default=0.0))
    for side, own in heights.items():
        if own:
            figure.add_annotation(
                text=SIDE_LABELS[side],
                x=places[0],
                y=max(own) if side == upper else min(own),
                xanchor="left",
                yshift=15 if side == upper else -15,
                font={"color": text_color(theme, side), "size": SMALL_FONT + 1},
            )
    golds = [gold for side in SIDE_LABELS if (gold := baseline_accuracy(sweep_data, "gold", side)) is not None]
    if golds:
        figure.add_annotation(text="retrained", x=1, xref="paper", xanchor="right", y=max(golds), yshift=9)


def _mark_current_value(figure: go.Figure, sweep_data: SweepData, theme: Theme, *, hyperparameter: str) -> None:
    """A thin line at the hyperparameter's current value, from which the sweep started."""
    one, value = sweep_data.search_range(hyperparameter), sweep_data.sweep.spec.params.get(hyperparameter)
    inside = value in one.values if one.is_choice else value is not None and (one.low or 0) <= value <= one.last_value
    if not inside:
        return
    x = sweep_drawing.axis_scale(one).position(value)
    figure.add_vline(x, line={"color": theme.quiet, "width": 1, "dash": "dash"})
    figure.add_annotation(
        text="current value", x=x, y=1, yref="paper", yanchor="bottom", font={"color": theme.quiet, "size": SMALL_FONT}
    )


SWEEP_CHART = SweepChart(
    id="along",
    title="Accuracy along one hyperparameter",
    question="What does this hyperparameter do?",
    caveat="Validation images, one seed per point. A line joins neighbouring trials; between them nothing is known. "
    "Where other hyperparameters varied too, apparent noise may be their effect.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
