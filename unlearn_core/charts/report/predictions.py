"""Classes predicted for the forget images: bars after, pale bars before, diamonds for gold."""

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, list_axis, models, needs, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import (
    MODEL_LABELS,
    eval_forget_set,
    forget_set_label,
    forgotten_classes,
    is_class_request,
    join_words,
    percent,
)
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.predictions import PredictionsResult
from unlearn_core.domain.split import set_label

MAX_ROWS = 12
"""With more classes than this, only the most frequent ones get a row of their own."""
_PAD = 4 * "\N{NO-BREAK SPACE}"


def predicted_shares(report: Report, name: str | None = None) -> dict[str, np.ndarray]:
    """Return for each model the share (C,) of the forget images that it predicts as each class."""
    predicted = report[PredictionsResult].sets[name or eval_forget_set(report)]
    counts = {model: np.array(predicted[model].counts, float) for model in models(report)}
    return {model: hits / hits.sum() for model, hits in counts.items()}


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per class and set: the share of the forget images that each model predicts as this class."""
    return build_table(
        reports,
        lambda report: [
            {"set": set_label(name), "class": label}
            | {MODEL_LABELS[model]: float(part[at]) for model, part in predicted_shares(report, name).items()}
            for name in report[PredictionsResult].sets
            for at, label in enumerate(report.dataset.classes)
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw bars along the classes, in the data set's order."""
    answers = [predicted_shares(report) for report in reports]
    rows = _rows(reports, answers)
    drawn = panels(reports, theme)
    ends = []
    for column, each in enumerate(answers, 1):
        values = {model: [float(part[at].sum()) for at in rows.values()] for model, part in each.items()}
        words = _words(values)
        for trace in (*_bars(values, list(rows), theme), _labels(values, words, theme)):
            drawn.add_trace(trace, row=1, col=column)
        # A letter takes about a fortieth of a panel on a phone: so the words behind a bar end inside it, also among
        # several panels, which a page draws one by one (split_panels.py).
        lengths = [0.025 * len(word) for word in words]
        longest = np.max(list(values.values()), axis=0)
        ends += [end / max(0.4, 0.94 - length) for end, length in zip(longest, lengths, strict=True)]
    drawn.update_layout(barmode="overlay")
    labels = [f"<b>{row}</b>" if row in _forgotten(reports) else row for row in rows]
    drawn.update_yaxes(**list_axis(labels, theme))
    top = max(ends)
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.012 * top, top, max_ticks=4 if len(reports) > 1 else 6))
    drawn.update_xaxes(title_text=f"share of {_images_label(reports)}", row=1)
    return drawn


def _images_label(reports: Sequence[Report]) -> str:
    words = {forget_set_label(report) for report in reports}
    return words.pop() if len(words) == 1 else "the forget images"


def _forgotten(reports: Sequence[Report]) -> set[str]:
    return {report.dataset.classes[at] for report in reports for at in forgotten_classes(report)}


def _rows(reports: Sequence[Report], predictions: Sequence[dict[str, np.ndarray]]) -> dict[str, list[int]]:
    """Return the classes that each row counts: one, or in the last row all rarer ones where there are too many."""
    classes = reports[0].dataset.classes
    if len(classes) <= MAX_ROWS:
        return {label: [at] for at, label in enumerate(classes)}
    weight = np.max([part for each in predictions for part in each.values()], axis=0)
    shown = np.sort(np.argsort(-weight, kind="stable")[: MAX_ROWS - 1])
    rest = [at for at in range(len(classes)) if at not in shown]
    return {classes[at]: [int(at)] for at in shown} | {f"{len(rest)} others": rest}


def _bars(values: dict[str, list[float]], rows: list[str], theme: Theme) -> list[Any]:
    """Return pale bars of before behind those of after, and diamonds for gold."""
    hover = "<b>%{customdata}</b><br>{model}: %{x:.1%}<extra></extra>"
    places = list(range(len(rows)))
    looks = {"before": (0.82, with_alpha(theme.before, 0.4)), "after": (0.46, theme.after)}
    bars: list[Any] = [
        go.Bar(
            name=MODEL_LABELS[model],
            x=values[model],
            y=places,
            orientation="h",
            width=width,
            marker={"color": colour, "line": {"width": 0}},
            customdata=rows,
            hovertemplate=hover.replace("{model}", MODEL_LABELS[model]),
        )
        for model, (width, colour) in looks.items()
    ]
    if "gold" not in values:
        return bars
    diamonds = go.Scatter(
        name=MODEL_LABELS["gold"],
        x=values["gold"],
        y=places,
        mode="markers",
        marker=marker_style(theme, "gold", 10),
        customdata=rows,
        hovertemplate=hover.replace("{model}", MODEL_LABELS["gold"]),
        cliponaxis=False,
    )
    return [*bars, diamonds]


def _words(values: dict[str, list[float]]) -> list[str]:
    """Return the label of each row: the share of after; before and gold are named in the row where each is largest."""
    words = [percent(after, 0) if after >= 0.015 else "" for after in values["after"]]
    for model in ("gold", "before"):
        if model in values:
            at = int(np.argmax(values[model]))
            named = f"{MODEL_LABELS[model]} {percent(values[model][at], 0)}"
            words[at] = f"{words[at]} · {named}" if words[at] else named
    return words


def _labels(values: dict[str, list[float]], words: list[str], theme: Theme) -> go.Scatter:
    return go.Scatter(
        x=np.max(list(values.values()), axis=0),
        y=list(range(len(words))),
        text=[_PAD + word if word else "" for word in words],
        textposition="middle right",
        textfont={"size": SMALL_FONT, "color": theme.quiet},
        mode="text",
        hoverinfo="skip",
        cliponaxis=False,
    )


def summary(report: Report) -> str:
    """Describe the most frequent predictions after unlearning, and how similar they are to gold's."""
    answers, classes = predicted_shares(report), report.dataset.classes
    after = answers["after"]
    order = [int(at) for at in np.argsort(-after, kind="stable") if after[at] >= 0.1][:3]
    top = [f"{classes[at]} ({percent(float(after[at]), 0)})" for at in order]
    said = f"Mostly {join_words(top)}" if top else "No class gets a tenth of the predictions"
    if is_class_request(report):
        own = float(after[forgotten_classes(report)].sum())
        said = f"{percent(own)} are still predicted as a forgotten class. {said}" if own >= 0.005 else said
    distance = report[PredictionsResult].total_variation[eval_forget_set(report)]
    if isnan(distance.after) or "gold" not in answers:
        return f"{said}. {NO_GOLD}"
    golds = "" if isnan(distance.between_golds) else f"two retrained models: {distance.between_golds:.2f}; "
    said += f". Total variation distance to the retrained model: {distance.after:.2f} "
    said += f"({golds}0 is the same, 1 has nothing in common)."
    after, gold = normalized_entropy(report, "after"), normalized_entropy(report, "gold")
    return said if after is None or gold is None else f"{said} Evenness: {after:.2f}, retrained {gold:.2f}."


def normalized_entropy(report: Report, model: str) -> float | None:
    """Return the entropy of a model's predictions as a share of the maximum; None where only one class is possible."""
    return report[PredictionsResult].sets[eval_forget_set(report)][model].entropy


def alt_text(report: Report) -> str:
    """List the five most frequent predictions in numbers."""
    answers, classes = predicted_shares(report), report.dataset.classes
    order = np.argsort(-np.max(list(answers.values()), axis=0), kind="stable")[:5]
    rows = []
    for at in order.tolist():
        shares = [f"{MODEL_LABELS[model]} {percent(float(part[at]))}" for model, part in answers.items()]
        rows.append(f"{classes[at]}: {', '.join(shares)}.")
    return f"Bar chart of the classes predicted for {forget_set_label(report)}. {' '.join(rows)}"


CHART = Chart(
    id="predictions",
    title="Predictions on the forget set",
    question="Which classes are the forget images assigned to now?",
    caveat="The retrained model does not guess evenly: trained without cats, it classifies most of them as dogs. The "
    "aim is its distribution of predictions, not chance. Two retrained models from different seeds differ a little "
    "too, and so do small samples: a small distance is no more than that. Evenness is the entropy of the predictions "
    "(over the retained classes, where whole classes were forgotten) as a share of the maximum: 0 is all in one "
    "class, 1 is even.",
    applies=needs(PredictionsResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Classes",
    order=20,
)
