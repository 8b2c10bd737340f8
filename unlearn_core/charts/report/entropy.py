"""Does it hesitate? How undecided the answers to the forgotten pictures are, whatever they are."""

from collections.abc import Sequence
from math import log

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs
from unlearn_core.charts.drawing.density import AxisRange, draw_densities, medians, quantiles, values_in_set
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import capitalize, eval_forget_set, forget_set_label, percent
from unlearn_core.domain.report import Report

_SAME = 0.05
"""Medians this close count as the same hesitation."""


def values(report: Report) -> dict[str, np.ndarray]:
    """The entropy of every answer as a share of the highest possible, ln C, for each model."""
    most = log(len(report.dataset.classes))
    # Rounding may carry an even answer a hair beyond the end of the scale.
    return {
        model: (part / most).clip(0, 1)
        for model, part in values_in_set(report, "entropy", eval_forget_set(report)).items()
    }


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a model: the quantiles of the entropy's share."""
    return build_table(reports, lambda report: quantiles(values(report)))


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """The densities, from certain to no idea."""
    drawn = draw_densities(
        reports,
        theme,
        values=values,
        axis="hesitation (entropy), forgotten pictures",
        span=AxisRange(0.0, 1.0, is_closed=True),
    )
    marks = ["certain", "", "half", "", "no idea"] if len(reports) == 1 else ["certain", "", "", "", "no idea"]
    drawn.update_layout(margin={"l": 26, "r": 26})  # Words at both ends of the axis.
    drawn.update_xaxes(range=[-0.03, 1.03], tickvals=[0, 0.25, 0.5, 0.75, 1], ticktext=marks)
    return drawn


def summary(report: Report) -> str:
    """Half-way marks after forgetting and in gold."""
    middle = medians(values(report))
    said = (
        f"On {forget_set_label(report)} the median hesitation went from {percent(middle['before'], 0)} of the highest "
        f"possible to {percent(middle['after'], 0)}"
    )
    if "gold" not in middle:
        return f"{said}. {NO_GOLD}"
    gap = middle["after"] - middle["gold"]
    if abs(gap) <= _SAME:
        return f"{said}, much like gold ({percent(middle['gold'], 0)})."
    return f"{said}: {'more' if gap > 0 else 'less'} undecided than gold ({percent(middle['gold'], 0)})."


def alt_text(report: Report) -> str:
    """The medians and middle halves in numbers."""
    rows = [
        f"{capitalize(row['model'])}: median {percent(row['50%'], 0)}, middle half {percent(row['25%'], 0)} to "
        f"{percent(row['75%'], 0)}."
        for row in quantiles(values(report))
    ]
    what = f"Densities of the answers' entropy, as a share of the highest possible, on {forget_set_label(report)}."
    return f"{what} {' '.join(rows)}"


CHART = Chart(
    id="certainty",
    title="Entropy of the predictions",
    question="How uncertain is it?",
    caveat="Much hesitation is no proof of forgetting. A net that never saw a class is often quite sure that it is "
    "something else; one that was pushed away from it may be unsure in a way that gives the pictures away. The aim is "
    "gold's curve. At the ends of the scale the smoothing is folded back.",
    applies=needs("logits"),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
