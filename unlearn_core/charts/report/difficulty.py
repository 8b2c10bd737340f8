"""Difficulty: what each model makes of the forget images that are easy, and of those that models memorise."""

from collections.abc import Mapping, Sequence
from math import isnan

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, accuracy_columns, build_table, needs, panels, percent_axis
from unlearn_core.charts.drawing.dumbbell import DotLabel, dot_labels, row_axis, row_heights, score_dumbbells
from unlearn_core.charts.drawing.theme import Theme, text_color
from unlearn_core.charts.drawing.wording import MODEL_LABELS, number, percent
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.predictions import THIRDS, DifficultyResult, Third

OFFER_TEXT = "The difficulty of this request has not been measured: it is only measured on request."
THIRD_TITLES: Mapping[Third, str] = {"high": "most memorised", "middle": "in between", "low": "least memorised"}
"""The thirds from top to bottom."""
_ABOVE = 0.27
"""How far gold is drawn above its row, in rows; labels are as far below."""


def shown_thirds(result: DifficultyResult) -> list[Third]:
    """Return the thirds that have forget images, from top to bottom."""
    return [third for third in THIRD_TITLES if result.thirds[third]["before"].total]


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per third and model: bounds, correct predictions, images, accuracy and its 95 % interval."""

    def rows(report: Report) -> list[Row]:
        result = report[DifficultyResult]
        edges = (-1.0, *result.bounds, 1.0)
        return [
            {"third": THIRD_TITLES[third], "memorisation above": edges[place], "at most": edges[place + 1]}
            | {"model": MODEL_LABELS[model]}
            | accuracy_columns(score)
            for place, third in enumerate(THIRDS)
            for model, score in result.thirds[third].items()
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw dumbbells of the accuracy on the forget images, one row for each third that has any."""
    shown: list[Third] = [
        third for third in THIRD_TITLES if any(third in shown_thirds(one[DifficultyResult]) for one in reports)
    ]
    drawn, heights = panels(reports, theme), row_heights([*shown])
    for column, report in enumerate(reports, 1):
        result = report[DifficultyResult]
        own: list[Third] = [third for third in shown if third in shown_thirds(result)]
        scores = {
            model: {_row(third, result): result.thirds[third][model] for third in own}
            for model in MODELS
            if model in result.thirds["low"]
        }
        traces = score_dumbbells(
            scores,
            [heights[third] for third in own],
            theme,
            gold_lift=_ABOVE,
            sizes={"before": 10, "after": 9, "gold": 10},
            opacity=0.75,
        )
        labels = [label for third in own for label in _labels(result, third, heights[third], theme)]
        drawn.add_traces([*traces, dot_labels(labels)], rows=1, cols=column)
    titles = [_row(third, reports[0][DifficultyResult], lines=len(reports) == 1) for third in shown]
    drawn.update_yaxes(**row_axis(titles, theme, size=13, room=(0.6, 0.7)))
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.03, 1.03, max_ticks=3 if len(reports) > 1 else 5))
    drawn.update_xaxes(title_text="forget images classified correctly", row=1)
    return drawn


def _row(third: Third, result: DifficultyResult, *, lines: bool = False) -> str:
    """Return the title of a row, with the number of images where it stands for one report."""
    count = result.thirds[third]["before"].total
    return f"<b>{THIRD_TITLES[third]}</b><br>{count:,} images" if lines else THIRD_TITLES[third]


def _labels(result: DifficultyResult, third: Third, height: float, theme: Theme) -> list[DotLabel]:
    """Return the value of after below its dot, and of gold above its own."""
    scores = result.thirds[third]
    after = scores["after"].accuracy
    labels = [DotLabel(after, height - _ABOVE, f"after {percent(after)}", text_color(theme, "after"))]
    if "gold" in scores:
        gold = scores["gold"].accuracy
        labels.append(DotLabel(gold, height + 1.9 * _ABOVE, f"retrained {percent(gold)}", theme.quiet))
    return labels


def summary(report: Report) -> str:
    """Describe how many forget images each third has, what each model makes of them, and their entanglement."""
    result, noun = report[DifficultyResult], report.dataset.item_noun
    parts: list[str] = []
    for third in shown_thirds(result):
        scores = result.thirds[third]
        count = scores["before"].total
        others = [f"before {percent(scores['before'].accuracy)}"]
        others += [f"retrained {percent(scores['gold'].accuracy)}"] if "gold" in scores else []
        parts.append(
            f"{count:,} {THIRD_TITLES[third]}, {percent(scores['after'].accuracy)} correct after unlearning "
            f"({', '.join(others)})"
        )
    total = len(result.images)
    words = f"Of {total:,} forget {noun}s, by the thirds of all training {noun}s: {'; '.join(parts)}."
    words += "" if "gold" in result.thirds["low"] else f" {NO_GOLD}"
    words += f" Memorisation is estimated from {result.num_models} small models, with a standard error of "
    words += f"{number(float(result.error.mean()), 2)} for one {noun}."
    return f"{words} {entanglement_sentence(result.entanglement, result.random, total, noun)}"


def entanglement_sentence(score: float, random: Sequence[float], count: int, noun: str) -> str:
    """Describe the entanglement score of a forget set beside that of random sets of the same size."""
    low, median, high = random
    if isnan(score):
        return "Its entanglement is undefined."
    relation = "more entangled than" if score > high else "less entangled than" if score < low else "as entangled as"
    return (
        f"The set is {relation} random sets of {count:,} {noun}s (entanglement score {number(score)}; random sets: "
        f"{number(median)}, nine in ten from {number(low)} to {number(high)})."
    )


def alt_text(report: Report) -> str:
    """List the accuracy of each model by third."""
    result = report[DifficultyResult]
    rows = [
        f"{THIRD_TITLES[third].capitalize()}: "
        + ", ".join(
            f"{MODEL_LABELS[model]} {percent(result.thirds[third][model].accuracy)}"
            for model in MODELS
            if model in result.thirds[third]
        )
        for third in shown_thirds(result)
    ]
    return f"Dot chart of forget images classified correctly, by their memorisation. {'. '.join(rows)}."


CHART = Chart(
    id="difficulty",
    title="Difficulty",
    question="What does the model make of easy and of memorised forget images?",
    caveat="Memorisation is estimated from small models (ResNet-8), each trained on half of the images, not from this "
    "classifier: larger models memorise other images. For a single image it is uncertain, so a third holds images that "
    "belong to its neighbour. Easy images are classified correctly by a retrained model too, so a high accuracy on "
    "them is no failure: compare with the retrained model. With few images in a third its interval is wide. The "
    "entanglement score depends on the classifier and on the number of images, so only the difference from random sets "
    "of the same size counts.",
    applies=needs(DifficultyResult, otherwise=OFFER_TEXT),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Images",
    order=40,
)
