"""Attack curves on retained and on forget images: members found at each false positive rate, on logarithmic axes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, log_percent_axis, needs, panels
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, line_style, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, capitalize, number, percent
from unlearn_core.charts.text.claims import Direction, exposure_direction
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.privacy import AucDifference, RetainedMembershipResult

EARLIER_RELEASE = "This run was measured by an earlier release, without this attack. New runs have it."
SIDES = {"retain": "retained", "forget": "forget"}
"""What the images of each side are called."""
_RATE = 0.01
"""The false positive rate of the sentence; a line marks it."""
_HEIGHT = 360


def applies(report: Report, side: str) -> Literal[True] | str:
    """Return True if these images were attacked, else the reason."""
    available = needs(RetainedMembershipResult, otherwise=EARLIER_RELEASE)(report)
    if available is not True or side in report[RetainedMembershipResult].sides:
        return available
    return "There are too few of these images with a test or validation image of the same class: at least 5 are needed."


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per side and model: images, AUC, and members found at a false positive rate of 1 %."""

    def rows(report: Report) -> list[Row]:
        return [
            {
                "images": SIDES[side],
                "model": MODEL_LABELS[model],
                "members": attacked.num_members,
                "auc": one.auc,
                "auc low": one.auc_low,
                "auc high": one.auc_high,
                "false positives": attacked.num_false_positives,
                "found": one.found,
                "found low": one.found_low,
                "found high": one.found_high,
            }
            for side, attacked in report[RetainedMembershipResult].sides.items()
            for model, one in attacked.models.items()
        ]

    return build_table(reports, rows)


def shown_models(report: Report, side: str) -> list[str]:
    """Return the models that are drawn, in their usual order; a second retrained model is only in the table."""
    return [model for model in MODELS if model in report[RetainedMembershipResult].sides[side].models]


def figure(reports: Sequence[Report], theme: Theme, side: str) -> go.Figure:
    """Draw one curve per model, the line of chance, and a line at a false positive rate of 1 %."""
    drawn = panels(reports, theme, height=_HEIGHT)
    known = [report for report in reports if side in report[RetainedMembershipResult].sides]
    least = min(1 / report[RetainedMembershipResult].sides[side].num_members for report in known)
    for column, report in enumerate(reports, 1):
        here: PlotlyDict = {"row": 1, "col": column}
        if report not in known:
            continue
        drawn.add_trace(_chance(least, theme), **here)
        for model in shown_models(report, side):
            drawn.add_trace(_curve(report, side, model, theme), **here)
        drawn.add_vline(x=_RATE, line={"color": theme.quiet, "width": 1, "dash": "dot"}, **here)
        drawn.add_annotation(**_key(report, side, theme), **here)
    axis = log_percent_axis(least)
    drawn.update_xaxes(**axis)
    drawn.update_xaxes(title_text="false positive rate", row=1)
    drawn.update_yaxes(showgrid=True, **axis)
    drawn.update_yaxes(title_text="members found", col=1)
    return drawn


def _chance(least: float, theme: Theme) -> go.Scatter:
    return go.Scatter(
        name="chance",
        x=[least, 1.0],
        y=[least, 1.0],
        mode="lines",
        line={"color": theme.quiet, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )


def _curve(report: Report, side: str, model: str, theme: Theme) -> go.Scatter:
    result = report[RetainedMembershipResult]
    rates = result.steps[side] / result.sides[side].num_members
    shares = result.curves[f"{side}_{model}"].astype(float)
    return go.Scatter(
        name=MODEL_LABELS[model],
        x=rates.tolist(),
        y=[share if share > 0 else None for share in shares.tolist()],  # A logarithmic axis has no zero.
        mode="lines",
        line=line_style(theme, model),
        hovertemplate=f"<b>{MODEL_LABELS[model]}</b>: %{{y:.2%}} found at %{{x:.2%}} false positives<extra></extra>",
    )


def _key(report: Report, side: str, theme: Theme) -> PlotlyDict:
    found = report[RetainedMembershipResult].sides[side].models
    lines = [
        f'<span style="color:{getattr(theme, model)}">━</span> {MODEL_LABELS[model]}, AUC {number(found[model].auc, 2)}'
        for model in shown_models(report, side)
    ]
    return {
        "text": "<br>".join([*lines, "┈ chance"]),
        "align": "left",
        "xref": "x domain",
        "yref": "y domain",
        "x": 0.01,
        "y": 1,
        "xanchor": "left",
        "yanchor": "top",
        "font": {"size": SMALL_FONT + 1, "color": theme.ink},
        "bgcolor": with_alpha(theme.page, 0.7),
    }


def summary(report: Report, side: str) -> str:
    """Give what the attack finds at 1 % false positives, and how its AUC differs between models, with intervals."""
    attacked, noun = report[RetainedMembershipResult].sides[side], report.dataset.item_noun
    after, before = attacked.models["after"], attacked.models["before"]
    said = (
        f"At a false positive rate of 1{chr(160)}%, {attacked.num_false_positives} of {attacked.num_members:,} "
        f"non-members, the attack finds {percent(after.found)} of {attacked.num_members:,} {SIDES[side]} {noun}s "
        f"(95 % interval {percent(after.found_low)} to {percent(after.found_high)}; guessing: 1{chr(160)}%); before "
        f"unlearning "
        f"{percent(before.found)}"
    )
    gold = attacked.models.get("gold")
    said += f", in the retrained model {percent(gold.found)}" if gold else ""
    said += f". Its AUC changed by {_difference(attacked.differences['after-before'])}"
    if gold is None:
        return f"{said}. {NO_GOLD}"
    said += f", and differs from that of the retrained model by {_difference(attacked.differences['after-gold'])}"
    direction = exposure_direction(attacked)
    subject = "" if direction == "unclear" else f"{SIDES[side]} {noun}s are "
    return f"{said}: {subject}{_FINDINGS[direction]}."


def _difference(one: AucDifference) -> str:
    return f"{_signed(one.difference)} ({_signed(one.low)} to {_signed(one.high)})"


def _signed(value: float) -> str:
    return f"{'+' if round(value, 3) > 0 else ''}{number(value, 3)}"


_FINDINGS: Mapping[Direction, str] = {
    "left": "more exposed than after retraining",
    "beyond": "less exposed than after retraining",
    "unclear": "no difference from the retrained model is shown",
}


def alt_text(report: Report, side: str) -> str:
    """List AUC and members found of each model."""
    attacked = report[RetainedMembershipResult].sides[side]
    rows = [
        f"{MODEL_LABELS[model]}: AUC {number(one.auc, 3)}, {percent(one.found)} found at 1 % false positives."
        for model, one in attacked.models.items()
        if model in shown_models(report, side)
    ]
    return f"Curves of members found by the false positive rate, on {SIDES[side]} images, log axes. {' '.join(rows)}"


def _chart(side: str) -> Chart:
    return Chart(
        id="retained_membership" if side == "retain" else "retained_membership-forget",
        title="Attack curves at few false positives",
        question="How many retained and forget images does an attack find that must rarely be wrong?",
        caveat="Members are training images, non-members are validation and test images of the same classes, equally "
        "many. The attack ranks them by the scaled confidence of the true class. On the dotted diagonal it guesses; "
        "the vertical line is a false positive rate of 1 %. Both axes are logarithmic, and shares of 0 are not drawn. "
        "Retained images are members of all three models, so only the difference between models counts. The left end "
        "of a curve rests on single images: see the intervals. Below the diagonal an image is revealed too, as less "
        "familiar than unseen ones. It is one simple attack on one model: attacks with shadow models find more.",
        applies=partial(applies, side=side),
        table=table,
        figure=partial(figure, side=side),
        summary=partial(summary, side=side),
        alt_text=partial(alt_text, side=side),
        section="Privacy",
        order=15,
        height=_HEIGHT,
    )


_BY_SIDE = {side: _chart(side) for side in SIDES}
CHART = replace(
    _BY_SIDE["retain"], variants={f"{capitalize(SIDES[side])} images": chart for side, chart in _BY_SIDE.items()}
)
