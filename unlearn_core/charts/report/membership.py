"""Can one tell that it was trained on them? How well six attacks tell forgotten pictures from unseen ones."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, models, needs, panels
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import Report

CHANCE = 0.5
_SHIFT = {"before": 0.24, "after": 0.0, "gold": -0.24}
"""How far a model's marks sit from the middle of their row, in rows."""
MIN_EXCESS = 0.05
"""A difference to gold's AUC that is worth a word."""


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a model and attack: AUC, its 95 % interval, members found at 1 % false alarms."""
    return build_table(
        reports,
        lambda report: [
            {"model": model, "attack": attack, **figures}
            for model, own in _models(report).items()
            for attack, figures in own.items()
        ],
    )


def _models(report: Report) -> dict[str, Any]:
    return report.parts["membership"].facts["models"]


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """A row an attack, the three models beside one another with their intervals, and chance as a line."""
    attacks = list(_models(reports[0])["after"])
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        for model in models(report):
            drawn.add_trace(_markers(report, model, attacks, theme), row=1, col=column)
        here: dict[str, Any] = {"row": 1, "col": column}
        drawn.add_vline(x=CHANCE, line={"color": theme.quiet, "width": 1, "dash": "dot"}, **here)
        drawn.add_annotation(text="chance", x=CHANCE, y=len(attacks) - 0.35, font={"color": theme.quiet}, **here)
    heights = [len(attacks) - 1 - place for place in range(len(attacks))]
    drawn.update_yaxes(
        tickvals=heights,
        ticktext=attacks,
        tickfont={"size": SMALL_FONT + 1, "color": theme.ink},
        range=[-0.6, len(attacks) - 0.2],
    )
    drawn.update_xaxes(showgrid=True, range=[-0.02, 1.02], tickvals=[0, 0.25, 0.5, 0.75, 1])
    drawn.update_xaxes(title_text="chance that a forgotten picture looks more familiar than an unseen one (AUC)", row=1)
    return drawn


def _markers(report: Report, model: str, attacks: Sequence[str], theme: Theme) -> go.Scatter:
    found = [_models(report)[model][attack] for attack in attacks]
    return go.Scatter(
        name=model,
        x=[one["auc"] for one in found],
        y=[len(attacks) - 1 - place + _SHIFT[model] for place in range(len(attacks))],
        mode="markers",
        marker=marker_style(theme, model, 9),
        error_x={
            "type": "data",
            "array": [max(0.0, one["high"] - one["auc"]) for one in found],
            "arrayminus": [max(0.0, one["auc"] - one["low"]) for one in found],
            "thickness": 1.5,
            "width": 0,
            "color": with_alpha(getattr(theme, model), 0.75),
        },
        customdata=[
            [attack, number(one["low"], 2), number(one["high"], 2), percent(one["found"])]
            for attack, one in zip(attacks, found, strict=True)
        ],
        hovertemplate=f"<b>{model}</b>, %{{customdata[0]}}<br>AUC %{{x:.2f}}, 95 % interval %{{customdata[1]}} to "
        "%{customdata[2]}<br>%{customdata[3]} of the members found at 1 % false alarms<extra></extra>",
    )


def summary(report: Report) -> str:
    """The attack that tells most about after, beside the same attack on gold."""
    own, facts = _models(report), report.parts["membership"].facts
    worst = max(own["after"], key=lambda name: abs(own["after"][name]["auc"] - CHANCE))
    auc = own["after"][worst]["auc"]
    said = (
        f"The attack that tells most (by {worst}) ranks a forgotten picture above an unseen one in "
        f"{percent(auc)} of all pairs; before it did in {percent(own['before'][worst]['auc'])}."
    )
    if "gold" not in own:
        return f"{said} {NO_GOLD}"
    gold = own["gold"][worst]["auc"]
    said += f" On gold it does in {percent(gold)}"
    if abs(auc - gold) <= MIN_EXCESS:
        said += ", so it learns no more than it should."
    elif auc < gold and auc < CHANCE:
        said += ": the pictures are now stranger than unseen ones, which gives them away just as well."
    elif auc < gold:
        said += ": the pictures are no more familiar than they would be anyway."
    else:
        said += ": more is left than in a net that never saw them."
    return f"{said} Privacy beside gold, worst attack: {number(facts['privacy']['after'], 2)} of 1."


def alt_text(report: Report) -> str:
    """Every attack's AUC on every model."""
    own = _models(report)
    rows = [
        f"{attack}: " + ", ".join(f"{model} {number(own[model][attack]['auc'], 2)}" for model in models(report)) + "."
        for attack in own["after"]
    ]
    return f"Dot chart of how well attacks tell forgotten from unseen pictures (AUC). By {' By '.join(rows)}"


CHART = Chart(
    id="membership",
    title="Membership inference",
    question="Can an attacker tell that it was trained on the forget set?",
    caveat="Members are forgotten training pictures, non-members unseen pictures of the same classes, equally many of "
    "each. 0.5 tells nothing; under 0.5 leaks as much as above, since a net that finds its forgotten pictures stranger "
    "than unseen ones gives them away too. Gold is the aim, not 0.5. Simple attacks on one net: that they fail does "
    "not prove that a better one would. Bars are 95 % bootstrap intervals, wide where few pictures were forgotten.",
    applies=needs("membership"),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
