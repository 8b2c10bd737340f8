"""Membership inference: the AUC of several attacks that distinguish forget images from test images, by model."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, models, needs, panels
from unlearn_core.charts.drawing.dumbbell import intervals, row_axis, row_heights
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, number, percent
from unlearn_core.charts.text.attack_claims import membership_claim
from unlearn_core.charts.text.claim import Direction
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import AttackMetrics, MembershipResult

CHANCE = 0.5
_SHIFT = {"before": 0.24, "after": 0.0, "gold": -0.24}
"""The vertical offset of each model's marks from the middle of their row, in rows."""
_FINDINGS: Mapping[Direction, str] = {
    "left": "More is left than in a model that was not trained on them.",
    "beyond": "The images now look less familiar than unseen ones, which reveals them just as well.",
    "unclear": "No attack is shown to gain more than with the retrained model.",
}


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model and attack: AUC, its 95 % interval, and members found at 1 % false positives."""
    return build_table(
        reports,
        lambda report: [
            {
                "model": MODEL_LABELS[model],
                "attack": attack,
                "auc": metrics.auc,
                "low": metrics.low,
                "high": metrics.high,
                "found": metrics.true_positive_rate,
            }
            for model, own in _attacks(report).items()
            for attack, metrics in own.items()
        ],
    )


def _attacks(report: Report) -> Mapping[str, Mapping[str, AttackMetrics]]:
    return report[MembershipResult].attacks


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one row per attack with all models and their intervals, and a line at chance."""
    attacks = list(_attacks(reports[0])["after"])
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        for model in models(report):
            drawn.add_trace(_markers(report, model, attacks, theme), row=1, col=column)
        here: PlotlyDict = {"row": 1, "col": column}
        drawn.add_vline(x=CHANCE, line={"color": theme.quiet, "width": 1, "dash": "dot"}, **here)
        drawn.add_annotation(text="chance", x=CHANCE, y=len(attacks) - 0.35, font={"color": theme.quiet}, **here)
    drawn.update_yaxes(**row_axis(attacks, theme, size=SMALL_FONT + 1, room=(0.6, 0.8)))
    drawn.update_xaxes(showgrid=True, range=[-0.02, 1.02], tickvals=[0, 0.25, 0.5, 0.75, 1])
    drawn.update_xaxes(title_text="attack AUC (0.5 = not distinguishable)", row=1)
    return drawn


def _markers(report: Report, model: str, attacks: Sequence[str], theme: Theme) -> go.Scatter:
    found = [_attacks(report)[model][attack] for attack in attacks]
    return go.Scatter(
        name=MODEL_LABELS[model],
        x=[one.auc for one in found],
        y=[at + _SHIFT[model] for at in row_heights(attacks).values()],
        mode="markers",
        marker=marker_style(theme, model, 9),
        error_x=intervals([(one.low, one.auc, one.high) for one in found], with_alpha(getattr(theme, model), 0.75)),
        customdata=[
            [attack, number(one.low, 2), number(one.high, 2), percent(one.true_positive_rate)]
            for attack, one in zip(attacks, found, strict=True)
        ],
        hovertemplate=f"<b>{MODEL_LABELS[model]}</b>, %{{customdata[0]}}<br>AUC %{{x:.2f}}, "
        "95 % interval %{customdata[1]} to %{customdata[2]}<br>%{customdata[3]} of the members found at 1 % false "
        "positives<extra></extra>",
    )


def summary(report: Report) -> str:
    """Describe the strongest attack on after, compared with the same attack on gold."""
    own, privacy = _attacks(report), report[MembershipResult].privacy
    worst = max(own["after"], key=lambda name: abs(own["after"][name].auc - CHANCE))
    auc = own["after"][worst].auc
    said = (
        f"The strongest attack (by {worst}) ranks a forget image above a test image in {percent(auc)} of all pairs; "
        f"before unlearning, in {percent(own['before'][worst].auc)}."
    )
    if "gold" not in own:
        return f"{said} {NO_GOLD}"
    claim = membership_claim(report)
    assert claim is not None, "its result is there"
    said += f" With the retrained model it is {percent(own['gold'][worst].auc)}. {_FINDINGS[claim.direction]}"
    return f"{said} Privacy relative to the retrained model, worst attack: {number(privacy['after'], 2)} of 1."


def alt_text(report: Report) -> str:
    """List the AUC of every attack on every model."""
    own = _attacks(report)
    rows = [
        f"{attack}: "
        + ", ".join(f"{MODEL_LABELS[model]} {number(own[model][attack].auc, 2)}" for model in models(report))
        + "."
        for attack in own["after"]
    ]
    return f"Dot chart of how well attacks distinguish forget images from test images (AUC). By {' By '.join(rows)}"


CHART = Chart(
    id="membership",
    title="Membership inference",
    question="Can an attacker tell that the model was trained on the forget set?",
    caveat="Members are training images of the forget set, non-members are test images of the same classes, in equal "
    "numbers. At 0.5 the attack learns nothing; below 0.5 leaks as much as above, since forget images that look less "
    "familiar than unseen ones are revealed too. The aim is the value of the retrained model, not 0.5. These are "
    "simple attacks on one model: if they fail, a stronger one may still succeed. Bars are 95 % bootstrap intervals, "
    "wide where few images were forgotten.",
    applies=needs(MembershipResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Privacy",
    order=10,
)
