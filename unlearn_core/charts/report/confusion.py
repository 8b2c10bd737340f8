"""Confusion matrices: true class by row, predicted class by column, for each model on a common scale."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, models, needs_images, report_labels
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme
from unlearn_core.charts.drawing.wording import MODEL_LABELS, forgotten_classes, number, percent
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.predictions import ConfusionResult

MAX_LABELLED_CLASSES = 12
"""Up to this many classes, every share is written into its cell where there is only one panel."""
_STRONG = 0.35
"""From this share on, the colour of a cell is closer to the accent than to the page."""
_PANEL = 400
_HEADING = 40


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model, true and predicted class that occurred: the number of images and their share."""
    return build_table(reports, lambda report: [row for model in models(report) for row in _rows(report, model)])


def _rows(report: Report, model: str) -> list[Row]:
    counts, share = _counts(report, model), class_shares(report, model)
    classes = report.dataset.classes
    return [
        {
            "model": MODEL_LABELS[model],
            "true class": classes[true],
            "predicted class": classes[said],
            "images": int(counts[true, said]),
            "share": float(share[true, said]),
        }
        for true, said in np.argwhere(counts).tolist()
    ]


def _counts(report: Report, model: str) -> np.ndarray:
    return report[ConfusionResult].matrices[model]


def class_shares(report: Report, model: str) -> np.ndarray:
    """Return the share of each class (row) predicted as each class (column): (C, C); 0 for a class without images."""
    counts = _counts(report, model)
    whole = counts.sum(1, keepdims=True)
    return np.divide(counts, whole, out=np.zeros_like(counts), where=whole > 0)


def figure(reports: Sequence[Report], theme: Theme, only: str | None = None) -> go.Figure:
    """Draw a panel per model and a row per report; with `only`, one panel per report with the shares in its cells."""
    shown = [only] if only else [model for model in MODELS if any(model in models(report) for report in reports)]
    drawn = make_subplots(
        rows=len(reports),
        cols=len(shown),
        shared_yaxes=True,
        column_titles=None if only else [MODEL_LABELS[model] for model in shown],
        row_titles=report_labels(reports) if len(reports) > 1 else None,
        horizontal_spacing=0.03,
        vertical_spacing=0.12 if len(reports) > 1 else 0,
    )
    drawn.update_annotations(font={"size": 14, "color": theme.ink})
    top = 8 if only else _HEADING
    drawn.update_layout(template=theme.template, height=_PANEL * len(reports) + top, margin={"t": top})
    for row, report in enumerate(reports, 1):
        classes, gone = report.dataset.classes, forgotten_classes(report)
        for column, model in enumerate(shown, 1):
            if model in models(report):
                drawn.add_trace(_heat(report, model, theme), row=row, col=column)
                if only and len(classes) <= MAX_LABELLED_CLASSES:
                    drawn.add_trace(_cell_labels(class_shares(report, model), theme), row=row, col=column)
        ticks = {
            "tickvals": list(range(len(classes))),
            "ticktext": [f"<b>{name}</b>" if number in gone else name for number, name in enumerate(classes)],
        }
        drawn.update_xaxes(**ticks, tickangle=-90, range=[-0.5, len(classes) - 0.5], row=row)
        drawn.update_yaxes(**ticks, range=[len(classes) - 0.5, -0.5], row=row)
        drawn.update_yaxes(title_text="true class", row=row, col=1)
        drawn.update_xaxes(title_text="predicted class", row=row)
    return drawn


def _heat(report: Report, model: str, theme: Theme) -> go.Heatmap:
    """Colour by the square root of the shares, so that rare errors are visible; the hover text has the shares."""
    share, counts, classes = class_shares(report, model), _counts(report, model), report.dataset.classes
    return go.Heatmap(
        name=MODEL_LABELS[model],
        z=np.sqrt(share).round(4).tolist(),
        zmin=0,
        zmax=1,
        colorscale=[[0, theme.page], [1, theme.after]],
        showscale=False,
        xgap=1,
        ygap=1,
        customdata=[
            [
                [classes[true], classes[said], int(counts[true, said]), percent(float(share[true, said]))]
                for said in range(len(classes))
            ]
            for true in range(len(classes))
        ],
        hovertemplate=f"<b>{MODEL_LABELS[model]}</b><br>%{{customdata[0]}} predicted as %{{customdata[1]}}: "
        "%{customdata[2]:,} images<br>%{customdata[3]} of that class<extra></extra>",
    )


def _cell_labels(share: np.ndarray, theme: Theme) -> go.Scatter:
    """Return the shares in per cent, in the colour of the page on dark cells and in ink on pale ones."""
    places = np.argwhere(np.round(100 * share) >= 1).tolist()
    return go.Scatter(
        x=[said for _, said in places],
        y=[true for true, _ in places],
        text=[f"{100 * share[true, said]:.0f}" for true, said in places],
        textfont={
            "size": SMALL_FONT,
            "color": [theme.page if share[true, said] > _STRONG else theme.ink for true, said in places],
        },
        mode="text",
        hoverinfo="skip",
    )


def summary(report: Report) -> str:
    """Describe the error that grew most, and how often gold makes it."""
    classes, share = report.dataset.classes, {model: class_shares(report, model) for model in models(report)}
    grown = share["after"] - share["before"]
    np.fill_diagonal(grown, -1)
    true, said = (int(at) for at in np.unravel_index(grown.argmax(), grown.shape))
    if grown[true, said] <= 0:
        wrong = 1 - np.trace(_counts(report, "after")) / _counts(report, "after").sum()
        found = f"No error became more frequent; {percent(float(wrong))} of all predictions are wrong after unlearning."
    else:
        before, after = float(share["before"][true, said]), float(share["after"][true, said])
        found = (
            f"The error that grew most: {percent(after)} of the test images of {classes[true]} are predicted as "
            f"{classes[said]}, up {number(100 * (after - before))} points."
        )
    if "gold" not in share:
        return f"{found} {NO_GOLD}"
    return f"{found} Retrained model: {percent(float(share['gold'][true, said]))}."


def alt_text(report: Report) -> str:
    """List the three most frequent errors of every model."""
    classes = report.dataset.classes
    said = []
    for model in models(report):
        share = class_shares(report, model).copy()
        np.fill_diagonal(share, 0)
        top = np.argsort(-share, axis=None, kind="stable")[:3]
        pairs = [tuple(int(part) for part in np.unravel_index(at, share.shape)) for at in top]
        rows = [
            f"{classes[true]} predicted as {classes[other]} {percent(float(share[true, other]))}"
            for true, other in pairs
        ]
        said.append(f"{MODEL_LABELS[model]}: {', '.join(rows)}")
    return f"Heat maps of the classes predicted for test images of each class. Most frequent errors {'; '.join(said)}."


def applies(report: Report, only: str) -> Literal[True] | str:
    """Return True if there are predictions of this model, else the reason."""
    answer = CHART.applies(report)
    if answer is not True or only in models(report):
        return answer
    return report.missing.get(only, NO_GOLD)


def _one(model: str) -> Chart:
    return replace(
        CHART, id=f"confusion-{model}", applies=partial(applies, only=model), figure=partial(figure, only=model)
    )


CHART = Chart(
    id="confusion",
    title="Confusion matrix",
    question="Which classes are mistaken for which?",
    caveat="Each row is a class and adds up to 100 %. Only test images are counted, so a class has few of them and a "
    "cell of one or two per cent is a handful of images. Colour grows with the square root of the share, so that rare "
    "errors are visible beside correct predictions. The retrained model, trained from another seed, has errors of its "
    "own.",
    applies=needs_images(ConfusionResult, "test images", "forget_test", "retain_test"),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=_PANEL + _HEADING,
    section="Classes",
    order=30,
)
CHART = replace(
    CHART,
    variants={MODEL_LABELS[model]: _one(model) for model in MODELS},
    former_variants={"gold": MODEL_LABELS["gold"]},
)
