"""Chart of hyperparameter importance: how differently the best trials and all trials are distributed."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.drawing.sweep_drawing import SweepChart, SweepData
from unlearn_core.charts.drawing.theme import PlotlyDict, Theme, with_alpha
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.sweeps.objectives import OBJECTIVES

MIN_TRIALS = 20
"""With fewer trials the order of the shares may still change."""


def applies(sweep_data: SweepData) -> Literal[True] | str:
    """True if the worker has computed the importances, else the reason."""
    if _shares(sweep_data):
        return True
    if len(sweep_data.sweep.spec.ranges) < 2:
        return "Only one hyperparameter is swept; this chart compares at least two."
    return "Importance needs eight finished trials."


def table(sweep_data: SweepData) -> pd.DataFrame:
    """One row per hyperparameter and objective: its share, between 0 and 1."""
    rows = [
        {"objective": OBJECTIVES[name].title, "hyperparameter": sweep_data.hyperparameter_title(param), "share": share}
        for name, own in _shares(sweep_data).items()
        for param, share in own.items()
    ]
    return pd.DataFrame(rows)


def figure(sweep_data: SweepData, theme: Theme) -> go.Figure:
    """One line per hyperparameter, the most important on top; a hollow circle marks the second objective."""
    shares = _shares(sweep_data)
    (first, own), *rest = shares.items()
    order = sorted(own, key=lambda param: own[param])
    names = [sweep_data.hyperparameter_title(param) for param in order]
    drawn = go.Figure()
    drawn.update_layout(template=theme.template, height=max(150, 46 * len(order) + 60))
    for name, share in zip(names, [own[param] for param in order], strict=True):
        drawn.add_scatter(
            x=[0, share], y=[name, name], mode="lines", line={"color": with_alpha(theme.after, 0.4), "width": 3}
        )
    looks: list[tuple[str, PlotlyDict]] = [(first, {"color": theme.after, "size": 12})]
    looks += [
        (name, {"color": theme.page, "size": 12, "line": {"color": theme.after, "width": 2.5}}) for name, _ in rest
    ]
    for name, look in looks:
        drawn.add_scatter(
            name=OBJECTIVES[name].title,
            x=[shares[name][param] for param in order],
            y=names,
            mode="markers",
            marker=look,
            cliponaxis=False,
            hovertemplate=f"%{{y}}: %{{x:.0%}} for {OBJECTIVES[name].title.lower()}<extra></extra>",
        )
    top = max(share for found in shares.values() for share in found.values())
    marks = [0, 0.25, 0.5, 0.75, 1.0]
    drawn.update_xaxes(
        range=[-0.02, max(0.3, top * 1.08)],
        tickvals=marks,
        ticktext=[percent(mark, 0) for mark in marks],
        showgrid=True,
    )
    drawn.update_yaxes(type="category")
    return drawn


def summary(sweep_data: SweepData) -> str:
    """The most important hyperparameter for each objective, and a caution after few trials."""
    parts = []
    for name, own in _shares(sweep_data).items():
        top = max(own, key=lambda one: own[one])
        title = sweep_data.hyperparameter_title(top).lower()
        parts.append(f"{title} for {OBJECTIVES[name].title.lower()} ({percent(own[top], 0)})")
    marks = " (● the first objective, ○ the second)" if len(parts) > 1 else ""
    words = f"Most important: {', '.join(parts)}{marks}."
    done = sweep_data.sweep.findings.num_trials or len(sweep_data.done)
    return words if done >= MIN_TRIALS else f"{words} After only {done} trials this may still change."


def alt_text(sweep_data: SweepData) -> str:
    """Every share in words."""
    rows = table(sweep_data).to_dict("records")
    return (
        "Shares: "
        + ", ".join(f"{row['hyperparameter']} {percent(row['share'], 0)} of {row['objective']}" for row in rows)
        + "."
    )


def _shares(sweep_data: SweepData) -> Mapping[str, Mapping[str, float]]:
    return sweep_data.sweep.findings.importance


SWEEP_CHART = SweepChart(
    id="importance",
    title="Hyperparameter importance",
    question="Which hyperparameter matters most?",
    caveat="PED-ANOVA (Watanabe, Bansal and Hutter 2023): a hyperparameter is important if the best quarter of the "
    "trials is distributed differently over its range than all trials are. It holds only for the ranges tried, misses "
    "hyperparameters that only matter together, and rests on few trials.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
