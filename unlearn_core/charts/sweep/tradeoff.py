"""Chart of the trade-off: every trial by forget and retain accuracy, with gold and the Pareto front."""

from dataclasses import replace
from functools import partial
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import (
    COLORBAR_ROOM,
    SweepChart,
    SweepData,
    baseline_accuracy,
    compact,
    format_value,
    hover,
    trial_accuracy,
)
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, share_axis
from unlearn_core.charts.drawing.wording import join_words, percent
from unlearn_core.domain.sweeps import objectives
from unlearn_core.domain.sweeps.sweep import Trial, trial_name

HEIGHT = 560


def applies(sweep_data: SweepData, *, test: bool = False) -> Literal[True] | str:
    """True if a finished trial has both accuracies, else the reason."""
    answer = sweep_drawing.needs_finished_trial(sweep_data)
    if answer is not True:
        return answer
    return True if _shown(sweep_data, test) else "No trial has accuracies on these images, so there is nothing to show."


def table(sweep_data: SweepData) -> pd.DataFrame:
    """One row per trial: outcome, hyperparameters, metrics, and whether it lies on the Pareto front."""
    leading = {trial.number for trial in pareto_front(sweep_data)}
    found = sweep_drawing.trials_table(sweep_data)
    return found.assign(front=found["trial"].isin(list(leading)))


def pareto_front(sweep_data: SweepData) -> list[Trial]:
    """The trials that no other trial beats in both validation accuracies, by increasing forget accuracy."""
    both = sweep_data.sweep.spec.model_copy(update={"objectives": ("forget", "retain")})
    return sorted(
        objectives.pareto_front(both, sweep_data.trials),
        key=lambda trial: trial_accuracy(trial, "after", "forget") or 0.0,
    )


def figure(sweep_data: SweepData, theme: Theme, *, hyperparameter: str | None = None, test: bool = False) -> go.Figure:
    """Trials as points coloured by a hyperparameter, with runs as custom data; gold a star, the front dotted."""
    shown = _shown(sweep_data, test)
    hyperparameter = hyperparameter or sweep_data.sweep.spec.ranges[0].knob
    drawn = go.Figure()
    drawn.update_layout(
        template=theme.template, height=HEIGHT, clickmode="event+select", margin={"t": COLORBAR_ROOM, "r": 14}
    )
    if not test:
        leading = [_at(trial, test) for trial in pareto_front(sweep_data)]
        drawn.add_scatter(
            x=[forget for forget, _ in leading],
            y=[retain for _, retain in leading],
            mode="lines",
            line={"color": theme.after, "width": 1.5, "dash": "dot", "shape": "hv"},
            hoverinfo="skip",
        )
    drawn.add_trace(_points(sweep_data, shown, theme, hyperparameter=hyperparameter, test=test))
    _add_best(drawn, sweep_data, theme, test)
    xs, ys = (list(axis) for axis in zip(*(_at(trial, test) for trial in shown), strict=True))
    gold = [baseline_accuracy(sweep_data, "gold", side, test=test) for side in ("forget", "retain")]
    if gold[0] is not None and gold[1] is not None:
        _add_gold(drawn, (gold[0], gold[1]), theme, is_rightmost=gold[0] > max(xs))
        xs, ys = [*xs, gold[0]], [*ys, gold[1]]
    where = "test" if test else "validation"
    drawn.update_xaxes(title_text=f"forget accuracy, {where}", showgrid=True, **share_axis(xs))
    drawn.update_yaxes(title_text=f"retain accuracy, {where}", showgrid=True, **share_axis(ys))
    return drawn


def summary(sweep_data: SweepData, *, test: bool = False) -> str:
    """The number of trials on the Pareto front, and the best trial's accuracies next to gold's."""
    lead, best = len(pareto_front(sweep_data)), sweep_data.best
    words = f"{lead} of {len(sweep_data.done)} finished trials {'lies' if lead == 1 else 'lie'} on the Pareto front."
    if test:
        words = "Test images are not used to choose trials."
    if best is None:
        return words
    forget, retain = _at(best, test)
    words += f" The best trial by the sweep's objectives, {trial_name(best)}, has forget accuracy {percent(forget)}"
    words += f" and retain accuracy {percent(retain)}"
    gold = [baseline_accuracy(sweep_data, "gold", side, test=test) for side in ("forget", "retain")]
    if gold[0] is not None and gold[1] is not None:
        words += f"; the retrained model {percent(gold[0])} and {percent(gold[1])}."
    else:
        words += ". There is no retrained model to compare with."
    return words + _at_ends(sweep_data, best)


def _at_ends(sweep_data: SweepData, best: Trial) -> str:
    """Say which hyperparameters of the best trial are at an end of their range, where a wider one may be better."""
    numeric = [one for one in sweep_data.sweep.spec.ranges if not one.is_choice]
    found = [
        f"{sweep_data.hyperparameter_title(one.knob).lower()} {format_value(best.params[one.knob])}"
        for one in numeric
        if best.params[one.knob] in (one.low, one.last_value)
    ]
    if not found:
        return ""
    return f" It is at an end of its range ({join_words(found)}), so a wider range may hold a better one."


def alt_text(sweep_data: SweepData, *, test: bool = False) -> str:
    """The ranges of both accuracies in words."""
    xs, ys = (list(axis) for axis in zip(*(_at(trial, test) for trial in _shown(sweep_data, test)), strict=True))
    return (
        f"Scatter of {len(xs)} trials: forget accuracy from {percent(min(xs))} to {percent(max(xs))}, retain "
        f"accuracy from {percent(min(ys))} to {percent(max(ys))}."
    )


def colored_by(hyperparameter: str, *, test: bool = False) -> SweepChart:
    """The chart with its points coloured by this hyperparameter, on validation or test images."""
    return replace(
        SWEEP_CHART,
        applies=partial(applies, test=test),
        figure=partial(figure, hyperparameter=hyperparameter, test=test),
        summary=partial(summary, test=test),
        alt_text=partial(alt_text, test=test),
    )


def _at(trial: Trial, test: bool) -> tuple[float, float]:
    found = (trial_accuracy(trial, "after", side, test=test) for side in ("forget", "retain"))
    forget, retain = (0.0 if one is None else one for one in found)
    return forget, retain


def _shown(sweep_data: SweepData, test: bool) -> list[Trial]:
    sides = ("forget", "retain")
    return [
        one
        for one in sweep_data.done
        if all(trial_accuracy(one, "after", side, test=test) is not None for side in sides)
    ]


def _points(sweep_data: SweepData, shown: list[Trial], theme: Theme, *, hyperparameter: str, test: bool) -> go.Scatter:
    scale = sweep_drawing.axis_scale(sweep_data.search_range(hyperparameter))
    bar = sweep_drawing.colorbar(
        sweep_data.hyperparameter_title(hyperparameter), theme, tickvals=scale.tick_values, ticktext=scale.tick_labels
    )
    marker: PlotlyDict = {
        "size": 12,
        "color": compact(scale.position(trial.params[hyperparameter]) for trial in shown),
        "colorscale": "Viridis",
        "cmin": min(scale.position(value) for value in _ends(sweep_data, hyperparameter)),
        "cmax": max(scale.position(value) for value in _ends(sweep_data, hyperparameter)),
        "line": {"color": theme.ink, "width": 0.5},
        "colorbar": bar,
    }
    return go.Scatter(
        name="trials",
        x=compact(_at(trial, test)[0] for trial in shown),
        y=compact(_at(trial, test)[1] for trial in shown),
        mode="markers",
        marker=marker,
        **hover(sweep_data, shown),
        unselected={"marker": {"opacity": 1}},
        cliponaxis=False,
    )


def _ends(sweep_data: SweepData, hyperparameter: str) -> list[Any]:
    one = sweep_data.search_range(hyperparameter)
    return list(one.values) if one.is_choice else [one.low, one.last_value]


def _add_best(figure: go.Figure, sweep_data: SweepData, theme: Theme, test: bool) -> None:
    best = sweep_data.best
    if best is None or best not in _shown(sweep_data, test):
        return
    ring = {"symbol": "circle-open", "size": 22, "color": theme.after, "line": {"width": 2.5}}
    x, y = _at(best, test)
    figure.add_scatter(x=[x], y=[y], mode="markers", marker=ring, hoverinfo="skip", cliponaxis=False)
    words = f"best: {format_value(next(iter(best.params.values())))}" if len(best.params) == 1 else "best"
    figure.add_annotation(
        text=words, x=x, y=y, xanchor="left", xshift=12, yshift=-15, font={"color": theme.after, "size": SMALL_FONT + 1}
    )


def _add_gold(figure: go.Figure, gold: tuple[float, float], theme: Theme, *, is_rightmost: bool) -> None:
    star = {"symbol": "star", "size": 17, "color": theme.gold, "line": {"color": theme.page, "width": 1}}
    words = f"<b>retrained</b><br>forget accuracy {percent(gold[0])}, retain {percent(gold[1])}<extra></extra>"
    figure.add_scatter(
        name="gold", x=[gold[0]], y=[gold[1]], mode="markers", marker=star, hovertemplate=words, cliponaxis=False
    )
    anchor = {"xanchor": "right", "xshift": -13} if is_rightmost else {"xanchor": "left", "xshift": 13}
    figure.add_annotation(text="retrained", x=gold[0], y=gold[1], yshift=12, **anchor)


SWEEP_CHART = SweepChart(
    id="tradeoff",
    title="Trade-off between forgetting and retaining",
    question="What does forgetting cost?",
    caveat="Each point is a run with one seed: another seed would move it, with few images by more than the distance "
    "between neighbours. The Pareto front uses validation images, on which the sweep also chooses, so the best of many "
    "trials looks slightly better than it is; test images, on which nothing is chosen, show by how much. The goal is "
    "to match the retrained model, not to reach the upper left corner. Failed or early-stopped trials have no point.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
