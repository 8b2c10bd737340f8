"""Interclass confusion: accuracy on classes with wrong training labels, and how often one is taken for the other."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, needs, panels, percent_axis
from unlearn_core.charts.drawing.dumbbell import DotLabel, dot_labels, row_axis, row_heights, score_dumbbells
from unlearn_core.charts.drawing.theme import Theme, text_color
from unlearn_core.charts.drawing.wording import MODEL_LABELS, capitalize, join_words, percent
from unlearn_core.charts.text.correction_words import correction_line
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.predictions import InterclassConfusionResult, Score

CONFUSED, MEMORIZED = "taken for each other", "wrong label predicted"
_ABOVE = 0.27
"""How far gold is drawn above its row, in rows; labels are as far below."""
_ROW = 76
"""Height of a row in pixels."""


def _measured(report: Report) -> list[str]:
    accuracy = report[InterclassConfusionResult].accuracy
    return [model for model in MODELS if model in accuracy]


def _rows(report: Report) -> dict[str, dict[str, Score]]:
    """The scores of each row by model: of all confused classes, of each of two, and of forget images."""
    result = report[InterclassConfusionResult]
    names, shown = [report.dataset.classes[number] for number in result.classes], _measured(report)
    rows = {f"{join_words(names)}: correct": {model: result.accuracy[model] for model in shown}}
    if len(names) == 2:
        rows |= {f"{name}: correct": {m: result.by_class[m][at] for m in shown} for at, name in enumerate(names)}
    rows[CONFUSED] = {model: result.confused[model] for model in shown}
    if result.num_forgotten:
        rows[MEMORIZED] = {model: result.memorized[model] for model in shown}
    return rows


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per measured share and model: images counted, of how many, the share and its 95 % interval."""

    def rows(report: Report) -> list[Row]:
        return [
            {
                "measure": name,
                "model": MODEL_LABELS[model],
                "counted": score.correct,
                "images": score.total,
                "share": score.accuracy,
                "low": score.low,
                "high": score.high,
            }
            for name, scores in _rows(report).items()
            for model, score in scores.items()
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw dumbbells: test images that are correct, those taken for the other class, and what was memorised."""
    most = max(len(_rows(report)) for report in reports)
    drawn = panels(reports, theme, height=70 + _ROW * most, shared_y=len({tuple(_rows(r)) for r in reports}) == 1)
    for column, report in enumerate(reports, 1):
        rows = _rows(report)
        heights = row_heights(list(rows))
        traces = score_dumbbells(
            {model: {name: scores[model] for name, scores in rows.items()} for model in _measured(report)},
            heights.values(),
            theme,
            gold_lift=_ABOVE,
            sizes={"before": 10, "after": 9, "gold": 10},
            opacity=0.75,
            counted={CONFUSED: CONFUSED, MEMORIZED: "predicted as labelled"},
        )
        drawn.add_traces([*traces, dot_labels(_labels(rows, heights, theme))], rows=1, cols=column)
        labels = [name.replace(": ", "<br>") for name in rows]
        drawn.update_yaxes(**row_axis(labels, theme, size=13, room=(0.6, 0.7)), row=1, col=column)
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.03, 1.03, max_ticks=3 if len(reports) > 1 else 5))
    drawn.update_xaxes(title_text="share of images", row=1)
    return drawn


def _labels(rows: Mapping[str, Mapping[str, Score]], heights: Mapping[str, int], theme: Theme) -> list[DotLabel]:
    """Return the value of after below its dot, and of gold above its own."""
    labels = []
    for name, height in heights.items():
        after = rows[name]["after"].accuracy
        labels.append(DotLabel(after, height - _ABOVE, f"after {percent(after)}", text_color(theme, "after")))
        if "gold" in rows[name]:
            gold = rows[name]["gold"].accuracy
            labels.append(DotLabel(gold, height + 1.9 * _ABOVE, f"retrained {percent(gold)}", theme.quiet))
    return labels


def summary(report: Report) -> str:
    """Describe whether the accuracy on the confused classes came back, and how often one is taken for the other."""
    words = correction_line(report)
    return words if "gold" in report[InterclassConfusionResult].accuracy else f"{words} {NO_GOLD}"


def alt_text(report: Report) -> str:
    """List every share by model."""
    rows = [
        f"{capitalize(name)}: {', '.join(f'{MODEL_LABELS[m]} {percent(one.accuracy)}' for m, one in scores.items())}."
        for name, scores in _rows(report).items()
    ]
    return f"Dot chart of the classes with wrong training labels. {' '.join(rows)}"


CHART = Chart(
    id="interclass_confusion",
    title="Interclass confusion",
    question="Did the accuracy on the confused classes come back?",
    caveat="Some classes are confused even if every label is right, so the aim is not zero but the retrained model, "
    "which was trained without the forget set. If only some of the wrong labels are in the forget set, the retrained "
    "model learned the others too: then even retraining does not undo the confusion. The intervals show how much "
    "chance there is in so few test images, not how much another seed would change.",
    applies=needs(InterclassConfusionResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=450,
    section="Overview",
    order=25,
    optional=True,
)
