"""Jensen-Shannon divergence from the predictions of gold, before and after, with that of two golds as reference."""

from collections.abc import Mapping, Sequence
from math import isnan

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import ONE_GOLD, TWO_GOLDS, Chart, build_table, needs_gold, panels
from unlearn_core.charts.drawing.dumbbell import (
    DotLabel,
    connectors,
    dot_labels,
    row_axis,
    row_heights,
    set_row_labels,
)
from unlearn_core.charts.drawing.theme import Theme, marker_style, text_color
from unlearn_core.charts.drawing.wording import MODEL_LABELS, capitalize, number
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import DistanceToGold
from unlearn_core.domain.split import set_label

SETS = ("forget_train", "forget_test", "retain_test")
"""The sets drawn, from top to bottom; the validation set is in the table only."""
_DOT_LABELS = {"before": MODEL_LABELS["before"], "after": MODEL_LABELS["after"], "twin": TWO_GOLDS}
_BELOW = 0.27
_ANOTHER = "To measure it, train a second one: `python -m unlearn_core gold` with the same request and `--seed 1`."


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per set and model: its distance to gold in bits."""
    return build_table(
        reports,
        lambda report: [
            {"set": set_label(name), "model": MODEL_LABELS[model], "distance, bits": bits}
            for name, distance in _sets(report).items()
            for model, bits in distance.by_model.items()
        ],
    )


def _sets(report: Report) -> Mapping[str, DistanceToGold]:
    return report[DistanceResult].sets


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one row per set: the distances of before and after, and that between two golds."""
    names = [name for name in SETS if any(name in _sets(report) for report in reports)]
    shown = [distance for report in reports for name, distance in _sets(report).items() if name in names]
    top = max(bits for distance in shown for bits in distance.by_model.values() if not isnan(bits))
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        known = {name: at for name, at in row_heights(names).items() if name in _sets(report)}
        drawn.add_traces(_traces(report, known, theme, top), rows=1, cols=column)
    drawn.update_yaxes(**row_axis(set_row_labels(names), theme, size=13))
    drawn.update_xaxes(showgrid=True, range=[-0.03 * top, 1.08 * top], nticks=5)
    drawn.update_xaxes(title_text="distance to the retrained model, bits (0 = identical)", row=1)
    return drawn


def _traces(report: Report, heights: dict[str, int], theme: Theme, top: float) -> list[go.Scatter]:
    found = _sets(report)
    dots = [
        go.Scatter(
            name=label,
            x=[found[name].by_model[model] for name in heights],
            y=list(heights.values()),
            mode="markers",
            marker=marker_style(theme, "gold" if model == "twin" else model, 10),
            hovertemplate=f"<b>{label}</b><br>%{{x:.3f}} bits<extra></extra>",
        )
        for model, label in _DOT_LABELS.items()
        if not isnan(found["forget_train"].by_model[model])
    ]
    return [
        connectors([(found[name].before, found[name].after, at) for name, at in heights.items()], theme),
        *dots,
        dot_labels(_labels(found, heights, theme, top), end=top),
    ]


def _labels(found: Mapping[str, DistanceToGold], heights: dict[str, int], theme: Theme, top: float) -> list[DotLabel]:
    """Label the dots, naming the models in the first row; before is labelled only where there is room."""
    labels = []
    for place, (name, at) in enumerate(heights.items()):
        before, after, golds = found[name].before, found[name].after, found[name].between_golds
        named, color = place == 0, text_color(theme, "after")
        labels.append(DotLabel(after, at - _BELOW, f"{'after ' if named else ''}{after:.2f}", color))
        if abs(before - after) > 0.3 * top:
            labels.append(DotLabel(before, at - _BELOW, f"{'before ' if named else ''}{before:.2f}", theme.quiet))
        if named and not isnan(golds):
            labels.append(DotLabel(golds, at + _BELOW, f"{TWO_GOLDS} {golds:.2f}", theme.quiet))
    return labels


def summary(report: Report) -> str:
    """Describe the distance before and after, compared with that of two golds."""
    overall = report[DistanceResult].overall.get("test")
    if overall is None:
        return "There are no test images of the retain set, so the distance over both sets has no value."
    golds = f" Between two retrained models it is {number(overall.between_golds, 3)}."
    if isnan(overall.between_golds):
        golds = f" {ONE_GOLD} {_ANOTHER}"
    return (
        f"The distance to the retrained model, averaged over training images of the forget set and test images of the "
        f"retain set, went from "
        f"{number(overall.before, 3)} to {number(overall.after, 3)} bits.{golds}"
    )


def alt_text(report: Report) -> str:
    """List every set with its distances."""
    rows = [
        f"{capitalize(set_label(name))}: before {number(distance.before, 3)}, after {number(distance.after, 3)} bits."
        for name, distance in _sets(report).items()
        if name in SETS
    ]
    return (
        f"Dot chart of the distance to the retrained model after forgetting {report.forget_set_title}. {' '.join(rows)}"
    )


CHART = Chart(
    id="distance",
    title="Distance to the retrained model",
    question="How far are its predictions from those of the retrained model?",
    caveat="Jensen-Shannon divergence between the probabilities that two models predict for the same image, in bits, "
    "averaged: 0 is the same prediction with the same confidence, 1 has nothing in common. Two retrained models from "
    "different seeds are not at 0 either, so below their distance there is nothing to gain. Similar predictions do not "
    "prove that no trace is left in the weights.",
    applies=needs_gold(DistanceResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Overview",
    order=60,
)
