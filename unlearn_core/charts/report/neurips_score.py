"""How well could many such nets be told from golds? Every picture's epsilon, beside that of golds against golds."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, build_table, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, with_alpha
from unlearn_core.charts.drawing.wording import number
from unlearn_core.domain.report import Report

PART = "score"
OFFER_TEXT = (
    "The challenge's score has not been taken for this run: it needs many nets, and is taken when somebody asks."
)
SIDE_LABELS = {"after": "after", "ceiling": "golds against golds"}
SIGNIFICANT_ERRORS = 2.0
"""So many standard errors apart two means must be for a difference to be told."""


def applies(report: Report) -> Literal[True] | str:
    """True, or why there is nothing to draw: it costs too much to be measured unasked."""
    return True if PART in report.parts else report.missing.get(PART, report.missing.get("gold", OFFER_TEXT))


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a side and bucket: the share of pictures (0 to 1) whose epsilon lies in it, and the points it earns."""

    def rows(report: Report) -> list[dict[str, Any]]:
        return [
            {"side": name, "from": start, "points": points, "share": share}
            for side, name in SIDE_LABELS.items()
            for start, points, share in zip(_starts(report), _points(report), _shares(report, side), strict=True)
        ]

    return build_table(reports, rows)


def _starts(report: Report) -> list[float]:
    """Where each bucket begins; the last one holds all that earns nothing."""
    facts = report.parts[PART].facts
    return np.arange(0, facts["last"] + facts["bucket"] / 2, facts["bucket"]).tolist()


def _points(report: Report) -> list[float]:
    count = len(_starts(report)) - 1
    return [*(0.5**place for place in range(count)), 0.0]


def _shares(report: Report, side: str) -> list[float]:
    """The share of pictures in each bucket, of those that have an epsilon."""
    found, starts = _known(report, side), _starts(report)
    place = np.clip(np.searchsorted(starts, found, "right") - 1, 0, len(starts) - 1)
    return (np.bincount(place, minlength=len(starts)) / max(len(found), 1)).tolist()


def _known(report: Report, side: str) -> np.ndarray:
    found = report.parts[PART].arrays[side]
    return found[~np.isnan(found)]


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Bars a bucket of epsilons: after beside the ceiling, the points that a bucket earns under the axis."""
    drawn = panels(reports, theme)
    top = max(max(_shares(report, side)) for report in reports for side in SIDE_LABELS)
    for column, report in enumerate(reports, 1):
        for side, name in SIDE_LABELS.items():
            drawn.add_trace(_bars(report, side, name, theme), row=1, col=column)
        drawn.add_annotation(**_key(report, theme), row=1, col=column)
        starts, points = _starts(report), _points(report)
        drawn.update_xaxes(
            tickvals=list(range(len(starts))),
            ticktext=[
                f"{start:g}{'+' if place == len(starts) - 1 else ''}<br>{_earned(own)}"
                for place, (start, own) in enumerate(zip(starts, points, strict=True))
            ],
            row=1,
            col=column,
        )
    drawn.update_layout(bargap=0.2, bargroupgap=0.06)
    drawn.update_xaxes(title_text="epsilon of a picture from ...; below, the points it earns")
    drawn.update_yaxes(showgrid=True, **percent_axis(0, 1.25 * top))
    return drawn


def _earned(points: float) -> str:
    return f"1/{round(1 / points)}" if 0 < points < 1 else f"{points:g}"


def _bars(report: Report, side: str, name: str, theme: Theme) -> go.Bar:
    shares = _shares(report, side)
    colour = theme.after if side == "after" else theme.gold
    return go.Bar(
        name=name,
        x=list(range(len(shares))),
        y=shares,
        marker={
            "color": colour if side == "after" else with_alpha(colour, 0.25),
            "line": {"color": colour, "width": 1.5},
        },
        hovertemplate=f"<b>{name}</b>: %{{y:.0%}} of the pictures<extra></extra>",
    )


def _key(report: Report, theme: Theme) -> dict[str, Any]:
    signs = {"after": (theme.after, "■"), "ceiling": (theme.gold, "□")}
    lines = [
        f'<span style="color:{signs[side][0]}">{signs[side][1]}</span> {name} '
        f"{number(report.parts[PART].facts[side]['score'], 3)}"
        for side, name in SIDE_LABELS.items()
    ]
    return {
        "text": "<br>".join(lines),
        "align": "left",
        "xref": "x domain",
        "yref": "y domain",
        "x": 1,
        "y": 1,
        "xanchor": "right",
        "yanchor": "top",
        "font": {"size": SMALL_FONT + 1, "color": theme.ink},
    }


def summary(report: Report) -> str:
    """The score beside the ceiling, what it is made of, and what so few nets can tell."""
    facts = report.parts[PART].facts
    ours, top = facts["after"], facts["ceiling"]
    said = (
        f"Score {_told(ours)} with {facts['nets']} nets against {facts['nets']} golds, where as many other golds get "
        f"{_told(top)}: {_verdict(ours, top)}."
    )
    return (
        f"{said} It is forgetting ({number(ours['forgetting'], 3)}) times accuracy beside gold's, kept training "
        f"pictures ({number(ours['retain'], 2)}) and unseen ones ({number(ours['test'], 2)})."
    )


def _told(side: dict[str, float]) -> str:
    return f"{number(side['score'], 3)} ± {number(_error(side), 3)}"


def _error(side: dict[str, float]) -> float:
    """The standard error of a score over pictures: that of its forgetting, times the same two ratios."""
    return side["error"] * side["retain"] * side["test"]


def _verdict(ours: dict[str, float], top: dict[str, float]) -> str:
    gap, error = top["score"] - ours["score"], float(np.hypot(_error(ours), _error(top)))
    if not np.isfinite(gap) or not np.isfinite(error):
        return "no comparison can be made"
    if abs(gap) <= SIGNIFICANT_ERRORS * error:
        return "no difference to retraining is seen at this number"
    return (
        "nets that were made to forget can be told from golds" if gap > 0 else "above it by more than chance would do"
    )


def alt_text(report: Report) -> str:
    """Both scores, and the middle epsilon of each side."""
    told = [
        f"{name}: score {number(report.parts[PART].facts[side]['score'], 3)}, "
        f"median epsilon {number(float(np.median(_known(report, side))), 2)}"
        for side, name in SIDE_LABELS.items()
        if len(_known(report, side))
    ]
    return f"Bars of the share of forgotten pictures by their epsilon. {'; '.join(told)}."


CHART = Chart(
    id="score",
    title="Score of the NeurIPS 2023 challenge",
    question="Can an attacker tell unlearned from retrained models?",
    caveat="The score of the NeurIPS 2023 challenge. Each forgotten picture's epsilon is how surely the best of many "
    "simple attacks tells nets that were made to forget it from nets that never saw it; small ones earn points, halved "
    "every half unit. It is a lower bound: a cleverer attack may find more. Perfect unlearning does not get 1, since "
    "the best of thousands of attacks always finds something by chance: compare with golds against golds at the same "
    "number of nets only. It speaks of the method with these settings, not of this one net. The error is over "
    "pictures; other nets would move it too.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
