"""The curves of an attack, members found at each false positive rate on logarithmic axes, and its figures in words."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.chart import Row, log_percent_axis, panels
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, line_style, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, number, percent
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.privacy import AttackedSide, AucDifference

HEIGHT = 360
RATE = 0.01
"""The false positive rate of the sentences; a line marks it."""


class AttackedImages(NamedTuple):
    """An attack on some images, with its curves."""

    attacked: AttackedSide
    steps: np.ndarray
    """The numbers of false positives of the points of a curve."""
    curves: Mapping[str, np.ndarray]
    """By model: the share of members found at each step."""

    @property
    def models(self) -> list[str]:
        """The models that are drawn, in their usual order; a second retrained model is only in the table."""
        return [model for model in MODELS if model in self.attacked.models]


def attack_rows(attacked: AttackedSide) -> list[Row]:
    """Return one row per model: images, AUC, and members found at a false positive rate of 1 %."""
    return [
        {
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
        for model, one in attacked.models.items()
    ]


def draw_attacks(
    reports: Sequence[Report], theme: Theme, attack_of: Callable[[Report], AttackedImages | None]
) -> go.Figure:
    """Draw one curve per model, the line of chance, and a line at a false positive rate of 1 %; nothing for None."""
    drawn = panels(reports, theme, height=HEIGHT)
    attacks = [attack_of(report) for report in reports]
    least = min(1 / one.attacked.num_members for one in attacks if one)
    for column, attack in enumerate(attacks, 1):
        here: PlotlyDict = {"row": 1, "col": column}
        if attack is None:
            continue
        drawn.add_trace(_chance(least, theme), **here)
        for model in attack.models:
            drawn.add_trace(_curve(attack, model, theme), **here)
        drawn.add_vline(x=RATE, line={"color": theme.quiet, "width": 1, "dash": "dot"}, **here)
        drawn.add_annotation(**_key(attack, theme), **here)
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


def _curve(attack: AttackedImages, model: str, theme: Theme) -> go.Scatter:
    rates = attack.steps / attack.attacked.num_members
    shares = attack.curves[model].astype(float)
    return go.Scatter(
        name=MODEL_LABELS[model],
        x=rates.tolist(),
        y=[share if share > 0 else None for share in shares.tolist()],  # A logarithmic axis has no zero.
        mode="lines",
        line=line_style(theme, model),
        hovertemplate=f"<b>{MODEL_LABELS[model]}</b>: %{{y:.2%}} found at %{{x:.2%}} false positives<extra></extra>",
    )


def _key(attack: AttackedImages, theme: Theme) -> PlotlyDict:
    found = attack.attacked.models
    lines = [
        f'<span style="color:{getattr(theme, model)}">━</span> {MODEL_LABELS[model]}, AUC {number(found[model].auc, 2)}'
        for model in attack.models
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


def found_sentence(attacked: AttackedSide, images: str) -> str:
    """Say how many members it finds at 1 % false positives in each model, without a full stop; `images` in words."""
    after, before, gold = (attacked.models.get(model) for model in ("after", "before", "gold"))
    assert after is not None and before is not None
    return (
        f"At a false positive rate of 1{chr(160)}%, {attacked.num_false_positives} of {attacked.num_members:,} "
        f"non-members, the attack finds {percent(after.found)} of {attacked.num_members:,} {images} "
        f"(95 % interval {percent(after.found_low)} to {percent(after.found_high)}; guessing: 1{chr(160)}%); before "
        f"unlearning {percent(before.found)}" + (f", in the retrained model {percent(gold.found)}" if gold else "")
    )


def difference_in_words(one: AucDifference) -> str:
    """Return a difference of AUCs with its interval, as "+0.010 (−0.020 to +0.040)"."""
    return f"{_signed(one.difference)} ({_signed(one.low)} to {_signed(one.high)})"


def _signed(value: float) -> str:
    return f"{'+' if round(value, 3) > 0 else ''}{number(value, 3)}"


def describe_models(attack: AttackedImages) -> str:
    """List AUC and members found of each model."""
    return " ".join(
        f"{MODEL_LABELS[model]}: AUC {number(one.auc, 3)}, {percent(one.found)} found at 1 % false positives."
        for model, one in attack.attacked.models.items()
        if model in attack.models
    )
