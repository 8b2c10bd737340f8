"""One block of the replay: everything that is seen of a run at one moment, and what changes from one to the next.

A figure holds one block a report, under one another, all moved by one slider. Every step of that slider holds what it
changes, so that it needs neither a server nor a rerun.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.drawing.density import AxisRange, density
from unlearn_core.charts.drawing.heatmap_strip import HeatmapStrip
from unlearn_core.charts.drawing.phase_bands import phase_fill
from unlearn_core.charts.drawing.snapshots import SnapshotSeries
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, line_style, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import percent

HEIGHT = 832
"""Height of a block in pixels, of which the parts take these stretches, from its top."""
TIMELINE, PREDICTIONS, MAPS = (52, 178), (222, 412), 534
SPLIT = (0.5, 0.58)
"""Where the bars end and where the density begins, as shares of the width."""
NUM_POINTS = 90
_DIGITS = 4


class FrameUpdate(NamedTuple):
    """What a moment changes: of traces, by their number, the x and y; of the layout, values by their path."""

    traces: dict[int, dict[str, list]]
    layout: dict[str, Any]


class PanelLayout(NamedTuple):
    """Where a block lies: its number from the top, how many there are, and the height of all in pixels."""

    panel_index: int
    num_panels: int

    @property
    def total_height(self) -> int:
        return HEIGHT * self.num_panels

    def y(self, pixels: float) -> float:
        """How high in the figure (0 to 1) so many pixels under the block's top are."""
        return 1 - (self.panel_index * HEIGHT + pixels) / self.total_height

    def axes(self, panel: int) -> dict[str, str]:
        """The names of the axes of this block's first, second or third panel."""
        number = 3 * self.panel_index + panel
        suffix = "" if number == 1 else str(number)
        return {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}


def draw_panel(
    figure: go.Figure,
    series: SnapshotSeries,
    heatmaps: HeatmapStrip | None,
    *,
    classes: Sequence[str],
    layout: PanelLayout,
    theme: Theme,
) -> list[FrameUpdate]:
    """Draws the last moment of a run into its place, and says what every moment changes."""
    changes = [FrameUpdate({}, {}) for _ in series.snapshots]
    _timeline(figure, series, layout, theme, changes)
    _prediction_bars(figure, series, classes, layout, theme, changes)
    _densities(figure, series, layout, theme, changes)
    if heatmaps is not None:
        top, unit = layout.y(MAPS), 1 / layout.total_height
        heatmaps.draw(figure, top=top, unit=unit, theme=theme, layouts=[change.layout for change in changes])
    return changes


def _title(figure: go.Figure, text: str, *, x: float, y: float, theme: Theme) -> None:
    font = {"size": SMALL_FONT + 1, "color": theme.ink}
    figure.add_annotation(
        text=text, x=x, y=y, xref="paper", yref="paper", xanchor="left", yanchor="bottom", font=font, align="left"
    )


def _domain(figure: go.Figure, layout: PanelLayout, panel: int, *, x: tuple[float, float], y: tuple[int, int]) -> Any:
    """Puts a panel into its place; gives functions that set what is particular to its axes."""
    names = layout.axes(panel)
    x_name, y_name = (names[f"{way}axis"].replace(way, f"{way}axis") for way in "xy")
    figure.layout[x_name] = {"domain": x, "anchor": names["yaxis"]}
    figure.layout[y_name] = {"domain": (layout.y(y[1]), layout.y(y[0])), "anchor": names["xaxis"]}
    return figure.layout[x_name], figure.layout[y_name]


def _timeline(
    figure: go.Figure, series: SnapshotSeries, layout: PanelLayout, theme: Theme, changes: list[FrameUpdate]
) -> None:
    """Both accuracies over all moments, the phases behind them, gold at their end, and where the slider stands."""
    axes, last = layout.axes(1), len(series.snapshots) - 1
    x, y = _domain(figure, layout, 1, x=(0, 1), y=TIMELINE)
    x.update(range=[-0.5, last + 0.5], visible=False)
    y.update(range=[-0.06, 1.06], tickvals=[0, 0.5, 1], ticktext=[percent(share, 0) for share in (0, 0.5, 1)])
    _title(figure, _line_legend(theme), x=0, y=layout.y(TIMELINE[0] - 20), theme=theme)
    stretches = phase_segments([moment.phase for moment in series.snapshots])
    for number, (name, first, end) in enumerate(stretches):
        low, high = first - 0.5, end + 0.5
        box = {"x0": low, "x1": high, "y0": 0, "y1": 1, "xref": axes["xaxis"], "yref": f"{axes['yaxis']} domain"}
        fill = {"fillcolor": phase_fill(number, len(stretches), theme), "line": {"width": 0}, "layer": "below"}
        figure.add_shape(type="rect", **box, **fill)
        if high - low > 0.026 * len(name) * (last + 1):  # Narrower phases have no room for their name.
            where = {"x": (low + high) / 2, "y": layout.y(TIMELINE[0] - 2), "xref": axes["xaxis"], "yref": "paper"}
            figure.add_annotation(text=name, yanchor="bottom", font={"color": theme.quiet}, **where)
    for side, name in (("retain", "kept pictures"), ("forget", "forgotten pictures")):
        values = [moment.accuracy.get(side) for moment in series.snapshots]
        hover = f"<b>{name}</b><br>%{{y:.0%}} named rightly<extra></extra>"
        line = {"mode": "lines", "line": line_style(theme, side, 3), "hovertemplate": hover, "cliponaxis": False}
        figure.add_trace(go.Scatter(name=name, x=list(range(last + 1)), y=values, **line, **axes))
    _gold_markers(figure, series, axes, theme, x=last + 0.5)
    cursor = go.Scatter(
        name="now",
        y=[-0.06, 1.06],
        x=[last, last],
        mode="lines",
        line={"color": theme.ink, "width": 1.5},
        hoverinfo="skip",
        **axes,
    )
    dots = {"mode": "markers", "marker": {"size": 10, "color": [theme.retain, theme.forget]}, "cliponaxis": False}
    here = go.Scatter(name="here", **_cursor(series, last), **dots, hoverinfo="skip", **axes)
    number = len(figure.data)
    figure.add_traces([cursor, here])
    for at, change in enumerate(changes):
        change.traces[number] = {"x": [at, at], "y": [-0.06, 1.06]}
        change.traces[number + 1] = _cursor(series, at)


def _line_legend(theme: Theme) -> str:
    forgotten = f'<span style="color:{theme.forget}">forgotten ┅</span>'
    return f'Right about {forgotten} and <span style="color:{theme.retain}">kept ━</span> pictures'


def _cursor(series: SnapshotSeries, at: int) -> dict[str, list]:
    return {"x": [at, at], "y": [series.snapshots[at].accuracy.get(side) for side in ("retain", "forget")]}


def _gold_markers(figure: go.Figure, series: SnapshotSeries, axes: dict[str, str], theme: Theme, *, x: float) -> None:
    """Gold's two accuracies as diamonds at the end, the only words being those of the hover: the legend names it."""
    if series.gold is None:
        return
    sides = [side for side in ("retain", "forget") if side in series.gold.accuracy]
    figure.add_trace(
        go.Scatter(
            name="gold",
            x=[x] * len(sides),
            y=[series.gold.accuracy[side] for side in sides],
            mode="markers",
            marker=marker_style(theme, "gold", 11),
            customdata=["kept" if side == "retain" else "forgotten" for side in sides],
            hovertemplate="<b>gold</b>, %{customdata} pictures<br>%{y:.0%} named rightly<extra></extra>",
            cliponaxis=False,
            **axes,
        )
    )


def _prediction_bars(
    figure: go.Figure,
    series: SnapshotSeries,
    classes: Sequence[str],
    layout: PanelLayout,
    theme: Theme,
    changes: list[FrameUpdate],
) -> None:
    """What the forgotten pictures are called: pale bars before, bars now, diamonds of gold."""
    axes, parts = layout.axes(2), [moment.shares for moment in series.snapshots]
    parts += [series.gold.shares] if series.gold else []
    shown = np.sort(np.argsort(-np.max(parts, axis=0), kind="stable")[:10])
    rows = list(range(len(shown)))
    x, y = _domain(figure, layout, 2, x=(0, SPLIT[0]), y=PREDICTIONS)
    x.update(range=[-0.01, 1.04], tickvals=[0, 0.5, 1], ticktext=[percent(share, 0) for share in (0, 0.5, 1)])
    x.update(showgrid=True)
    names = [classes[own] for own in shown]
    y.update(range=[len(rows) - 0.4, -0.6], tickvals=rows, ticktext=names, tickfont={"size": SMALL_FONT - 1})
    _title(figure, "What they are called", x=0, y=layout.y(PREDICTIONS[0] - 4), theme=theme)
    hover = {"hovertemplate": "<b>%{customdata}</b><br>%{fullData.name}: %{x:.0%}<extra></extra>", "customdata": names}
    for name, shares, width, colour in (
        ("before", parts[0], 0.84, with_alpha(theme.before, 0.4)),
        ("now", series.snapshots[-1].shares, 0.46, theme.after),
    ):
        look = {"orientation": "h", "width": width, "marker": {"color": colour, "line": {"width": 0}}}
        figure.add_trace(go.Bar(name=name, x=_rounded(shares[shown]), y=rows, **look, **hover, **axes))
    number = len(figure.data) - 1
    for change, moment in zip(changes, series.snapshots, strict=True):
        change.traces[number] = {"x": _rounded(moment.shares[shown]), "y": rows}
    if series.gold:
        look = {"mode": "markers", "marker": marker_style(theme, "gold", 9), "cliponaxis": False}
        figure.add_trace(
            go.Scatter(name="gold", x=_rounded(series.gold.shares[shown]), y=rows, **look, **hover, **axes)
        )


def _densities(
    figure: go.Figure, series: SnapshotSeries, layout: PanelLayout, theme: Theme, changes: list[FrameUpdate]
) -> None:
    """How sure it is of the forgotten pictures' true class: a grey area before, a line now, a dotted one of gold."""
    axes, parts = layout.axes(3), [moment.true_logit for moment in series.snapshots]
    every = np.concatenate([*parts, *([series.gold.true_logit] if series.gold else [])])
    low, high = np.quantile(every, [0.002, 0.998]) if len(every) else (0.0, 1.0)
    room = 0.1 * (high - low) or 1.0
    span = AxisRange(float(low - room), float(high + room), is_closed=False)
    at = np.linspace(span.low, span.high, NUM_POINTS)
    curves = [density(part, at, span) for part in parts]
    gold = density(series.gold.true_logit, at, span) if series.gold else None
    # A run may pass through a moment where all are alike; it may be cut off, so that the others can be seen.
    top = max(float(curves[0].max()), float(curves[-1].max()), 0.0 if gold is None else float(gold.max()))
    x, y = _domain(figure, layout, 3, x=(SPLIT[1], 1), y=PREDICTIONS)
    x.update(range=[span.low, span.high], showgrid=True, nticks=4, showline=True, title_text="logit of the true class")
    y.update(range=[-0.02 * top, 1.2 * top], visible=False)
    _title(figure, "How sure of their class", x=SPLIT[1], y=layout.y(PREDICTIONS[0] - 4), theme=theme)
    looks: list[tuple[str, np.ndarray, dict[str, Any]]] = [
        ("before", curves[0], {"line": {"width": 0}, "fill": "tozeroy", "fillcolor": with_alpha(theme.before, 0.35)}),
        ("now", curves[-1], {"line": line_style(theme, "after")}),
    ]
    if gold is not None:
        looks.append(("gold", gold, {"line": line_style(theme, "gold")}))
    number = len(figure.data) + 1
    for name, curve, look in looks:
        hover = f"<b>{name}</b> at %{{x:.1f}}<extra></extra>"
        line = go.Scatter(
            name=name, x=_rounded(at), y=_rounded(curve), mode="lines", hovertemplate=hover, **look, **axes
        )
        figure.add_trace(line)
    for change, curve in zip(changes, curves, strict=True):
        change.traces[number] = {"x": _rounded(at), "y": _rounded(curve)}


def phase_segments(phase_names: Sequence[str]) -> list[tuple[str, int, int]]:
    """Stretches of equal names: the name, its first and its last place."""
    found: list[tuple[str, int, int]] = []
    for place, name in enumerate(phase_names):
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1], place)
        else:
            found.append((name, place, place))
    return found


def _rounded(values: np.ndarray) -> list[float]:
    return np.round(values.astype(float), _DIGITS).tolist()
