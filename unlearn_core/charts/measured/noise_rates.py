"""Chart of what UNSIR's noise does: what is left of a class, and what is retained, against the learning rate."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.charts.chart import spread_labels
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, with_alpha
from unlearn_core.charts.measured.noise_levels import KIND_LABELS, KINDS, NoiseLevel

TITLE = "What the noise does"
QUESTION = "At which learning rates does the noise make a difference?"
NOTE = (
    "Means over the ten classes with standard errors, for impair and repair at the same rate: a class counts once, "
    "with the mean of its seeds. Measured on the bundled ResNet-20; other models have other rates."
)
HEIGHT = 460
_PANELS = (("forget_train", "Left of the class, training images"), ("retain_test", "Retain set, test images"))
_ASIDE = {"learned": 0.985, "random": 1.0, "none": 1.015}
"""By what the rates of each kind of noise are drawn aside, so that no interval hides another."""
_LABEL_WIDTH = 96
"""The width in pixels of the column of labels, to the right of the panels."""


def figure(levels: Sequence[NoiseLevel], theme: Theme) -> go.Figure:
    """Draw one line per kind of noise in two panels, named at their right; retrained is a dotted line below."""
    titles = [title for _, title in _PANELS]
    drawn = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.13, subplot_titles=titles)
    drawn.update_annotations(x=0, xanchor="left", font={"size": SMALL_FONT + 1, "color": theme.ink})
    drawn.update_layout(template=theme.template, height=HEIGHT, margin={"t": 24, "r": _LABEL_WIDTH})
    for row, (column, _) in enumerate(_PANELS, 1):
        for kind in KINDS:
            drawn.add_trace(_line(levels, column, kind, theme), row=row, col=1)
        drawn.update_yaxes(ticksuffix=" %", showgrid=True, nticks=6, row=row, col=1)
        _label(drawn, levels, theme, row)
    drawn.update_xaxes(
        type="log", tickvals=[level.rate for level in levels], ticktext=[f"{level.rate:g}" for level in levels]
    )
    drawn.update_xaxes(title_text="learning rate", row=2, col=1)
    return drawn


def summary(levels: Sequence[NoiseLevel]) -> str:
    """Say what is left at the lowest and highest rate, and where learned noise differs most from none."""
    most = min(levels, key=lambda level: _gap(level))
    low, high = levels[0], levels[-1]
    return (
        f"Without noise {_left(low, 'none')} of a class is left at a learning rate of {low.rate:g} and "
        f"{_left(high, 'none')} at {high.rate:g}. Learned noise makes the largest difference at {most.rate:g}: "
        f"{_left(most, 'learned')} instead of {_left(most, 'none')}, and {_left(most, 'random')} with random noise."
    )


def alt_text(levels: Sequence[NoiseLevel]) -> str:
    """List what is left and what is retained at every rate."""
    told = [
        f"At {level.rate:g}: "
        + "; ".join(
            f"{KIND_LABELS[kind]} {_left(level, kind)} left, {level.estimate('retain_test', kind).value:.1f} % retained"
            for kind in KINDS
        )
        + "."
        for level in levels
    ]
    return f"Lines of two accuracies over {len(levels)} learning rates. {' '.join(told)}"


def _gap(level: NoiseLevel) -> float:
    """Return how much more is left with learned noise than without, in points: below zero if it helps."""
    return level.estimate("forget_train", "learned").value - level.estimate("forget_train", "none").value


def _left(level: NoiseLevel, kind: str) -> str:
    return f"{level.estimate('forget_train', kind).value:.1f} %"


def _styles(theme: Theme) -> dict[str, PlotlyDict]:
    """Return colour, dash and symbol of each kind of noise."""
    return {
        "learned": {"color": theme.after, "dash": "solid", "symbol": "circle"},
        "random": {"color": theme.forget, "dash": "dash", "symbol": "square"},
        "none": {"color": theme.quiet, "dash": "dot", "symbol": "triangle-up"},
    }


def _line(levels: Sequence[NoiseLevel], column: str, kind: str, theme: Theme) -> go.Scatter:
    style = _styles(theme)[kind]
    found = [level.estimate(column, kind) for level in levels]
    return go.Scatter(
        name=KIND_LABELS[kind],
        x=[level.rate * _ASIDE[kind] for level in levels],
        customdata=[level.rate for level in levels],
        y=[one.value for one in found],
        error_y={"array": [one.error for one in found], "color": with_alpha(style["color"], 0.5), "thickness": 1.5},
        mode="lines+markers",
        line={"color": style["color"], "dash": style["dash"], "width": 2},
        marker={"color": style["color"], "symbol": style["symbol"], "size": 8},
        hovertemplate=f"<b>{KIND_LABELS[kind]}</b>, rate %{{customdata}}<br>%{{y:.1f}} ± %{{error_y.array:.1f}} %"
        "<extra></extra>",
        cliponaxis=False,
    )


def _label(figure: go.Figure, levels: Sequence[NoiseLevel], theme: Theme, row: int) -> None:
    """Name the lines of a panel, and below the retrained model, at their right ends, where none overlaps another."""
    column = _PANELS[row - 1][0]
    ends = {KIND_LABELS[kind]: levels[-1].estimate(column, kind).value for kind in KINDS}
    every = [level.estimate(column, kind) for level in levels for kind in KINDS]
    tops, bottoms = [one.value + one.error for one in every], [one.value - one.error for one in every]
    if column == "retain_test":
        gold = ends["retrained"] = levels[0].estimate("retain_test_gold", "none").value
        line: PlotlyDict = {"color": theme.gold, "width": 1.5, "dash": "dot"}
        figure.add_hline(gold, line=line, row=row, col=1)  # pyright: ignore[reportArgumentType]
        tops.append(gold)
    else:
        bottoms.append(0.0)
    low, high = min(bottoms), max(tops)
    room = 0.06 * (high - low)
    figure.update_yaxes(range=[low - room, high + room], row=row, col=1)
    colors = {KIND_LABELS[kind]: style["color"] for kind, style in _styles(theme).items()} | {"retrained": theme.ink}
    heights = spread_labels([*ends.values()], 0.13 * (high - low))
    for name, height in zip(ends, heights, strict=True):
        place: PlotlyDict = {"x": 1, "xref": "paper", "y": height, "yref": f"y{row}", "xanchor": "left", "xshift": 10}
        figure.add_annotation(text=name, **place, font={"size": SMALL_FONT, "color": colors[name]})
