"""Parts of dumbbell charts: one dot per model in each row, a line from before to after, intervals and labels."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, SET_LABELS, percent
from unlearn_core.domain.results.predictions import Score


class DotLabel(NamedTuple):
    """A text beside a dot, with its place on both axes."""

    x: float
    y: float
    text: str
    color: str


def row_heights(rows: Sequence[str]) -> dict[str, int]:
    """The height of each row: the first is on top, the last at 0."""
    return {row: len(rows) - 1 - place for place, row in enumerate(rows)}


def row_axis(
    labels: Sequence[str], theme: Theme, *, size: float = SMALL_FONT, room: tuple[float, float] = (0.6, 0.6)
) -> PlotlyDict:
    """The settings of a vertical axis with these labels at `row_heights`; `room` is below and above them, in rows."""
    below, above = room
    return {
        "tickvals": list(range(len(labels)))[::-1],
        "ticktext": list(labels),
        "tickfont": {"size": size, "color": theme.ink},
        "range": [-below, len(labels) - 1 + above],
    }


def set_row_labels(sets: Iterable[str]) -> list[str]:
    """The labels of rows that are sets of images, in two lines each."""
    return [f"<b>{SET_LABELS[name][0]}</b><br>{SET_LABELS[name][1]}" for name in sets]


def connectors(rows: Iterable[tuple[float, float, float]], theme: Theme) -> go.Scatter:
    """One line per row (before, after, height), from before to after."""
    ends = list(rows)
    return go.Scatter(
        x=[x for before, after, _ in ends for x in (before, after, None)],
        y=[y for *_, height in ends for y in (height, height, None)],
        mode="lines",
        line={"color": with_alpha(theme.after, 0.4), "width": 4},
        hoverinfo="skip",
    )


def intervals(
    ends: Iterable[tuple[float, float, float]], color: str, *, thickness: float = 1.5, cap: float = 0
) -> PlotlyDict:
    """The horizontal error bars of dots: their low end, value and high end; none where these are NaN."""
    bounds = list(ends)
    return {
        "type": "data",
        # In this order, max() gives 0 for NaN as well.
        "array": [max(0.0, high - value) for _, value, high in bounds],
        "arrayminus": [max(0.0, value - low) for low, value, _ in bounds],
        "thickness": thickness,
        "width": cap,
        "color": color,
    }


def score_dumbbells(
    scores: Mapping[str, Mapping[str, Score]],
    heights: Iterable[float],
    theme: Theme,
    *,
    gold_lift: float,
    sizes: Mapping[str, float],
    opacity: float,
    counted: Mapping[str, str] | None = None,
) -> list[go.Scatter]:
    """The accuracies of each model by the name of their row, with their 95 % intervals in this opacity (0 to 1).

    Gold is drawn `gold_lift` rows above the others, so that it stays visible where all three agree. `counted` says what
    images of a row are counted for, if not for being correct.
    """
    places = list(heights)
    ends = zip(scores["before"].values(), scores["after"].values(), places, strict=True)
    return [
        connectors([(before.accuracy, after.accuracy, at) for before, after, at in ends], theme),
        *(
            go.Scatter(
                name=MODEL_LABELS[model],
                x=[score.accuracy for score in own.values()],
                y=[at + gold_lift if model == "gold" else at for at in places],
                mode="markers",
                marker=marker_style(theme, model, sizes[model]),
                error_x=intervals(
                    [(score.low, score.accuracy, score.high) for score in own.values()],
                    with_alpha(getattr(theme, model), opacity),
                ),
                customdata=[
                    [
                        *(name, score.correct, score.total, percent(score.low), percent(score.high)),
                        (counted or {}).get(name, "correct"),
                    ]
                    for name, score in own.items()
                ],
                hovertemplate=f"<b>{MODEL_LABELS[model]}</b>, %{{customdata[0]}}<br>%{{x:.1%}} %{{customdata[5]}}: "
                "%{customdata[1]:,} of %{customdata[2]:,}<br>95 % interval %{customdata[3]} to %{customdata[4]}"
                "<extra></extra>",
            )
            for model, own in scores.items()
        ),
    ]


def dot_labels(labels: Sequence[DotLabel], *, end: float = 1.0, margin: float = 0.2) -> go.Scatter:
    """Labels on an axis from 0 to `end`; within this share of it from an end, the text is beside the dot, inwards."""
    return go.Scatter(
        x=[label.x for label in labels],
        y=[label.y for label in labels],
        text=[label.text for label in labels],
        textposition=[
            "middle right"
            if label.x < margin * end
            else "middle left"
            if label.x > (1 - margin) * end
            else "middle center"
            for label in labels
        ],
        textfont={"size": SMALL_FONT, "color": [label.color for label in labels]},
        mode="text",
        cliponaxis=False,
        hoverinfo="skip",
    )
