"""Which layers moved? The distance of each layer's weights from what they were, beside gold and another seed."""

from collections.abc import Sequence
from math import floor, log10
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, needs, panels, table
from unlearn_core.charts.theme import SMALL, Theme, faded, marker, stroke, words_in
from unlearn_core.charts.words import listed, percent, short_layers
from unlearn_core.domain.report import Report

PAIRS = {"before-after": "after", "before-gold": "gold", "before-other": "two seeds of the same recipe"}
UNCHANGED = "unchanged"


def frame(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a layer, and apart from it one for its batch-norm statistics: distances, plain and relative."""
    return table(reports, _rows)


def _rows(report: Report) -> list[dict[str, Any]]:
    facts = report.parts["layers"].facts
    return [
        {
            "what": what,
            "layer": row["layer"],
            "tensors": row["tensors"],
            "weights": row["weights"],
            "shape": row["shape"],
        }
        | {
            f"{words} {kind}": row["pairs"][pair][kind]
            for pair, words in PAIRS.items()
            if pair in row["pairs"]
            for kind in ("l2", "relative")
        }
        for what, rows in (("weights", facts["rows"]), ("batch-norm statistics", facts["buffers"]))
        for row in rows
    ]


def distances(report: Report, pair: str) -> dict[str, float]:
    """Each layer's distance as a share of its own length before; empty where there is no such net."""
    rows = report.parts["layers"].facts["rows"]
    return {row["layer"]: row["pairs"][pair]["relative"] for row in rows if pair in row["pairs"]}


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """A log axis of distances over the layers, from input to output; layers that stayed lie on a line of their own."""
    drawn = panels(reports, theme)
    seen = [value for report in reports for pair in PAIRS for value in distances(report, pair).values() if value > 0]
    still = any(value == 0 for report in reports for pair in PAIRS for value in distances(report, pair).values())
    low, high = (floor(log10(min(seen))), log10(max(seen)) + 0.3) if seen else (-3, 0)
    # An unchanged layer has no place on a log axis: it gets a line of its own below the smallest decade.
    bottom = low - 0.14 * (high - low) if still else low
    for column, report in enumerate(reports, 1):
        for trace in _traces(report, theme, 10**bottom):
            drawn.add_trace(trace, row=1, col=column)
        for label in _labels(report, theme):
            drawn.add_annotation(**label, row=1, col=column)
    decades = list(range(low, floor(high) + 1))[:: max(1, round((high - low) / 5))]
    drawn.update_yaxes(
        type="log",
        range=[bottom - 0.05 * (high - low), high],
        tickvals=[10**bottom] * still + [10.0**decade for decade in decades],
        ticktext=[UNCHANGED] * still + [percent(10.0**decade, max(0, -decade - 2)) for decade in decades],
        showgrid=True,
    )
    drawn.update_yaxes(title_text="moved, share of its length", col=1)
    layers = list(dict.fromkeys(row["layer"] for each in reports for row in each.parts["layers"].facts["rows"]))
    drawn.update_xaxes(type="category", tickvals=layers, ticktext=short_layers(layers), range=[-0.5, len(layers) - 0.5])
    drawn.update_xaxes(title_text="layer, input to output", row=1)
    return drawn


def _traces(report: Report, theme: Theme, bottom: float) -> list[go.Scatter]:
    """The band of another seed, gold's line, after's line; and at `bottom` the layers that stayed as they were."""
    drawn = []
    for role, pair in (("before", "before-other"), ("gold", "before-gold"), ("after", "before-after")):
        rows = [row for row in report.parts["layers"].facts["rows"] if pair in row["pairs"]]
        moved = [row for row in rows if row["pairs"][pair]["relative"] > 0]
        band = role == "before"
        look: dict[str, Any] = {"mode": "lines" if band else "lines+markers", "marker": marker(theme, role, 8)}
        look["line"] = {"color": faded(theme.before, 0.3), "width": 12} if band else stroke(theme, role, 2)
        # A gap where a layer stayed: a line through it would claim a value that is not there.
        heights = [row["pairs"][pair]["relative"] or None for row in rows]
        if moved:
            drawn.append(_trace(pair, rows, heights, "%{y:.2%} of its length", **look))
        if len(moved) < len(rows):
            hollow = marker(theme, role, 8) | {"symbol": "circle-open", "line": {"width": 2}}
            heights = [None if row in moved else bottom for row in rows]
            drawn.append(_trace(pair, rows, heights, UNCHANGED, mode="markers", marker=hollow))
    return drawn


def _trace(pair: str, rows: list[dict], heights: list[float | None], words: str, **look: Any) -> go.Scatter:
    return go.Scatter(
        name=PAIRS[pair],
        x=[row["layer"] for row in rows],
        y=heights,
        customdata=[[f"{row['weights']:,}", row["shape"], f"{row['pairs'][pair]['l2']:.3g}"] for row in rows],
        hovertemplate=f"<b>{PAIRS[pair]}</b>, %{{x}}<br>{words}<br>%{{customdata[0]}} weights, %{{customdata[1]}}"
        "<br>L2 distance %{customdata[2]}<extra></extra>",
        **look,
    )


def _labels(report: Report, theme: Theme) -> list[dict[str, Any]]:
    """The name beside each line, where it stands freest: after's at its end, the others' above and below theirs."""
    after, gold = distances(report, "before-after"), distances(report, "before-gold")
    other = distances(report, "before-other")
    labels: list[dict[str, Any]] = []
    moved = [layer for layer, value in after.items() if value > 0]
    font = {"size": SMALL + 1}
    if moved:
        at = moved[len(moved) // 2]
        colour = words_in(theme, "after")
        labels.append(
            {"text": "after", "x": at, "y": log10(after[at]), "yshift": -16, "font": font | {"color": colour}}
        )
    if gold:
        at = list(gold)[1 % len(gold)]
        labels.append({"text": "gold", "x": at, "y": log10(gold[at]), "yshift": 15, "font": font})
    if other:
        at = next(iter(other))
        words = {"text": "band: two seeds of the same recipe", "xanchor": "left", "font": {"color": theme.quiet}}
        labels.append(words | {"x": at, "y": log10(other[at]), "yshift": -18})
    return labels


def unchanged(report: Report) -> list[str]:
    """The layers whose weights are exactly what they were."""
    return [layer for layer, value in distances(report, "before-after").items() if value == 0]


def sentence(report: Report) -> str:
    """Which layers moved most and least, which stayed, and how far that is beside gold."""
    after, still = distances(report, "before-after"), unchanged(report)
    moved = {layer: value for layer, value in after.items() if value > 0}
    if not moved:
        return "No layer moved: all weights are exactly what they were."
    most, least = max(moved, key=lambda name: moved[name]), min(moved, key=lambda name: moved[name])
    said = f"{most} moved most ({_share(moved[most])} of its length)"
    if len(moved) > 1:
        said += f", {least} least ({_share(moved[least])})"
    said += f". Unchanged: {listed(still)}." if still else "."
    facts = report.parts["layers"].facts["total"]
    if "before-gold" not in facts:
        return f"{said} {NO_GOLD}"
    ratio = facts["before-after"]["l2"] / facts["before-gold"]["l2"]
    return f"{said} In all it moved {ratio:.2g} times as far as gold is away, which does not say how much it forgot."


def _share(value: float) -> str:
    return percent(value, 0 if value >= 0.1 else 1 if value >= 0.01 else 2)


def alt(report: Report) -> str:
    """The distance of every layer after forgetting."""
    rows = [
        f"{name} {_share(value) if value else UNCHANGED}" for name, value in distances(report, "before-after").items()
    ]
    return f"How far each layer's weights moved, as a share of their length, on a log scale. After: {', '.join(rows)}."


CHART = Chart(
    id="layers",
    title="Which layers moved?",
    caveat="Distance says how far it went, not how much it forgot: noise, a high learning rate or fresh weights move a "
    "layer just as far. Gold started from other random weights, so it lies as far away as the same classifier trained "
    "twice (the band). A layer counts all its weights, batch norm's scale and shift included; its running statistics "
    "are in the table, since they move even where every weight is frozen.",
    applies=needs("layers"),
    frame=frame,
    figure=figure,
    sentence=sentence,
    alt=alt,
)
