"""Tried settings: the search with which a run with the preset `auto` began, and what it chose."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs, panels, percent_axis
from unlearn_core.charts.drawing.theme import PlotlyDict, Theme, marker_style
from unlearn_core.charts.drawing.wording import join_words, number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.found_settings import Goal, TriedSettings, TuningResult


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per try; accuracies (0 to 1) are nan where a try failed."""
    return build_table(
        reports,
        lambda report: [
            {
                "try": place + 1,
                "strength": one.strength,
                "settings": describe_settings(one.params, report[TuningResult].titles),
                "forget": one.forget,
                "retain": one.retain,
                "chosen": place == report[TuningResult].chosen,
                "failed": one.failed,
            }
            for place, one in enumerate(report[TuningResult].tried)
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw every try by its two accuracies, in their order, with the goal as an area and a star on the chosen one."""
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        result = report[TuningResult]
        goal, known = result.goal, [(place, one) for place, one in enumerate(result.tried) if not one.failed]
        drawn.add_shape(
            type="rect",
            x0=goal.forget_low,
            x1=goal.forget_high,
            y0=goal.retain_low,
            y1=1,
            fillcolor=theme.gold,
            opacity=0.25,
            line_width=0,
            row=1,
            col=column,
        )
        drawn.add_scatter(
            x=[one.forget for _, one in known],
            y=[one.retain for _, one in known],
            mode="lines+markers+text",
            text=[str(place + 1) for place, _ in known],
            textposition="top center",
            line={"color": theme.quiet, "width": 1, "dash": "dot"},
            marker={
                "color": theme.after,
                "size": [15 if place == result.chosen else 9 for place, _ in known],
                "symbol": ["star" if place == result.chosen else "circle" for place, _ in known],
                "opacity": 1,
            },
            customdata=[describe_settings(one.params, result.titles) for _, one in known],
            hovertemplate="try %{text}: %{customdata}<br>forget %{x:.1%}, retain %{y:.1%}<extra></extra>",
            cliponaxis=False,
            row=1,
            col=column,
        )
        gold = gold_accuracies(report)
        if gold is not None:
            drawn.add_scatter(
                x=[gold[0]],
                y=[gold[1]],
                mode="markers",
                marker=marker_style(theme, "gold"),
                hovertemplate="retrained<br>forget %{x:.1%}, retain %{y:.1%}<extra></extra>",
                cliponaxis=False,
                row=1,
                col=column,
            )
    axis: PlotlyDict = percent_axis(-0.03, 1.08)
    drawn.update_xaxes(title_text="accuracy on the forget set", showgrid=False, **percent_axis(-0.03, 1.03))
    drawn.update_yaxes(showgrid=True, **axis)
    drawn.update_yaxes(title_text="accuracy on the retain set", col=1)
    return drawn


def summary(report: Report) -> str:
    """Say what was looked for, what was chosen, whether it reached the goal, and what the retrained model reaches."""
    gold = gold_accuracies(report)
    if gold is None:
        return f"{_found(report)} {NO_GOLD}"
    reached = f"forget accuracy {percent(gold[0])}, retain accuracy {percent(gold[1])}"
    return f"{_found(report)} The retrained model, which the search did not know, has {reached} on such images."


def gold_accuracies(report: Report) -> tuple[float, float] | None:
    """Return the retrained model's accuracies (0 to 1) on the sets that tries are judged by; None without one."""
    if "gold" not in report.evaluations:
        return None
    split, predicted = report.split, report.evaluations["gold"].logits.argmax(1)
    forget = np.concatenate([split.forget_train, split.forget_val])
    retain = split.retain_val if len(split.retain_val) else split.retain_train
    right = predicted == report.labels
    return float(right[forget].mean()), float(right[retain].mean())


def _found(report: Report) -> str:
    result = report[TuningResult]
    if result.reason:
        return f"Nothing was tried. {result.reason} The rule alone chose {_used(result)}."
    aim = f"Wanted: {_wanted(result.goal)}."
    if result.chosen is None:
        return f"{aim} No try gave a result, so the rule alone chose {_used(result)}."
    chosen = result.tried[result.chosen]
    settings = describe_settings(chosen.params, result.titles)
    found = f"{settings} (forget accuracy {percent(chosen.forget)}, retain accuracy {percent(chosen.retain)})"
    tries = f"{len(result.tried)} {'try' if len(result.tried) == 1 else 'tries'}"
    none = "It did not reach" if len(result.tried) == 1 else f"None of {tries} reached"
    words = f"Found in {tries}: {found}." if result.works else f"{none} it. The closest was used: {found}."
    if result.share == 1:
        return f"{aim} {words}"
    stronger = f" and was {number(result.compensation, 0)} times as strong" if result.compensation > 1 else ""
    short = f"Each try had {percent(result.share, 0)} of the run's steps{stronger}, so the run itself may differ."
    return f"{aim} {words} {short}"


def _used(result: TuningResult) -> str:
    return describe_settings(result.params, result.titles)


def alt_text(report: Report) -> str:
    """List the accuracies of every try."""
    result = report[TuningResult]
    if not result.tried:
        return "Empty scatter: nothing was tried."
    gold = gold_accuracies(report)
    star = "" if gold is None else f" Retrained model: forget {percent(gold[0])}, retain {percent(gold[1])}."
    tries = "; ".join(map(_point, result.tried))
    return f"Scatter of tries in their order: {tries}. Wanted: {_wanted(result.goal)}.{star}"


def describe_settings(params: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Return hyperparameters as "learning rate 0.008 and epochs 3"."""
    words = [
        f"{titles.get(name, name).lower()} {f'{value:g}' if isinstance(value, float) else value}"
        for name, value in params.items()
    ]
    return join_words(words, limit=6)


def _wanted(goal: Goal) -> str:
    retain = f"retain accuracy of at least {percent(goal.retain_low)}"
    if goal.forget_low == 0:
        return f"forget accuracy of at most {percent(goal.forget_high)} and {retain}"
    return f"forget accuracy from {percent(goal.forget_low)} to {percent(goal.forget_high)} and {retain}"


def _point(one: TriedSettings) -> str:
    if one.failed:
        return f"strength {number(one.strength)} failed"
    return f"strength {number(one.strength)} forget {percent(one.forget)}, retain {percent(one.retain)}"


CHART = Chart(
    id="tuning",
    title="Tried settings",
    question="How did the run find its hyperparameters?",
    caveat="The tries are judged by training images of the forget set and by validation images, never by test images. "
    "With few of them, a try can reach the goal by chance. The retrained model is not known then: the goal for single "
    "images is the original model's accuracy on images that it was not trained on.",
    applies=needs(TuningResult, otherwise="All hyperparameters were given, so nothing had to be found."),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="How it went",
    order=15,
    optional=True,
    is_compared=False,
)
