"""Summary scores: the gaps to gold of four shares, and the scores of papers that are made of them, on one scale."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import ONE_GOLD, TWO_GOLDS, Chart, Row, build_table, needs_gold, panels, percent_axis
from unlearn_core.charts.drawing.dumbbell import DotLabel, connectors, dot_labels, row_axis, row_heights
from unlearn_core.charts.drawing.theme import Theme, marker_style, text_color
from unlearn_core.charts.drawing.wording import MODEL_LABELS, number, percent
from unlearn_core.charts.text.score_words import gap_words, points
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import Part, SummaryScoresResult

PARTS: Mapping[Part, str] = {
    "forget_train": "forget set, training",
    "retain_train": "retain set, training",
    "retain_test": "retain set, test",
    "non_members": "membership attack",
}
"""What each part is called; all but the last are accuracies."""
EARLIER_RELEASE = "This run was measured by an earlier release, without these scores. New runs have them."
_LOOKS = {"before": "before", "after": "after", "twin": "gold"}
"""The models that are drawn, each compared with gold, which is at 0."""
_ROWS = (*PARTS.values(), "<b>average gap</b>", "<b>1 − tug of war</b>", "<b>1 − ToW-MIA</b>")
_HEIGHT = 400
_BELOW = 0.33
"""How far labels are below their dots, in rows."""


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model and part, its share and its gap to gold, and one per model and score."""

    def rows(report: Report) -> list[Row]:
        result, found = report[SummaryScoresResult], []
        for model, shares in result.shares.items():
            gaps = result.gaps(model)
            scores = {
                "average gap": result.average_gap(model),
                "tug of war": result.tug_of_war(model),
                "ToW-MIA": result.tug_of_war_mia(model),
            }
            found += [
                {"model": MODEL_LABELS[model], "part or score": PARTS[part], "value": share, "gap": gaps[part]}
                for part, share in shares.items()
            ]
            found += [
                {"model": MODEL_LABELS[model], "part or score": name, "value": value} for name, value in scores.items()
            ]
        return found

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one row per part and score, from before to after: 0 is gold, and a second gold shows chance."""
    drawn, heights = panels(reports, theme, height=_HEIGHT), row_heights(_ROWS)
    farthest = max(max(_distances(report, model)) for report in reports for model in _shown(report))
    top = min(1.0, max(0.05, farthest)) * 1.04
    for column, report in enumerate(reports, 1):
        drawn.add_traces(_traces(report, list(heights.values()), top, theme), rows=1, cols=column)
    drawn.update_yaxes(**row_axis(_ROWS, theme, room=(0.7, 0.5)))
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.02 * top, top, max_ticks=3 if len(reports) > 1 else 6))
    drawn.update_xaxes(title_text="gap to the retrained model", row=1)
    return drawn


def _shown(report: Report) -> list[str]:
    return [model for model in _LOOKS if model in report[SummaryScoresResult].shares]


def _distances(report: Report, model: str) -> list[float]:
    """Return the distance of each row from 0, from top to bottom."""
    result = report[SummaryScoresResult]
    scores = (result.average_gap(model), 1 - result.tug_of_war(model), 1 - result.tug_of_war_mia(model))
    return [*result.gaps(model).values(), *scores]


def _traces(report: Report, heights: Sequence[int], top: float, theme: Theme) -> list[go.Scatter]:
    shown = {model: _distances(report, model) for model in _shown(report)}
    dots = [
        go.Scatter(
            name=TWO_GOLDS if model == "twin" else MODEL_LABELS[model],
            x=values,
            y=heights,
            mode="markers",
            marker=marker_style(theme, _LOOKS[model], 10),
            hovertemplate=f"<b>{MODEL_LABELS[model]}</b><br>%{{y}}: %{{x:.1%}}<extra></extra>",
            cliponaxis=False,
        )
        for model, values in shown.items()
    ]
    labels = [
        DotLabel(value, at - _BELOW, percent(value), text_color(theme, "after"))
        for value, at in zip(shown["after"], heights, strict=True)
    ]
    lines = connectors(zip(shown["before"], shown["after"], heights, strict=True), theme)
    return [lines, *dots, dot_labels(labels, end=top, margin=0.08)]


def summary(report: Report) -> str:
    """Give the scores of after beside their parts, those of before, and those of a second retrained model."""
    result = report[SummaryScoresResult]
    said = f"Tug of war is {_score(result, 'after')} of 1 (before: {_score(result, 'before')}), with the attack in "
    said += f"place of the forget accuracy {number(result.tug_of_war_mia('after'), 3)}. The average gap to the "
    said += f"retrained model is {points(result.average_gap('after'))} (before: {points(result.average_gap('before'))})"
    said += f": {gap_words(result.gaps('after'))}."
    if "twin" not in result.shares:
        return f"{said} {ONE_GOLD}"
    twin = f"{_score(result, 'twin')} and {points(result.average_gap('twin'))}"
    return f"{said} A second retrained model is at {twin}."


def _score(result: SummaryScoresResult, model: str) -> str:
    return number(result.tug_of_war(model), 3)


def alt_text(report: Report) -> str:
    """List the gaps and the scores of each model."""
    result = report[SummaryScoresResult]
    rows = [
        f"{MODEL_LABELS[model]}: {gap_words(result.gaps(model))}; average gap {points(result.average_gap(model))}, tug "
        f"of war {_score(result, model)}, ToW-MIA {number(result.tug_of_war_mia(model), 3)}."
        for model in _shown(report)
    ]
    return f"Dot chart of gaps to the retrained model and of scores made of them. {' '.join(rows)}"


CHART = Chart(
    id="summary_scores",
    title="Summary scores beside their parts",
    question="How far is it from the retrained model in the numbers that papers report?",
    caveat="0 % is the retrained model itself. The first three rows are differences in accuracy; the fourth is the "
    "difference in the share of forget images that an attack, fitted to retained and test images, identifies as "
    "non-members. Average gap is the mean of the four, and tug of war (ToW) the product of one minus each of the three "
    "accuracy gaps; ToW-MIA has the attack in place of the forget accuracy. One number hides which part it comes from. "
    "The original model scores high where few images were forgotten, since only one part differs. Two retrained models "
    "are not at 0 either: diamonds show a second one, if there is one.",
    applies=needs_gold(SummaryScoresResult, otherwise=EARLIER_RELEASE),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Overview",
    order=70,
    height=_HEIGHT,
    is_compared=False,  # The table of Compare has the scores beside their parts.
)
