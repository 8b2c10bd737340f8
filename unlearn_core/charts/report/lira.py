"""Would shadow nets give it away? What the likelihood-ratio attack calls seen, of after, gold and its shadow nets."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, build_table, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style, text_color, with_alpha
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.report import Report

PART = "lira"
OFFER_TEXT = "The attack with shadow nets has not been tried on this run: it needs many nets, and is tried on request."
ROW_LABELS = {"after": "made to<br>forget", "gold": "never<br>saw them"}
"""The two kinds of nets, from top to bottom, by the model that stands among each."""
_SHADOWS = {"after": "seen", "gold": "unseen"}
_LIFT, _SPREAD = 0.37, 0.42
"""How far above its row a figure stands, and how high a row's dots are spread, so that they can be told apart."""


def applies(report: Report) -> Literal[True] | str:
    """True, or why there is nothing to draw: it costs too much to be measured unasked."""
    return True if PART in report.parts else report.missing.get(PART, report.missing.get("gold", OFFER_TEXT))


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a net: its kind, and the share (0 to 1) of the forgotten pictures that the attack calls seen."""

    def rows(report: Report) -> list[dict[str, Any]]:
        part = report.parts[PART]
        nets = [{"net": model, "share called seen": part.facts[model]} for model in ROW_LABELS]
        for model, name in (("after", "shadow net that was made to forget"), ("gold", "gold as a shadow net")):
            nets += [{"net": name, "share called seen": float(share)} for share in part.arrays[_SHADOWS[model]]]
        return nets

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Two rows of dots, one a shadow net; among those that forgot stands after, among those that never saw, gold."""
    drawn = panels(reports, theme)
    heights = {model: len(ROW_LABELS) - 1 - place for place, model in enumerate(ROW_LABELS)}
    for column, report in enumerate(reports, 1):
        for model, height in heights.items():
            drawn.add_trace(_markers(report, model, height, theme), row=1, col=column)
            drawn.add_trace(_model(report, model, height, theme), row=1, col=column)
            drawn.add_trace(_label(report, model, height, theme), row=1, col=column)
    drawn.update_xaxes(title_text="forgotten pictures that the attack calls seen", showgrid=True)
    drawn.update_xaxes(**percent_axis(-0.03, 1.03))
    drawn.update_yaxes(range=[-0.6, 1.6], tickvals=list(heights.values()), ticktext=list(ROW_LABELS.values()))
    return drawn


def _markers(report: Report, model: str, height: int, theme: Theme) -> go.Scatter:
    shares = report.parts[PART].arrays[_SHADOWS[model]]
    colour = theme.after if model == "after" else theme.gold
    return go.Scatter(
        name="shadow nets",
        x=shares,
        y=height + _SPREAD * (np.linspace(-0.5, 0.5, len(shares)) if len(shares) > 1 else np.zeros(1)),
        mode="markers",
        marker={"size": 7, "color": with_alpha(colour, 0.4), "line": {"width": 0}},
        hovertemplate="a shadow net: %{x:.0%} called seen<extra></extra>",
        cliponaxis=False,
    )


def _model(report: Report, model: str, height: int, theme: Theme) -> go.Scatter:
    return go.Scatter(
        name=model,
        x=[report.parts[PART].facts[model]],
        y=[height],
        mode="markers",
        marker=marker_style(theme, model, 12),
        hovertemplate=f"<b>{model}</b>: %{{x:.0%}} called seen<extra></extra>",
        cliponaxis=False,
    )


def _label(report: Report, model: str, height: int, theme: Theme) -> go.Scatter:
    share = report.parts[PART].facts[model]
    return go.Scatter(
        x=[share],
        y=[height + _LIFT],
        text=[f"{model} {percent(share, 0)}"],
        # At an end of the axis a centred word would leave the panel.
        textposition="middle right" if share < 0.15 else "middle left" if share > 0.85 else "middle center",
        textfont={"size": SMALL_FONT, "color": text_color(theme, model)},
        mode="text",
        cliponaxis=False,
        hoverinfo="skip",
    )


def summary(report: Report) -> str:
    """How well the attack tells the two kinds apart, beside guessing, and what it says of after and gold."""
    facts = report.parts[PART].facts
    return (
        f"With {facts['nets']} shadow nets of either kind an attacker tells a net that was made to forget from one that"
        f" never saw the pictures in {percent(facts['told'], 0)} of tries (95 % interval {percent(facts['low'], 0)} to "
        f"{percent(facts['high'], 0)}; guessing gets {percent(0.5, 0)}): {_verdict(facts)}. It calls "
        f"{percent(facts['after'], 0)} of the forgotten pictures seen after, and {percent(facts['gold'], 0)} of gold's."
    )


def _verdict(facts: dict[str, Any]) -> str:
    if facts["low"] > 0.5:
        return "this method leaves a trace of them"
    if facts["high"] < 0.5:
        return "worse than guessing, which chance does to few nets"
    return "no better than guessing, as far as so many nets can tell"


def alt_text(report: Report) -> str:
    """Every figure, and how far either kind of net spreads."""
    part = report.parts[PART]
    told = [
        f"{model}: {percent(part.facts[model], 0)} called seen; shadow nets of its kind from "
        f"{percent(float(part.arrays[_SHADOWS[model]].min()), 0)} to "
        f"{percent(float(part.arrays[_SHADOWS[model]].max()), 0)}."
        for model in ROW_LABELS
    ]
    return f"Dots of the share of forgotten pictures that the attack calls seen, one a net. {' '.join(told)}"


CHART = Chart(
    id="lira",
    title="Shadow-model attack (LiRA)",
    question="Can an attacker who trains shadow models tell that it was trained on them?",
    caveat="The likelihood-ratio attack (LiRA; against nets that were made to forget, U-LiRA). Shadow nets are trained "
    "like the classifier, from other seeds, and made to forget by the same settings; golds never saw the pictures. The "
    "share of tries speaks of the method with these settings; of this very net only its dot does. How many pictures "
    "are called seen depends on how widely either kind answers, so that it means something only beside gold and the "
    "shadow nets. The interval is over nets. A stronger attacker has more shadow nets, or the original itself.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
