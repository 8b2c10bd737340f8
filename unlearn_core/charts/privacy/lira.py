"""Likelihood-ratio attack (LiRA): the share of forget images identified in after, gold and their shadow models."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, Row, build_table, log_percent_axis, needs_request, panels, percent_axis
from unlearn_core.charts.drawing.dumbbell import DotLabel, dot_labels, row_heights
from unlearn_core.charts.drawing.theme import Theme, line_style, marker_style, text_color, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, number, percent
from unlearn_core.charts.text.attack_claims import shadow_model_direction
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import AttackCurve, LiraResult

OFFER_TEXT = (
    "The attack with shadow models has not been run on this model: it trains many models and is only run on request."
)
EARLIER_RELEASE = "This attack was made by an earlier release, without a curve. Run it again to see it."
FALSE_POSITIVE_RATE = 0.01
"""What an attacker accepts who must rarely be wrong."""
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


def _curve_table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per point of the curve: false positive rate, and the pairs found (0 to 1)."""
    return build_table(
        reports,
        lambda report: [
            {"false positive rate": float(rate), "found": float(found)}
            for rate, found in zip(*(report[LiraResult].curves[name] for name in ("rate", "found")), strict=True)
        ],
    )


def _curve_figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw the attack curve on all pairs of a shadow model and an image, the line of chance, and one at 1 %."""
    drawn = panels(reports, theme)
    least = min(float(report[LiraResult].curves["rate"].min()) for report in reports)
    for column, report in enumerate(reports, 1):
        curves = report[LiraResult].curves
        chance = {"color": theme.quiet, "width": 1, "dash": "dot"}
        ends = [least, 1.0]
        drawn.add_trace(
            go.Scatter(name="chance", x=ends, y=ends, mode="lines", line=chance, hoverinfo="skip"), row=1, col=column
        )
        drawn.add_trace(
            go.Scatter(
                name="unlearned shadow models",
                x=curves["rate"].tolist(),
                y=[share or None for share in curves["found"].tolist()],  # A logarithmic axis has no zero.
                mode="lines",
                line=line_style(theme, "after"),
                hovertemplate="%{y:.2%} found at %{x:.2%} false positives<extra></extra>",
            ),
            row=1,
            col=column,
        )
        drawn.add_vline(x=FALSE_POSITIVE_RATE, line=chance, row=1, col=column)  # pyright: ignore[reportArgumentType]
    drawn.update_xaxes(**log_percent_axis(least))
    drawn.update_xaxes(title_text="false positive rate")
    drawn.update_yaxes(showgrid=True, **log_percent_axis(least))
    drawn.update_yaxes(title_text="unlearned ones found", col=1)
    return drawn


def _curve_summary(report: Report) -> str:
    """Give AUC and what is found at 1 % false positives, with intervals over models, and how much that shows."""
    result, attack = report[LiraResult], _attack(report)
    rate = percent(FALSE_POSITIVE_RATE, 0)
    return (
        f"With {result.num_shadows} shadow models of each kind, each attacked by the others, an attacker who accepts "
        f"{rate} false positives finds {percent(attack.found)} of the pairs of an unlearned model and an image (95 % "
        f"interval over models {percent(attack.found_low)} to {percent(attack.found_high)}; guessing: {rate}); the "
        f"others are retrained models. AUC: {number(attack.auc, 3)} ({number(attack.auc_low, 3)} to "
        f"{number(attack.auc_high, 3)}). All false positives are from {result.num_shadows} models, so one that is "
        f"unlike the others decides much of this figure."
    )


def _attack(report: Report) -> AttackCurve:
    attack = report[LiraResult].attack
    assert attack is not None, "the chart applies"
    return attack


def _curve_alt_text(report: Report) -> str:
    attack = _attack(report)
    return (
        f"Curve of unlearned models found by the false positive rate, on log axes. AUC {number(attack.auc, 3)}; "
        f"{percent(attack.found)} found at 1 % false positives."
    )


def _has_curve(report: Report) -> Literal[True] | str:
    available = needs_request(LiraResult, OFFER_TEXT)(report)
    return available if available is not True or report[LiraResult].attack else EARLIER_RELEASE


_BY_MODEL = Chart(
    id="lira",
    title="Shadow-model attack (LiRA)",
    question="Can an attacker with shadow models detect the forget set?",
    caveat="The likelihood-ratio attack (LiRA) on unlearned against retrained models. Shadow models are trained like "
    "the classifier, from other seeds, and unlearned with the same hyperparameters; retrained ones were not trained on "
    "the images and unlearned nothing, where in U-LiRA they would have unlearned other images. So success shows that "
    "the models differ, not that the images are left: damage by unlearning is seen too. The success rate describes the "
    "method with these hyperparameters; only its dot describes this model. The share of images identified depends on "
    "how much the outputs of each kind vary, so compare it only with the retrained model and the shadow models. The "
    "interval is over models. A stronger attacker has more shadow models, or the original.",
    applies=needs_request(LiraResult, OFFER_TEXT),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Privacy",
    order=50,
    is_compared=False,
)
_CURVE = replace(
    _BY_MODEL,
    id="lira-curve",
    applies=_has_curve,
    table=_curve_table,
    figure=_curve_figure,
    summary=_curve_summary,
    alt_text=_curve_alt_text,
)
CHART = replace(_BY_MODEL, variants={"By model": _BY_MODEL, "At few false positives": _CURVE})
