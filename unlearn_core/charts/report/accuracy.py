"""Accuracy on the forget and the retain set, before and after and of gold, as dumbbells with 95 % intervals."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, accuracy_columns, build_table, models, needs, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style, text_color, with_alpha
from unlearn_core.charts.drawing.wording import (
    MODEL_LABELS,
    SET_LABELS,
    capitalize,
    describe_change,
    eval_forget_set,
    forget_set_label,
    percent,
    retain_test_label,
)
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.split import set_label

_ABOVE = 0.27
"""How far gold is drawn above its row, in rows, so that it stays visible where all three agree."""


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model and set: correct predictions, images, accuracy and its 95 % interval."""
    return build_table(
        reports,
        lambda report: [
            {"model": MODEL_LABELS[model], "set": set_label(name)} | accuracy_columns(score)
            for model in models(report)
            for name, score in report[AccuracyResult].scores[model].items()
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw dumbbells, one row per set."""
    sets = [name for name in SET_LABELS if any(len(getattr(report.split, name)) for report in reports)]
    heights = {name: len(sets) - 1 - place for place, name in enumerate(sets)}
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        known = {name: at for name, at in heights.items() if len(getattr(report.split, name))}
        for trace in _traces(report, known, theme):
            drawn.add_trace(trace, row=1, col=column)
    drawn.update_yaxes(
        tickvals=list(heights.values()),
        ticktext=[f"<b>{SET_LABELS[name][0]}</b><br>{SET_LABELS[name][1]}" for name in sets],
        tickfont={"size": 13, "color": theme.ink},
        range=[-0.5, len(sets) - 0.3],
    )
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.03, 1.03, max_ticks=3 if len(reports) > 1 else 5))
    drawn.update_xaxes(title_text="accuracy", row=1)
    return drawn


def _traces(report: Report, heights: dict[str, int], theme: Theme) -> list[go.Scatter]:
    scores = report[AccuracyResult].scores
    ends = [(scores["before"][name].accuracy, scores["after"][name].accuracy, at) for name, at in heights.items()]
    rods = go.Scatter(
        x=[x for before, after, _ in ends for x in (before, after, None)],
        y=[y for *_, at in ends for y in (at, at, None)],
        mode="lines",
        line={"color": with_alpha(theme.after, 0.4), "width": 4},
        hoverinfo="skip",
    )
    return [
        rods,
        *(_markers(report, model, heights, theme) for model in models(report)),
        _labels(report, heights, theme),
    ]


def _markers(report: Report, model: str, heights: dict[str, int], theme: Theme) -> go.Scatter:
    scores = {name: report[AccuracyResult].scores[model][name] for name in heights}
    shift = _ABOVE if model == "gold" else 0
    return go.Scatter(
        name=MODEL_LABELS[model],
        x=[score.accuracy for score in scores.values()],
        y=[at + shift for at in heights.values()],
        mode="markers",
        marker=marker_style(theme, model, 9 if model == "after" else 10),
        error_x={
            "type": "data",
            "array": [score.high - score.accuracy for score in scores.values()],
            "arrayminus": [score.accuracy - score.low for score in scores.values()],
            "thickness": 1.5,
            "width": 0,
            "color": with_alpha(getattr(theme, model), 0.75),
        },
        customdata=[
            [set_label(name), score.correct, score.total, percent(score.low), percent(score.high)]
            for name, score in scores.items()
        ],
        hovertemplate=f"<b>{MODEL_LABELS[model]}</b>, %{{customdata[0]}}<br>%{{x:.1%}} correct: "
        "%{customdata[1]:,} of %{customdata[2]:,}<br>95 % interval %{customdata[3]} to %{customdata[4]}<extra></extra>",
    )


def _labels(report: Report, heights: dict[str, int], theme: Theme) -> go.Scatter:
    """Label each dot of after, those of before where there is room, and name the models in the first row."""
    scores, words = report[AccuracyResult].scores, []
    for place, (name, at) in enumerate(heights.items()):
        first = place == 0
        before, after = scores["before"][name].accuracy, scores["after"][name].accuracy
        apart = abs(before - after) > (0.4 if first else 0.25)
        said = f"after {percent(after)}" if first else percent(after)
        if first and not apart:
            said = f"before {percent(before)}, {said}"
        words.append((after, at - _ABOVE, said, text_color(theme, "after")))
        if apart:
            said = f"before {percent(before)}" if first else percent(before)
            words.append((before, at - _ABOVE, said, theme.quiet))
        if first and "gold" in scores:
            gold = scores["gold"][name].accuracy
            words.append((gold, at + 1.9 * _ABOVE, f"{MODEL_LABELS['gold']} {percent(gold)}", theme.quiet))
    return go.Scatter(
        x=[x for x, *_ in words],
        y=[y for _, y, *_ in words],
        text=[text for _, _, text, _ in words],
        textposition=[f"middle {_towards_middle(x)}" for x, *_ in words],
        textfont={"size": SMALL_FONT, "color": [colour for *_, colour in words]},
        mode="text",
        cliponaxis=False,
        hoverinfo="skip",
    )


def _towards_middle(x: float) -> str:
    """Return the side of a point on which its label stays inside the chart."""
    return "right" if x < 0.2 else "left" if x > 0.8 else "center"


def summary(report: Report) -> str:
    """Describe how both accuracies changed, compared with gold."""
    result, name = report[AccuracyResult], eval_forget_set(report)
    forget = {model: result.scores[model][name].accuracy for model in models(report)}
    retain = {model: result.scores[model]["retain_test"].accuracy for model in models(report)}
    gold = f" (retrained model: {percent(forget['gold'])}{_as_intended(result, name)})" if "gold" in forget else ""
    change = describe_change(retain["before"], retain["after"])
    rest = f"On {retain_test_label(report)}, the unlearned model {change}"
    rest += (
        f"; the retrained model {describe_change(retain['before'], retain['gold'])}."
        if "gold" in retain
        else f". {NO_GOLD}"
    )
    return (
        f"Of the {forget_set_label(report)}, {percent(forget['before'])} were classified correctly before and "
        f"{percent(forget['after'])} after{gold}. {rest} Bars are 95{chr(160)}% intervals."
    )


def _as_intended(result: AccuracyResult, name: str) -> str:
    """Compare the accuracy of after with that of gold by their intervals."""
    before, after, gold = (result.scores[model][name] for model in ("before", "after", "gold"))
    if after.low <= gold.high and gold.low <= after.high:
        differs = before.low > gold.high or gold.low > before.high
        return ", as intended" if differs else "; the original model is not significantly different either"
    return ", which is lower" if gold.accuracy < after.accuracy else ", which is higher"


def alt_text(report: Report) -> str:
    """Describe the accuracies of every set in words."""
    result = report[AccuracyResult]
    rows = [_set_text(result, name, models(report)) for name in SET_LABELS if len(getattr(report.split, name))]
    return f"Dot chart of accuracy after forgetting {report.forget_set_title}. {' '.join(rows)}"


def _set_text(result: AccuracyResult, name: str, shown: list[str]) -> str:
    values = ", ".join(f"{MODEL_LABELS[model]} {percent(result.scores[model][name].accuracy)}" for model in shown)
    return f"{capitalize(set_label(name))}: {values}."


CHART = Chart(
    id="accuracy",
    title="Accuracy on forget set and retain set",
    question="Did the model forget the forget set and retain the rest?",
    caveat="A forgotten class that is never predicted proves little by itself: blocking one output has the same "
    "effect. Where single images were forgotten the aim is not zero but the accuracy of the retrained model, which "
    "classifies most of them correctly without being trained on them. The intervals show how much chance there is in "
    "so few images, not how much another seed would change.",
    applies=needs(AccuracyResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Overview",
    order=30,
)
