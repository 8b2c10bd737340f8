"""Score of the NeurIPS 2023 challenge: the epsilon of each forget image, with golds against golds as the ceiling."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, Row, build_table, needs_request, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, with_alpha
from unlearn_core.charts.drawing.wording import number
from unlearn_core.charts.text.attack_claims import score_relation
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import EnsembleScore, NeuripsScoreResult

OFFER_TEXT = (
    "The challenge score has not been computed for this run: it trains many models and is only computed on request."
)
SIDE_LABELS = {"after": "after", "ceiling": "two sets of retrained"}


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per side and bucket: the share of images (0 to 1) with such an epsilon, and its points."""

    def rows(report: Report) -> list[Row]:
        return [
            {"models": name, "epsilon from": start, "points": points, "share": share}
            for side, name in SIDE_LABELS.items()
            for start, points, share in zip(_starts(report), _points(report), _shares(report, side), strict=True)
        ]

    return build_table(reports, rows)


def _starts(report: Report) -> list[float]:
    """Return the lower bound of each bucket; the last one has all images without points."""
    result = report[NeuripsScoreResult]
    return np.arange(0, result.last_bucket + result.bucket_width / 2, result.bucket_width).tolist()


def _points(report: Report) -> list[float]:
    count = len(_starts(report)) - 1
    return [*(0.5**place for place in range(count)), 0.0]


def _shares(report: Report, side: str) -> list[float]:
    """Return the share of images in each bucket, among those that have an epsilon."""
    found, starts = _known(report, side), _starts(report)
    place = np.clip(np.searchsorted(starts, found, "right") - 1, 0, len(starts) - 1)
    return (np.bincount(place, minlength=len(starts)) / max(len(found), 1)).tolist()


def _known(report: Report, side: str) -> np.ndarray:
    found = report[NeuripsScoreResult].epsilons[side]
    return found[~np.isnan(found)]


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw bars per bucket of epsilons for after and the ceiling, with the points of each bucket below the axis."""
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
    drawn.update_xaxes(title_text="epsilon of an image (lower bound) and, below, its points")
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
        hovertemplate=f"<b>{name}</b>: %{{y:.0%}} of the images<extra></extra>",
    )


def _key(report: Report, theme: Theme) -> PlotlyDict:
    signs = {"after": (theme.after, "■"), "ceiling": (theme.gold, "□")}
    lines = [
        f'<span style="color:{signs[side][0]}">{signs[side][1]}</span> {name} '
        f"{number(report[NeuripsScoreResult].scores[side].score, 3)}"
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
    """Describe the score, the ceiling, whether they differ significantly, and the factors of the score."""
    result = report[NeuripsScoreResult]
    count, ours, top = result.num_models, result.after, result.ceiling
    said = (
        f"The score is {_score_text(ours)} for {count} unlearned against {count} retrained models; as "
        f"many other retrained models score {_score_text(top)}: {_RELATIONS[score_relation(result)]}."
    )
    return (
        f"{said} It is forgetting ({number(ours.forgetting, 3)}) times the accuracies relative to retraining, on "
        f"the retain set ({number(ours.retain, 2)}) and on test images ({number(ours.test, 2)})."
    )


def _score_text(score: EnsembleScore) -> str:
    return f"{number(score.score, 3)} ± {number(score.score_error, 3)}"


_RELATIONS = {
    "undefined": "they cannot be compared",
    "unclear": "no significant difference to retraining with this number of models",
    "lower": "unlearned and retrained models are distinguishable",
    "higher": "higher by more than chance explains",
}


def alt_text(report: Report) -> str:
    """List both scores and both median epsilons."""
    told = [
        f"{name}: score {number(report[NeuripsScoreResult].scores[side].score, 3)}, "
        f"median epsilon {number(float(np.median(_known(report, side))), 2)}"
        for side, name in SIDE_LABELS.items()
        if len(_known(report, side))
    ]
    return f"Bars of the share of forget images by their epsilon. {'; '.join(told)}."


CHART = Chart(
    id="score",
    title="NeurIPS 2023 challenge score",
    question="Can an attacker tell unlearned from retrained models?",
    caveat="The score of the NeurIPS 2023 challenge. The epsilon of a forget image measures how well the best of many "
    "simple attacks distinguishes models that unlearned it from retrained models; small epsilons earn points, halved "
    "every half unit. It is a lower bound: a stronger attack may find more. Perfect unlearning does not reach 1, "
    "since the best of thousands of attacks always finds something by chance: compare only with two sets of retrained "
    "models of the same size. It describes the method with these hyperparameters, not this one model. The error is "
    "over images; other models would change the score too.",
    applies=needs_request(NeuripsScoreResult, OFFER_TEXT),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Privacy",
    order=40,
    is_compared=False,
)
