"""How clearly is it right about the rest? The lead of the true class on unseen pictures of what is kept."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs
from unlearn_core.charts.drawing.density import draw_densities, medians, quantiles, values_in_set
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import capitalize, is_class_request, number, percent, retain_set_label
from unlearn_core.domain.report import Report


def values(report: Report) -> dict[str, np.ndarray]:
    """The true class's lead over the best other class, on kept unseen pictures, for each model."""
    return values_in_set(report, "margin", "retain_test")


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a model: the quantiles of the lead."""
    return build_table(reports, lambda report: quantiles(values(report)))


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """The densities of the lead; left of zero the answer is wrong."""
    drawn = draw_densities(
        reports, theme, values=values, axis="lead of the true class (logits), kept and unseen", reference=0.0
    )
    for column in range(1, len(reports) + 1):
        for words, side, shift in (("wrong", "right", -5), ("right", "left", 5)):
            drawn.add_annotation(
                text=words,
                x=0,
                y=1,
                yref="y domain",
                yanchor="top",
                xanchor=side,
                xshift=shift,
                font={"color": theme.quiet},
                row=1,
                col=column,
            )
    return drawn


def summary(report: Report) -> str:
    """What became of the median lead and of the share of wrong answers."""
    found = values(report)
    middle, wrong = medians(found), {model: float((part < 0).mean()) for model, part in found.items()}
    of = f" of {retain_set_label(report)}" if is_class_request(report) else ""
    said = (
        f"On {len(found['after']):,} unseen pictures{of} the median lead went from {number(middle['before'])} to "
        f"{number(middle['after'])}; {percent(wrong['after'])} lie left of zero, which is wrong"
    )
    if "gold" not in found:
        return f"{said}. {NO_GOLD}"
    return f"{said}. Gold: {number(middle['gold'])} and {percent(wrong['gold'])}."


def alt_text(report: Report) -> str:
    """The medians and shares of wrong answers in numbers."""
    found = values(report)
    rows = [
        f"{capitalize(model)}: median {number(middle)}, {percent(float((found[model] < 0).mean()))} below zero."
        for model, middle in medians(found).items()
    ]
    return f"Densities of the true class's lead on kept, unseen pictures. {' '.join(rows)}"


CHART = Chart(
    id="margin",
    title="Margin on the retain set",
    question="How clearly does it classify the rest correctly?",
    caveat="A narrow lead is still a right answer: the whole curve may shift while the accuracy stays. Logits have no "
    "fixed scale, so a net that is trained longer has larger leads without knowing more. Compare with gold.",
    applies=needs("logits"),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
