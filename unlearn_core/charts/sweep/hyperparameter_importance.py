"""Which knob matters? How differently the best trials are spread over a knob's range than all of them are."""

from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.drawing.sweep_drawing import SweepChart, SweepData
from unlearn_core.charts.drawing.theme import Theme, with_alpha
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.objectives import OBJECTIVES

MIN_TRIALS = 20
"""Trials under which the shares may still change places."""


def applies(sweep_data: SweepData) -> Literal[True] | str:
    """Whether the worker has weighed the knobs."""
    if _shares(sweep_data):
        return True
    if len(sweep_data.sweep.spec.ranges) < 2:
        return "One knob is swept, so there is no other to weigh it against."
    return "It takes eight finished trials to say which knob matters."


def table(sweep_data: SweepData) -> pd.DataFrame:
    """One row a knob and objective: its share, between 0 and 1."""
    rows = [
        {"objective": OBJECTIVES[name].title, "knob": sweep_data.hyperparameter_title(knob), "share": share}
        for name, own in _shares(sweep_data).items()
        for knob, share in own.items()
    ]
    return pd.DataFrame(rows)


def figure(sweep_data: SweepData, theme: Theme) -> go.Figure:
    """One line a knob, the heaviest on top; where there are two objectives a hollow circle stands for the second."""
    shares = _shares(sweep_data)
    (first, own), *rest = shares.items()
    order = sorted(own, key=lambda knob: own[knob])
    names = [sweep_data.hyperparameter_title(knob) for knob in order]
    drawn = go.Figure()
    drawn.update_layout(template=theme.template, height=max(150, 46 * len(order) + 60))
    for name, share in zip(names, [own[knob] for knob in order], strict=True):
        drawn.add_scatter(
            x=[0, share], y=[name, name], mode="lines", line={"color": with_alpha(theme.after, 0.4), "width": 3}
        )
    looks: list[tuple[str, dict[str, Any]]] = [(first, {"color": theme.after, "size": 12})]
    looks += [
        (name, {"color": theme.page, "size": 12, "line": {"color": theme.after, "width": 2.5}}) for name, _ in rest
    ]
    for name, look in looks:
        drawn.add_scatter(
            name=OBJECTIVES[name].title,
            x=[shares[name][knob] for knob in order],
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
    """The heaviest knob for each objective, and how much to believe it."""
    said = []
    for name, own in _shares(sweep_data).items():
        knob = max(own, key=lambda one: own[one])
        said.append(
            f"for {OBJECTIVES[name].title.lower()} {sweep_data.hyperparameter_title(knob).lower()} ({percent(own[knob], 0)})"
        )
    marks = " (● the first, ○ the second)" if len(said) > 1 else ""
    words = f"It matters most {' and '.join(said)}{marks}."
    done = sweep_data.sweep.facts.get("done", len(sweep_data.done))
    return words if done >= MIN_TRIALS else f"{words} After {done} trials that may still change."


def alt_text(sweep_data: SweepData) -> str:
    """Every share in words."""
    rows = table(sweep_data).to_dict("records")
    return (
        "Shares: " + ", ".join(f"{row['knob']} {percent(row['share'], 0)} of {row['objective']}" for row in rows) + "."
    )


def _shares(sweep_data: SweepData) -> dict[str, dict[str, float]]:
    return sweep_data.sweep.facts.get("importance", {})


SWEEP_CHART = SweepChart(
    id="importance",
    title="Which knob matters?",
    caveat="PED-ANOVA (Watanabe, Bansal and Hutter 2023): a knob is heavy where the best quarter of the trials sits "
    "elsewhere on its range than all trials do. It speaks about the ranges that were tried and no others, says nothing "
    "about knobs that only matter together, and rests on few trials.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
