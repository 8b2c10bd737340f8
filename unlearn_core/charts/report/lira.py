"""Likelihood-ratio attack (LiRA): the share of forget images identified in after, gold and their shadow models."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, Row, build_table, needs_request, panels, percent_axis
from unlearn_core.charts.drawing.dumbbell import DotLabel, dot_labels, row_heights
from unlearn_core.charts.drawing.theme import Theme, marker_style, text_color, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, percent
from unlearn_core.charts.text.claims import shadow_model_direction
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import LiraResult

OFFER_TEXT = (
    "The attack with shadow models has not been run on this model: it trains many models and is only run on request."
)
ROW_LABELS = {"after": "unlearned", "gold": "retrained"}
"""The two kinds of shadow models, from top to bottom, by the model of the same kind."""
_LIFT, _SPREAD = 0.37, 0.42
"""The height of a label above its row, and the vertical spread of the dots of a row, so that they do not overlap."""


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model: its kind, and the share (0 to 1) of forget images that the attack identifies."""

    def rows(report: Report) -> list[Row]:
        result = report[LiraResult]
        found = [{"model": MODEL_LABELS[model], "share identified": result.identified[model]} for model in ROW_LABELS]
        for model, kind in ROW_LABELS.items():
            shares = result.shadows[model]
            found += [{"model": f"{kind} shadow model", "share identified": float(share)} for share in shares]
        return found

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw two rows with one dot per shadow model: unlearned ones with after, retrained ones with gold."""
    drawn = panels(reports, theme)
    heights = row_heights(list(ROW_LABELS))
    for column, report in enumerate(reports, 1):
        for model, height in heights.items():
            traces = [draw(report, model, height, theme) for draw in (_markers, _model, _label)]
            drawn.add_traces(traces, rows=1, cols=column)
    drawn.update_xaxes(title_text="forget images identified as training images", showgrid=True)
    drawn.update_xaxes(**percent_axis(-0.03, 1.03))
    drawn.update_yaxes(range=[-0.6, 1.6], tickvals=list(heights.values()), ticktext=list(ROW_LABELS.values()))
    return drawn


def _markers(report: Report, model: str, height: int, theme: Theme) -> go.Scatter:
    shares = report[LiraResult].shadows[model]
    colour = theme.after if model == "after" else theme.gold
    return go.Scatter(
        name="shadow models",
        x=shares,
        y=height + _SPREAD * (np.linspace(-0.5, 0.5, len(shares)) if len(shares) > 1 else np.zeros(1)),
        mode="markers",
        marker={"size": 7, "color": with_alpha(colour, 0.4), "line": {"width": 0}},
        hovertemplate="a shadow model: %{x:.0%} identified<extra></extra>",
        cliponaxis=False,
    )


def _model(report: Report, model: str, height: int, theme: Theme) -> go.Scatter:
    return go.Scatter(
        name=MODEL_LABELS[model],
        x=[report[LiraResult].identified[model]],
        y=[height],
        mode="markers",
        marker=marker_style(theme, model, 12),
        hovertemplate=f"<b>{MODEL_LABELS[model]}</b>: %{{x:.0%}} identified<extra></extra>",
        cliponaxis=False,
    )


def _label(report: Report, model: str, height: int, theme: Theme) -> go.Scatter:
    share = report[LiraResult].identified[model]
    text = f"{MODEL_LABELS[model]} {percent(share, 0)}"
    return dot_labels([DotLabel(share, height + _LIFT, text, text_color(theme, model))], margin=0.15)


def summary(report: Report) -> str:
    """Describe how well the attack distinguishes the two kinds, and the shares it identifies in after and gold."""
    result = report[LiraResult]
    return (
        f"With {result.num_shadows} shadow models of each kind, an attacker tells unlearned from retrained models in "
        f"{percent(result.success_rate, 0)} of cases (95 % interval {percent(result.low, 0)} to "
        f"{percent(result.high, 0)}; guessing: {percent(0.5, 0)}): {_verdict(result)}. The attack identifies "
        f"{percent(result.after, 0)} of the forget images after unlearning, and {percent(result.gold, 0)} in the "
        f"retrained model."
    )


def _verdict(result: LiraResult) -> str:
    if shadow_model_direction(result) == "distinguishable":
        return "this method leaves a trace of the forget set"
    if result.high < 0.5:
        return "worse than guessing, which can happen by chance with few models"
    return "not significantly better than guessing with this number of models"


def alt_text(report: Report) -> str:
    """List the share of each model, and the range of its kind of shadow models."""
    result = report[LiraResult]
    told = [
        f"{MODEL_LABELS[model]}: {percent(result.identified[model], 0)} identified; {kind} shadow models from "
        f"{percent(float(result.shadows[model].min()), 0)} to {percent(float(result.shadows[model].max()), 0)}."
        for model, kind in ROW_LABELS.items()
    ]
    return f"Dots of the share of forget images that the attack identifies, one per model. {' '.join(told)}"


CHART = Chart(
    id="lira",
    title="Shadow-model attack (LiRA)",
    question="Can an attacker with shadow models detect the forget set?",
    caveat="The likelihood-ratio attack (LiRA; against unlearned models, U-LiRA). Shadow models are trained like the "
    "classifier, from other seeds, and unlearned with the same hyperparameters; retrained ones were not trained on "
    "the images. The success rate describes the method with these hyperparameters; only its dot describes this model. "
    "The share of images identified depends on how much the outputs of each kind vary, so compare it only with the "
    "retrained model and the shadow models. The interval is over models. A stronger attacker has more shadow models, "
    "or the original.",
    applies=needs_request(LiraResult, OFFER_TEXT),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Privacy",
    order=50,
    is_compared=False,
)
