"""How clearly is it right about the rest? The lead of the true class on unseen pictures of what is kept."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, needs, table
from unlearn_core.charts.drawing.density import draw, medians, of_set, quantiles
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import by_class, capital, number, percent, retain_words
from unlearn_core.domain.report import Report


def values(report: Report) -> dict[str, np.ndarray]:
    """The true class's lead over the best other class, on kept unseen pictures, for each model."""
    return of_set(report, "margin", "retain_test")


def frame(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a model: the quantiles of the lead."""
    return table(reports, lambda report: quantiles(values(report)))


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """The densities of the lead; left of zero the answer is wrong."""
    drawn = draw(reports, theme, values=values, axis="lead of the true class (logits), kept and unseen", mark=0.0)
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


def sentence(report: Report) -> str:
    """What became of the median lead and of the share of wrong answers."""
    found = values(report)
    middle, wrong = medians(found), {model: float((part < 0).mean()) for model, part in found.items()}
    of = f" of {retain_words(report)}" if by_class(report) else ""
    said = (
        f"On {len(found['after']):,} unseen pictures{of} the median lead went from {number(middle['before'])} to "
        f"{number(middle['after'])}; {percent(wrong['after'])} lie left of zero, which is wrong"
    )
    if "gold" not in found:
        return f"{said}. {NO_GOLD}"
    return f"{said}. Gold: {number(middle['gold'])} and {percent(wrong['gold'])}."


def alt(report: Report) -> str:
    """The medians and shares of wrong answers in numbers."""
    found = values(report)
    rows = [
        f"{capital(model)}: median {number(middle)}, {percent(float((found[model] < 0).mean()))} below zero."
        for model, middle in medians(found).items()
    ]
    return f"Densities of the true class's lead on kept, unseen pictures. {' '.join(rows)}"


CHART = Chart(
    id="margin",
    title="How clearly is it right about the rest?",
    caveat="A narrow lead is still a right answer: the whole curve may shift while the accuracy stays. Logits have no "
    "fixed scale, so a net that is trained longer has larger leads without knowing more. Compare with gold.",
    applies=needs("logits"),
    frame=frame,
    figure=figure,
    sentence=sentence,
    alt=alt,
)
