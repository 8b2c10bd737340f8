"""Accuracy of each class on test images, before and after and of gold: which other classes got worse."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import (
    NO_GOLD,
    Chart,
    accuracy_columns,
    build_table,
    models,
    needs_images,
    panels,
    percent_axis,
)
from unlearn_core.charts.drawing.dumbbell import row_axis, row_heights, score_dumbbells
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import (
    MODEL_LABELS,
    capitalize,
    describe_change,
    forgotten_classes,
    join_words,
    percent,
)
from unlearn_core.charts.text.card import share
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.predictions import ConfusionResult, Score
from unlearn_core.domain.verdicts.paired_comparison import Comparison
from unlearn_core.domain.verdicts.report_verdicts import class_comparisons
from unlearn_core.domain.verdicts.rule import FEWEST_IMAGES

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
        drawn.add_traces(_traces(report, theme), rows=1, cols=column)
        classes, gone = report.dataset.classes, forgotten_classes(report)
        labels = [f"<b>{name}</b> (forgotten)" if number in gone else name for number, name in enumerate(classes)]
        room = (0.6, 0.6 + most - len(classes))
        drawn.update_yaxes(**row_axis(labels, theme, room=room), row=1, col=column)
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.03, 1.03, max_ticks=3 if len(reports) > 1 else 5))
    drawn.update_xaxes(title_text="accuracy on test images", row=1)
    return drawn


def _traces(report: Report, theme: Theme) -> list[go.Scatter]:
    classes = report.dataset.classes
    return score_dumbbells(
        {model: dict(zip(classes, _scores(report, model), strict=True)) for model in models(report)},
        row_heights(classes).values(),
        theme,
        gold_lift=0.22,
        sizes=dict.fromkeys(MODEL_LABELS, 8),
        opacity=0.55,
    )


def summary(report: Report) -> str:
    """Describe the retained class that lost most, and name others that lost more than chance explains."""
    compared = class_comparisons(report, "before")
    if not compared:
        count = len(report.dataset.classes) - len(forgotten_classes(report))
        return f"None of the {count} retained classes has a test image, so none has an accuracy."
    worst = min(compared, key=lambda number: compared[number][0].difference)
    one, relation = compared[worst]
    lost = [number for number, (_, found) in compared.items() if found in ("lower", "lost")]
    said = f"Of the retained classes, {report.dataset.classes[worst]} did worst: {_change(one)}"
    said += f", {'more than' if relation in ('lower', 'lost') else 'which may be'} chance."
    others = sorted((number for number in lost if number != worst), key=lambda number: compared[number][0].difference)
    if others:
        names = join_words([report.dataset.classes[number] for number in others])
        said += f" {capitalize(names)} {'also ' if worst in lost else ''}lost more than chance explains."
    if "gold" not in report.evaluations:
        return f"{said} {NO_GOLD}"
    return f"{said} Retrained model: {share(_scores(report, 'gold')[worst].accuracy, one.images)}."


def _change(one: Comparison) -> str:
    """How a class changed, in points, or in images where there are few."""
    pair = f"{share(one.reference, one.images)} → {share(one.accuracy, one.images)}"
    if one.images < FEWEST_IMAGES:
        return f"{pair} of {one.images} images"
    return f"it {describe_change(one.reference, one.accuracy)} ({pair})"


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
    applies=needs_images(ConfusionResult, "test images", "forget_test", "retain_test"),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=330,
    section="Classes",
    order=10,
)
