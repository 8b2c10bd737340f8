"""Accuracy of each class on test images, before and after and of gold: which other classes got worse."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, accuracy_columns, build_table, models, needs, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import (
    MODEL_LABELS,
    capitalize,
    describe_change,
    forgotten_classes,
    join_words,
    percent,
)
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.predictions import ConfusionResult, Score

_ROW = 26
"""Height of a class in pixels."""


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model and class: correct predictions, images, accuracy and its 95 % interval."""
    return build_table(
        reports,
        lambda report: [
            {"model": MODEL_LABELS[model], "class": name} | accuracy_columns(score)
            for model in models(report)
            for name, score in zip(report.dataset.classes, _scores(report, model), strict=True)
        ],
    )


def _scores(report: Report, model: str) -> Sequence[Score]:
    return report[ConfusionResult].scores[model]


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one row per class, in the data set's order; forgotten classes are marked."""
    most = max(len(report.dataset.classes) for report in reports)
    drawn = panels(reports, theme, height=70 + _ROW * most, shared_y=len({r.dataset.id for r in reports}) == 1)
    for column, report in enumerate(reports, 1):
        heights = [len(report.dataset.classes) - 1 - place for place in range(len(report.dataset.classes))]
        for trace in (
            _connectors(report, heights, theme),
            *(_markers(report, m, heights, theme) for m in models(report)),
        ):
            drawn.add_trace(trace, row=1, col=column)
        gone = forgotten_classes(report)
        drawn.update_yaxes(
            tickvals=heights,
            ticktext=[
                f"<b>{name}</b> (forgotten)" if number in gone else name
                for number, name in enumerate(report.dataset.classes)
            ],
            tickfont={"size": SMALL_FONT, "color": theme.ink},
            range=[-0.6, most - 0.4],
            row=1,
            col=column,
        )
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.03, 1.03, max_ticks=3 if len(reports) > 1 else 5))
    drawn.update_xaxes(title_text="accuracy on test images", row=1)
    return drawn


def _connectors(report: Report, heights: Sequence[int], theme: Theme) -> go.Scatter:
    ends = [[score.accuracy for score in _scores(report, model)] for model in ("before", "after")]
    return go.Scatter(
        x=[x for before, after in zip(*ends, strict=True) for x in (before, after, None)],
        y=[y for at in heights for y in (at, at, None)],
        mode="lines",
        line={"color": with_alpha(theme.after, 0.4), "width": 4},
        hoverinfo="skip",
    )


def _markers(report: Report, model: str, heights: Sequence[int], theme: Theme) -> go.Scatter:
    scores = _scores(report, model)
    return go.Scatter(
        name=MODEL_LABELS[model],
        x=[score.accuracy for score in scores],
        y=[at + (0.22 if model == "gold" else 0) for at in heights],
        mode="markers",
        marker=marker_style(theme, model, 8),
        error_x=_interval(scores, getattr(theme, model)),
        customdata=[
            [name, score.correct, score.total, percent(score.low), percent(score.high)]
            for name, score in zip(report.dataset.classes, scores, strict=True)
        ],
        hovertemplate=f"<b>{MODEL_LABELS[model]}</b>, %{{customdata[0]}}<br>%{{x:.1%}} correct: "
        "%{customdata[1]:,} of %{customdata[2]:,}<br>95 % interval %{customdata[3]} to %{customdata[4]}<extra></extra>",
    )


def _interval(scores: Sequence[Score], color: str) -> PlotlyDict:
    ends = [
        (0.0, 0.0) if not score.total else (score.high - score.accuracy, score.accuracy - score.low) for score in scores
    ]
    return {
        "type": "data",
        "symmetric": False,
        "array": [high for high, _ in ends],
        "arrayminus": [low for _, low in ends],
        "color": with_alpha(color, 0.55),
        "thickness": 1.5,
        "width": 0,
    }


def summary(report: Report) -> str:
    """Describe the retained class that lost most, and name others that lost more than chance explains."""
    before, after = _scores(report, "before"), _scores(report, "after")
    gone = forgotten_classes(report)
    retained = [number for number in range(len(before)) if number not in gone and before[number].total]
    worst = min(retained, key=lambda number: after[number].accuracy - before[number].accuracy)
    name = report.dataset.classes[worst]
    fell = after[worst].accuracy - before[worst].accuracy
    apart = after[worst].high < before[worst].low
    said = f"Of the retained classes, {name} did worst: it {describe_change(0, fell)} "
    said += f"({percent(before[worst].accuracy)} → {percent(after[worst].accuracy)}), "
    said += "more than chance explains." if apart else "within its interval."
    others = [number for number in retained if number != worst and after[number].high < before[number].low]
    if others:
        others.sort(key=lambda number: after[number].accuracy - before[number].accuracy)
        lost = join_words([report.dataset.classes[number] for number in others])
        said += f" {capitalize(lost)} {'also ' if apart else ''}lost more than chance explains."
    if "gold" not in report.evaluations:
        return f"{said} {NO_GOLD}"
    gold = _scores(report, "gold")[worst].accuracy
    return f"{said} Retrained model: {percent(gold)}."


def alt_text(report: Report) -> str:
    """List every class with its accuracies."""
    rows = [
        f"{name}: "
        + ", ".join(
            f"{MODEL_LABELS[model]} {percent(_scores(report, model)[number].accuracy)}" for model in models(report)
        )
        for number, name in enumerate(report.dataset.classes)
    ]
    return f"Dot chart of the accuracy of each class on test images. {'. '.join(rows)}."


CHART = Chart(
    id="classes",
    title="Accuracy per class",
    question="Which other classes got worse?",
    caveat="A class has few test images (200 in the bundled data), so a change of five points may be chance. The "
    "retrained model was trained from another seed and has strengths of its own: where it differs from the original "
    "model in a retained class, the difference shows how much a seed can change.",
    applies=needs(ConfusionResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=330,
    section="Classes",
    order=10,
    overview_order=70,
)
