"""How sure is it of the true class? The logit of the forgotten class, on the pictures that were forgotten."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs
from unlearn_core.charts.drawing.density import draw_densities, medians, quantiles, values_in_set
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import capitalize, eval_forget_set, forget_set_label, number
from unlearn_core.domain.report import Report

_CLOSE = 0.25
"""Medians less than this share of gold's middle half apart count as the same."""


def values(report: Report) -> dict[str, np.ndarray]:
    """The true class's logit of every forgotten picture, for each model."""
    return values_in_set(report, "true", eval_forget_set(report))


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a model: the quantiles of the logit."""
    return build_table(reports, lambda report: quantiles(values(report)))


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """The densities of the logit."""
    return draw_densities(reports, theme, values=values, axis="logit of the true class, forgotten pictures")


def summary(report: Report) -> str:
    """Where the median went, beside gold's."""
    found = values(report)
    middle = medians(found)
    went = f"On {forget_set_label(report)} the median went from {number(middle['before'])} to {number(middle['after'])}"
    if "gold" not in found:
        return f"{went}. {NO_GOLD}"
    gap = middle["after"] - middle["gold"]
    quarter, three = np.quantile(found["gold"], [0.25, 0.75])
    if abs(gap) <= _CLOSE * (three - quarter):
        return f"{went}, about where gold's is ({number(middle['gold'])})."
    side, so = (
        ("below", "more than never having seen them would do")
        if gap < 0
        else ("above", "so it is surer than a net that never saw them")
    )
    return f"{went}: {number(abs(gap))} {side} gold's {number(middle['gold'])}, {so}."


def alt_text(report: Report) -> str:
    """The medians and middle halves in numbers."""
    rows = [
        f"{capitalize(row['model'])}: median {number(row['50%'])}, middle half {number(row['25%'])} to "
        f"{number(row['75%'])}."
        for row in quantiles(values(report))
    ]
    return f"Densities of the true class's logit on {forget_set_label(report)}. {' '.join(rows)}"


CHART = Chart(
    id="confidence",
    title="Logit of the true class",
    question="How confident is it in the true class?",
    caveat="Logits have no fixed scale: two nets that answer alike may differ by a constant. Compare shapes and the "
    "distance to gold. Far below gold is no better than far above: forgotten pictures that look stranger than unseen "
    "ones can be told apart too. The curves are smoothed; where there are few pictures each has its tick.",
    applies=needs("logits"),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
