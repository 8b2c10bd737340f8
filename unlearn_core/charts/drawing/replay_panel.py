"""One panel of the replay: all plots of a run at one snapshot, and the changes from one snapshot to the next.

A figure holds one panel per report, one below the other, all moved by one slider. Every step of the slider holds its
own changes, so that it needs neither a server nor a rerun.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.drawing.density import AxisRange, density
from unlearn_core.charts.drawing.phase_bands import phase_fill
from unlearn_core.charts.drawing.replay_maps import HeatmapStrip, RegionStrip
from unlearn_core.charts.drawing.snapshots import SnapshotSeries
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, line_style, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import percent

HEIGHT = 832
"""Height of a panel in pixels, and the vertical ranges of its parts, from its top."""
TIMELINE, PREDICTIONS, MAPS = (52, 178), (222, 412), 534
SHORT_HEIGHT = MAPS + 40
"""Height of a panel without maps, which has a sentence in their place."""
SPLIT = (0.5, 0.58)
"""The right end of the bars and the left end of the density, as shares of the width."""
NUM_POINTS = 90
_DIGITS = 4


class FrameUpdate(NamedTuple):
    """The changes of one snapshot: x and y of traces, by their number; layout values, by their path."""

    traces: dict[int, dict[str, list]]
    layout: PlotlyDict


class PanelLayout(NamedTuple):
    """The place of a panel: its number from the top, how many panels there are, and the height of each in pixels."""

    panel_index: int
    num_panels: int
    height: int = HEIGHT

    @property
    def total_height(self) -> int:
        return self.height * self.num_panels

    def y(self, pixels: float) -> float:
        """The height in the figure (0 to 1) at this many pixels below the panel's top."""
        return 1 - (self.panel_index * self.height + pixels) / self.total_height

    def axes(self, plot: int) -> dict[str, str]:
        """The names of the axes of the first, second or third plot in this panel."""
        number = 3 * self.panel_index + plot
        suffix = "" if number == 1 else str(number)
        return {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}


def draw_panel(
    figure: go.Figure,
    series: SnapshotSeries,
    maps: HeatmapStrip | RegionStrip | None,
    *,
    classes: Sequence[str],
    layout: PanelLayout,
    theme: Theme,
) -> list[FrameUpdate]:
    """Draw the last snapshot of a run into its place, and return the changes of every snapshot."""
    changes = [FrameUpdate({}, {}) for _ in series.snapshots]
    _timeline(figure, series, layout, theme, changes)
    _prediction_bars(figure, series, classes, layout, theme, changes)
    _densities(figure, series, layout, theme, changes)
    if maps is not None:
        top, unit = layout.y(MAPS), 1 / layout.total_height
        maps.draw(figure, top=top, unit=unit, theme=theme, layouts=[change.layout for change in changes])
    return changes


def _title(figure: go.Figure, text: str, *, x: float, y: float, theme: Theme) -> None:
    font = {"size": SMALL_FONT + 1, "color": theme.ink}
    figure.add_annotation(
        text=text, x=x, y=y, xref="paper", yref="paper", xanchor="left", yanchor="bottom", font=font, align="left"
    )


def _domain(figure: go.Figure, layout: PanelLayout, plot: int, *, x: tuple[float, float], y: tuple[int, int]) -> Any:
    """Put a plot into its place, and return its two axes."""
    names = layout.axes(plot)
    x_name, y_name = (names[f"{way}axis"].replace(way, f"{way}axis") for way in "xy")
    figure.layout[x_name] = {"domain": x, "anchor": names["yaxis"]}
    figure.layout[y_name] = {"domain": (layout.y(y[1]), layout.y(y[0])), "anchor": names["xaxis"]}
    return figure.layout[x_name], figure.layout[y_name]


def _timeline(
    figure: go.Figure, series: SnapshotSeries, layout: PanelLayout, theme: Theme, changes: list[FrameUpdate]
) -> None:
    """Both accuracies over all snapshots, the phases behind them, gold at their end, and the slider's position."""
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
    for side, name in (("retain", "retain set"), ("forget", "forget set")):
        values = [moment.accuracy.get(side) for moment in series.snapshots]
        hover = f"<b>{name}</b><br>accuracy %{{y:.0%}}<extra></extra>"
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
    forget = f'<span style="color:{theme.forget}">forget set ┅</span>'
    return f'Accuracy: {forget} and <span style="color:{theme.retain}">retain set ━</span>'


def _cursor(series: SnapshotSeries, at: int) -> dict[str, list]:
    return {"x": [at, at], "y": [series.snapshots[at].accuracy.get(side) for side in ("retain", "forget")]}


def _gold_markers(figure: go.Figure, series: SnapshotSeries, axes: dict[str, str], theme: Theme, *, x: float) -> None:
    """Gold's two accuracies as diamonds at the end, labelled only on hover: the legend explains them."""
    if series.gold is None:
        return
    sides = [side for side in ("retain", "forget") if side in series.gold.accuracy]
    figure.add_trace(
        go.Scatter(
            name="retrained",
            x=[x] * len(sides),
            y=[series.gold.accuracy[side] for side in sides],
            mode="markers",
            marker=marker_style(theme, "gold", 11),
            customdata=sides,
            hovertemplate="<b>retrained</b>, %{customdata} set<br>accuracy %{y:.0%}<extra></extra>",
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
    """The classes predicted for the forget images: pale bars before, bars now, diamonds for gold."""
    axes, parts = layout.axes(2), [moment.shares for moment in series.snapshots]
    parts += [series.gold.shares] if series.gold else []
    shown = np.sort(np.argsort(-np.max(parts, axis=0), kind="stable")[:10])
    rows = list(range(len(shown)))
    x, y = _domain(figure, layout, 2, x=(0, SPLIT[0]), y=PREDICTIONS)
    x.update(range=[-0.01, 1.04], tickvals=[0, 0.5, 1], ticktext=[percent(share, 0) for share in (0, 0.5, 1)])
    x.update(showgrid=True)
    names = [classes[own] for own in shown]
    y.update(range=[len(rows) - 0.4, -0.6], tickvals=rows, ticktext=names, tickfont={"size": SMALL_FONT - 1})
    _title(figure, "Predicted classes", x=0, y=layout.y(PREDICTIONS[0] - 4), theme=theme)
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
            go.Scatter(name="retrained", x=_rounded(series.gold.shares[shown]), y=rows, **look, **hover, **axes)
        )


def _densities(
    figure: go.Figure, series: SnapshotSeries, layout: PanelLayout, theme: Theme, changes: list[FrameUpdate]
) -> None:
    """The true class's logit on the forget images: a grey area before, a line now, a dotted line for gold."""
    axes, parts = layout.axes(3), [moment.true_logit for moment in series.snapshots]
    every = np.concatenate([*parts, *([series.gold.true_logit] if series.gold else [])])
    low, high = np.quantile(every, [0.002, 0.998]) if len(every) else (0.0, 1.0)
    room = 0.1 * (high - low) or 1.0
    span = AxisRange(float(low - room), float(high + room), is_closed=False)
    at = np.linspace(span.low, span.high, NUM_POINTS)
    curves = [density(part, at, span) for part in parts]
    gold = density(series.gold.true_logit, at, span) if series.gold else None
    # Where all logits coincide, the peak is cut off, so that the other curves stay visible.
    top = max(float(curves[0].max()), float(curves[-1].max()), 0.0 if gold is None else float(gold.max()))
    x, y = _domain(figure, layout, 3, x=(SPLIT[1], 1), y=PREDICTIONS)
    x.update(range=[span.low, span.high], showgrid=True, nticks=4, showline=True, title_text="logit")
    y.update(range=[-0.02 * top, 1.2 * top], visible=False)
    _title(figure, "True-class logit", x=SPLIT[1], y=layout.y(PREDICTIONS[0] - 4), theme=theme)
    looks: list[tuple[str, np.ndarray, PlotlyDict]] = [
        ("before", curves[0], {"line": {"width": 0}, "fill": "tozeroy", "fillcolor": with_alpha(theme.before, 0.35)}),
        ("now", curves[-1], {"line": line_style(theme, "after")}),
    ]
    if gold is not None:
        looks.append(("retrained", gold, {"line": line_style(theme, "gold")}))
    number = len(figure.data) + 1
    for name, curve, look in looks:
        hover = f"<b>{name}</b> at %{{x:.1f}}<extra></extra>"
        line = go.Scatter(
            name=name, x=_rounded(at), y=_rounded(curve), mode="lines", hovertemplate=hover, **look, **axes
        )
        figure.add_trace(line)
    for change, curve in zip(changes, curves, strict=True):
        change.traces[number] = {"x": _rounded(at), "y": _rounded(curve)}


def phase_segments(phases: Sequence[str]) -> list[tuple[str, int, int]]:
    """Runs of equal names: the name, its first and its last index."""
    found: list[tuple[str, int, int]] = []
    for place, name in enumerate(phases):
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1], place)
        else:
            found.append((name, place, place))
    return found


def _rounded(values: np.ndarray) -> list[float]:
    return np.round(values.astype(float), _DIGITS).tolist()
