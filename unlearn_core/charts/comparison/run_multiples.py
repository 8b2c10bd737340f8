"""Small multiples of a comparison: every run on one scale, for forgetting, retaining and time, with direct labels."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from unlearn_core.charts.chart import percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, line_style, marker_style
from unlearn_core.charts.drawing.wording import join_words
from unlearn_core.charts.text.ranking_words import RankingText, value_text, winner_text
from unlearn_core.domain.report import Report
from unlearn_core.domain.verdicts.report_verdicts import correct_predictions, gold_agreement
from unlearn_core.domain.verdicts.run_ranking import TIME_FACTOR, Criterion, Ranking

TITLES: Mapping[Criterion, str] = {
    "forgetting": "Predicted as by the retrained model",
    "retaining": "Accuracy on the retain set, test",
    "time": "Seconds of unlearning",
}
NOTE = (
    "Filled: no other run is shown to be better. Hollow: behind another run by more than chance explains, or slower by "
    f"more than a factor of {TIME_FACTOR}."
)
ROW_HEIGHT, FOOT = 52, 72
"""In pixels: a row with its name, and what is above and below the rows."""
_NAME_LIFT = 7
"""How far above its dot a run's name stands, in pixels."""


def figure(ranking: Ranking, text: RankingText, reports: Sequence[Report], theme: Theme) -> go.Figure:
    """One row per run in their order: its name, a dot at its value, and the value; the retrained model as a line."""
    count, is_time = len(ranking.values), ranking.criterion == "time"
    values = {run: value for run, value in enumerate(ranking.values) if value is not None}
    end = 1.2 * max(values.values(), default=1.0) if is_time else 1.0
    drawn = go.Figure()
    drawn.update_layout(template=theme.template, height=ROW_HEIGHT * count + FOOT, margin={"t": 24, "r": 24, "l": 16})
    heights = [count - 1 - run for run in range(count)]
    drawn.add_traces([_rails(heights, end, theme), _dots(ranking, text, heights, theme), _names(text, heights, theme)])
    for run, value in values.items():
        side = -1 if value > 0.7 * end else 1
        drawn.add_annotation(
            x=value,
            y=heights[run],
            xshift=10 * side,
            xanchor="right" if side < 0 else "left",
            text=value_text(ranking, (run,)),
            bgcolor=theme.page,
        )
    reference = None if is_time else _reference(ranking, reports)
    if reference is not None:
        value, words = reference
        drawn.add_vline(x=value, line=line_style(theme, "gold", 1.5), layer="below")
        inwards = "right" if value > 0.5 else "left"
        drawn.add_annotation(x=value, y=1, yref="paper", yanchor="bottom", xanchor=inwards, text=words)
    axis: PlotlyDict = {} if is_time else percent_axis(0, 1)
    axis |= {"range": [-0.02 * end, 1.02 * end], "title": {"text": TITLES[ranking.criterion]}}
    drawn.update_layout(xaxis=axis)
    drawn.update_yaxes(range=[-0.5, count - 0.35], showticklabels=False)
    return drawn


def alt_text(ranking: Ranking, text: RankingText) -> str:
    """The value of every run, and who is ahead."""
    values = join_words([f"{name} {value_text(ranking, (run,))}" for run, name in enumerate(text.labels)], limit=6)
    better = winner_text(ranking, text)
    return f"{TITLES[ranking.criterion]}, one dot per run on one scale. {values}. Better: {better}."


def _rails(heights: Sequence[int], end: float, theme: Theme) -> go.Scatter:
    """A faint line along each row."""
    return go.Scatter(
        x=[0, end, None] * len(heights),
        y=[y for at in heights for y in (at, at, None)],
        mode="lines",
        line={"color": theme.border, "width": 2},
        hoverinfo="skip",
    )


def _names(text: RankingText, heights: Sequence[int], theme: Theme) -> go.Scatter:
    """The runs' names above the beginning of their rows."""
    return go.Scatter(
        x=[0] * len(heights),
        y=[at + _NAME_LIFT / ROW_HEIGHT for at in heights],
        text=list(text.labels),
        textposition="top right",
        textfont={"size": SMALL_FONT, "color": theme.ink},
        mode="text",
        cliponaxis=False,
        hoverinfo="skip",
    )


def _dots(ranking: Ranking, text: RankingText, heights: Sequence[int], theme: Theme) -> go.Scatter:
    """A dot for each run, hollow where the run is behind; none where it has no value."""
    behind = {run for group in ranking.groups for runs in group.behind for run in runs}
    usual, hollow = marker_style(theme, "after"), {"color": theme.page, "line": {"color": theme.after, "width": 2.5}}
    looks = [usual | hollow if run in behind else usual for run in range(len(heights))]
    return go.Scatter(
        x=list(ranking.values),
        y=list(heights),
        mode="markers",
        marker=usual
        | {
            "color": [look["color"] for look in looks],
            "line": {part: [look["line"][part] for look in looks] for part in ("color", "width")},
        },
        cliponaxis=False,
        customdata=[[name, value_text(ranking, (run,))] for run, name in enumerate(text.labels)],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    )


def _reference(ranking: Ranking, reports: Sequence[Report]) -> tuple[float, str] | None:
    """Where a retrained model stands, if it is the same for all runs: the line that all of them are compared with."""
    if len(ranking.groups) != 1 or ranking.missing:
        return None
    report = reports[0]
    if ranking.criterion == "forgetting":
        agreement = gold_agreement(report)
        known = agreement is not None and agreement.num_others > 0
        return (agreement.comparison.reference, "another retrained model") if agreement and known else None
    shares = {
        float(correct_predictions(one, "gold", one.split.retain_test).mean())
        for one in reports
        if "gold" in one.evaluations
    }
    return (shares.pop(), "retrained model") if len(shares) == 1 else None
