"""Chart of all methods: forget against retain accuracy with intervals, and the retrained model as the target."""

from collections.abc import Sequence
from math import isnan
from typing import Literal

import plotly.graph_objects as go

from unlearn_core.charts.comparison.method_results import Estimate, MethodResults, ModelResult
from unlearn_core.charts.drawing.dumbbell import intervals
from unlearn_core.charts.drawing.theme import (
    SMALL_FONT,
    PlotlyDict,
    Theme,
    line_style,
    marker_style,
    share_axis,
    with_alpha,
)
from unlearn_core.charts.drawing.wording import percent

TITLE = "Forgetting and retaining"
QUESTION = "Which method comes closest to the retrained model?"
NOTE = (
    "Bars and the shaded area are 95 % intervals. The aim is the retrained model, not the upper left corner. Click a "
    "point to open its report."
)
HEIGHT = 520
LABEL_HEIGHT = 18
"""The height of a label's line in pixels."""
LABEL_WIDTH = 128
"""The width in pixels of the column of labels, to the right of the points."""
LONGEST_TITLE = 20
"""The most characters of a title that fit into it."""
FOOT = 56
"""The height in pixels of what is below the axis."""
NO_POINT = "No method has both accuracies yet. The first point appears as soon as one has."


def applies(results: MethodResults) -> Literal[True] | str:
    """True if a finished method has both accuracies, else the reason."""
    return True if _shown(results) else NO_POINT


def figure(results: MethodResults, theme: Theme) -> go.Figure:
    """Methods as points, with their runs as custom data, labelled in a column; gold is a diamond with its interval."""
    shown, gold = _shown(results), _placed(results.gold)
    places = [_place(one) for one in (*shown, *([gold] if gold else []))]
    axes = [share_axis([value for place in places for value in _ends(place[side])]) for side in (0, 1)]
    drawn = go.Figure()
    drawn.update_layout(
        template=theme.template,
        height=HEIGHT,
        clickmode="event+select",
        margin={"t": 12, "r": LABEL_WIDTH, "b": FOOT},
    )
    _add_labels(drawn, [*shown, *([gold] if gold else [])], axes, theme)
    drawn.add_trace(_points(shown, theme))
    if gold is not None:
        _add_target(drawn, gold, theme)
    drawn.update_xaxes(title_text=f"forget accuracy ({results.forgotten})", showgrid=True, **axes[0])
    drawn.update_yaxes(title_text="retain accuracy, test", showgrid=True, **axes[1])
    return drawn


def alt_text(results: MethodResults) -> str:
    """Both accuracies of every method, and of the retrained model."""
    shown, gold = _shown(results), _placed(results.gold)
    told = [
        f"{one.title}: {percent(forget.value)} and {percent(retain.value)}."
        for one in (*shown, *([gold] if gold else []))
        for forget, retain in [_place(one)]
    ]
    return f"Scatter of {len(shown)} methods by forget and retain accuracy. {' '.join(told)}"


def spread(values: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Places near these values, in the same order, at least `gap` apart, from `low` to `high` if there is room."""
    gap = min(gap, (high - low) / len(values))
    places = dict.fromkeys(range(len(values)), 0.0)
    order = sorted(places, key=values.__getitem__)
    floor = low
    for at in order:
        places[at] = max(values[at], floor)
        floor = places[at] + gap
    ceiling = high
    for at in reversed(order):
        places[at] = min(places[at], ceiling)
        ceiling = places[at] - gap
    return list(places.values())


def short_title(title: str) -> str:
    """A method's title as it fits beside the chart: of a long one, the abbreviation in brackets."""
    _, opened, abbreviation = title.partition("(")
    return abbreviation.rstrip(")") if opened and len(title) > LONGEST_TITLE else title


def _shown(results: MethodResults) -> list[ModelResult]:
    return [one for one in results.methods if _placed(one)]


def _placed(one: ModelResult | None) -> ModelResult | None:
    """The model, if it has both accuracies."""
    return one if one is not None and one.forget is not None and one.retain is not None else None


def _place(one: ModelResult) -> tuple[Estimate, Estimate]:
    assert one.forget is not None and one.retain is not None
    return one.forget, one.retain


def _ends(estimate: Estimate) -> list[float]:
    """The value, and the ends of its interval if they are known."""
    return [value for value in estimate if not isnan(value)]


def _points(shown: Sequence[ModelResult], theme: Theme) -> go.Scatter:
    return go.Scatter(
        name="methods",
        mode="markers",
        marker=marker_style(theme, "after"),
        **_coordinates(shown, theme.after),
        customdata=[[one.run, one.title, *_interval_texts(one)] for one in shown],
        hovertemplate="<b>%{customdata[1]}</b>, run %{customdata[0]}<br>forget accuracy %{x:.1%} (%{customdata[2]})"
        "<br>retain accuracy %{y:.1%} (%{customdata[3]})<extra></extra>",
        unselected={"marker": {"opacity": 1}},
        cliponaxis=False,
    )


def _coordinates(shown: Sequence[ModelResult], color: str) -> PlotlyDict:
    """Both accuracies with their error bars."""
    forget, retain = zip(*map(_place, shown), strict=True)
    faint = with_alpha(color, 0.45)
    return {
        "x": [one.value for one in forget],
        "y": [one.value for one in retain],
        "error_x": intervals([(one.low, one.value, one.high) for one in forget], faint),
        "error_y": intervals([(one.low, one.value, one.high) for one in retain], faint),
    }


def _interval_texts(one: ModelResult) -> list[str]:
    return ["no interval" if isnan(own.low) else f"{100 * own.low:.1f}–{100 * own.high:.1f}" for own in _place(one)]


def _add_target(figure: go.Figure, gold: ModelResult, theme: Theme) -> None:
    """Gold as a hollow diamond, which hides no point, its intervals as a rectangle, and dotted lines through it."""
    forget, retain = _place(gold)
    line = line_style(theme, "gold", 1)
    figure.add_vline(x=forget.value, line=line, layer="below")
    figure.add_hline(y=retain.value, line=line, layer="below")
    if not isnan(forget.low) and not isnan(retain.low):
        figure.add_shape(
            type="rect",
            x0=forget.low,
            x1=forget.high,
            y0=retain.low,
            y1=retain.high,
            fillcolor=with_alpha(theme.gold, 0.14),
            line={"width": 0},
            layer="below",
        )
    figure.add_scatter(
        name="gold",
        mode="markers",
        marker={"symbol": "diamond-open", "size": 18, "color": theme.gold, "line": {"width": 3}},
        **_coordinates([gold], theme.gold),
        customdata=[[None, *_interval_texts(gold)]],
        hovertemplate="<b>Retrained model</b><br>forget accuracy %{x:.1%} (%{customdata[1]})<br>retain accuracy "
        "%{y:.1%} (%{customdata[2]})<extra></extra>",
        cliponaxis=False,
    )


def _add_labels(figure: go.Figure, shown: Sequence[ModelResult], axes: Sequence[PlotlyDict], theme: Theme) -> None:
    """Titles in a column at the right, where they cannot overlap, each joined to its point by a thin line."""
    right, (low, high) = axes[0]["range"][1], axes[1]["range"]
    values = [_place(one)[1].value for one in shown]
    heights = spread(values, gap=(high - low) * LABEL_HEIGHT / (HEIGHT - FOOT), low=low, high=high)
    figure.add_scatter(
        x=[x for one in shown for x in (_place(one)[0].value, right, None)],
        y=[y for value, height in zip(values, heights, strict=True) for y in (value, height, None)],
        mode="lines",
        line={"color": theme.border, "width": 1},
        hoverinfo="skip",
        cliponaxis=False,
    )
    for one, height in zip(shown, heights, strict=True):
        text = f"<b>{one.title}</b>" if one.model == "gold" else short_title(one.title)
        figure.add_annotation(
            text=text, x=right, y=height, xanchor="left", xshift=4, font={"size": SMALL_FONT, "color": theme.ink}
        )
