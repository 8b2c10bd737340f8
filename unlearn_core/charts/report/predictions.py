"""What are they called now? The answers to the forgotten pictures: bars after, pale bars before, gold as diamonds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, models, needs, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import (
    eval_forget_set,
    forget_set_label,
    forgotten_classes,
    is_class_request,
    join_names,
    percent,
)
from unlearn_core.domain.report import Report

MAX_ROWS = 12
"""Beyond so many classes only those named most often get a row of their own."""
_PAD = 4 * "\N{NO-BREAK SPACE}"
_LIKE = ((0.1, "nearly as gold does"), (0.25, "roughly as gold does"), (1.01, "unlike gold"))


def predicted_shares(report: Report, name: str | None = None) -> dict[str, np.ndarray]:
    """For each model the share (C,) of the forgotten pictures that it calls by each class."""
    sets = report.parts["predictions"].facts["sets"][name or eval_forget_set(report)]
    counts = {model: np.array(sets[model]["counts"], float) for model in models(report)}
    return {model: hits / hits.sum() for model, hits in counts.items()}


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a class and set: the share of the forgotten pictures that each model calls so."""
    return build_table(
        reports,
        lambda report: [
            {"set": name, "class": label}
            | {model: float(part[at]) for model, part in predicted_shares(report, name).items()}
            for name in report.parts["predictions"].facts["sets"]
            for at, label in enumerate(report.dataset.classes)
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Bars along the classes, in the data set's order."""
    answers = [predicted_shares(report) for report in reports]
    rows = _rows(reports, answers)
    drawn = panels(reports, theme)
    ends = []
    for column, each in enumerate(answers, 1):
        values = {model: [float(part[at].sum()) for at in rows.values()] for model, part in each.items()}
        words = _words(values)
        for trace in (*_bars(values, list(rows), theme), _labels(values, words, theme)):
            drawn.add_trace(trace, row=1, col=column)
        # About a fiftieth of the panel a letter, so that the words behind a bar end inside it: a panel is half a
        # page wide, also among several, which a page takes apart (aside.py).
        lengths = [0.02 * len(word) for word in words]
        longest = np.max(list(values.values()), axis=0)
        ends += [end / max(0.4, 0.94 - length) for end, length in zip(longest, lengths, strict=True)]
    drawn.update_layout(barmode="overlay")
    labels = [f"<b>{row}</b>" if row in _forgotten(reports) else row for row in rows]
    drawn.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=labels,
        tickfont={"size": SMALL_FONT, "color": theme.ink},
        range=[len(rows) - 0.4, -0.6],
    )
    top = max(ends)
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.012 * top, top, max_ticks=4 if len(reports) > 1 else 6))
    drawn.update_xaxes(title_text=f"share of {_num_images_text(reports)}", row=1)
    return drawn


def _num_images_text(reports: Sequence[Report]) -> str:
    words = {forget_set_label(report) for report in reports}
    return words.pop() if len(words) == 1 else "the forgotten pictures"


def _forgotten(reports: Sequence[Report]) -> set[str]:
    return {report.dataset.classes[at] for report in reports for at in forgotten_classes(report)}


def _rows(reports: Sequence[Report], predictions: Sequence[dict[str, np.ndarray]]) -> dict[str, list[int]]:
    """What each row counts: one class, and in the last row all the rarer ones where there are too many."""
    classes = reports[0].dataset.classes
    if len(classes) <= MAX_ROWS:
        return {label: [at] for at, label in enumerate(classes)}
    weight = np.max([part for each in predictions for part in each.values()], axis=0)
    shown = np.sort(np.argsort(-weight, kind="stable")[: MAX_ROWS - 1])
    rest = [at for at in range(len(classes)) if at not in shown]
    return {classes[at]: [int(at)] for at in shown} | {f"{len(rest)} others": rest}


def _bars(values: dict[str, list[float]], rows: list[str], theme: Theme) -> list[Any]:
    """Pale bars of before behind those of after, and gold's diamonds."""
    hover = "<b>%{customdata}</b><br>{model}: %{x:.1%}<extra></extra>"
    places = list(range(len(rows)))
    looks = {"before": (0.82, with_alpha(theme.before, 0.4)), "after": (0.46, theme.after)}
    bars: list[Any] = [
        go.Bar(
            name=model,
            x=values[model],
            y=places,
            orientation="h",
            width=width,
            marker={"color": colour, "line": {"width": 0}},
            customdata=rows,
            hovertemplate=hover.replace("{model}", model),
        )
        for model, (width, colour) in looks.items()
    ]
    if "gold" not in values:
        return bars
    diamonds = go.Scatter(
        name="gold",
        x=values["gold"],
        y=places,
        mode="markers",
        marker=marker_style(theme, "gold", 10),
        customdata=rows,
        hovertemplate=hover.replace("{model}", "gold"),
        cliponaxis=False,
    )
    return [*bars, diamonds]


def _words(values: dict[str, list[float]]) -> list[str]:
    """The figure of after for each row; before and gold are named in the row where each is largest."""
    words = [percent(after, 0) if after >= 0.015 else "" for after in values["after"]]
    for model in ("gold", "before"):
        if model in values:
            at = int(np.argmax(values[model]))
            named = f"{model} {percent(values[model][at], 0)}"
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
    """The most frequent answers after forgetting, and how like gold's they are."""
    answers, classes = predicted_shares(report), report.dataset.classes
    after = answers["after"]
    order = [int(at) for at in np.argsort(-after, kind="stable") if after[at] >= 0.1][:3]
    top = [f"{classes[at]} ({percent(float(after[at]), 0)})" for at in order]
    said = f"Mostly {join_names(top)}" if top else "No class gets a tenth of the answers"
    if is_class_request(report):
        own = float(after[forgotten_classes(report)].sum())
        said = f"{percent(own)} still get their old name. {said}" if own >= 0.005 else said
    apart = report.parts["predictions"].facts["total_variation"][eval_forget_set(report)]
    if apart["after"] is None or "gold" not in answers:
        return f"{said}. {NO_GOLD}"
    alike = next(words for limit, words in _LIKE if apart["after"] <= limit)
    golds = "" if apart.get("spread") is None else f"two golds: {apart['spread']:.2f}; "
    said += f", {alike}. Total variation to gold: {apart['after']:.2f} ({golds}0 is the same, 1 has nothing in common)."
    after, gold = normalized_entropy(report, "after"), normalized_entropy(report, "gold")
    return said if after is None or gold is None else f"{said} Evenness {after:.2f}, gold's {gold:.2f}."


def normalized_entropy(report: Report, model: str) -> float | None:
    """The entropy of a model's answers as a share of the highest possible; None where nothing can spread."""
    return report.parts["predictions"].facts["sets"][eval_forget_set(report)][model]["entropy"]


def alt_text(report: Report) -> str:
    """The five most frequent answers in numbers."""
    answers, classes = predicted_shares(report), report.dataset.classes
    order = np.argsort(-np.max(list(answers.values()), axis=0), kind="stable")[:5]
    rows = [
        f"{classes[at]}: {', '.join(f'{model} {percent(float(part[at]))}' for model, part in answers.items())}."
        for at in order.tolist()
    ]
    return f"Bar chart of what {forget_set_label(report)} are called. {' '.join(rows)}"


CHART = Chart(
    id="predictions",
    title="Predictions on the forget set",
    question="As what is the forget set classified now?",
    caveat="Gold is no even spread: a net that never saw cats calls most of them dogs. The aim is gold's answers, not "
    "chance. Two golds from different seeds would differ a little too, and so few pictures are a matter of luck: a "
    "small distance is no more than that. Evenness is the entropy of the answers (over the kept classes, where whole "
    "classes were forgotten) as a share of the highest possible: 0 is all in one class, 1 is even.",
    applies=needs("predictions"),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
