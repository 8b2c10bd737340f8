"""Similarity of features (linear CKA) to those of gold per layer, with that of two golds as reference."""

from collections.abc import Sequence
from math import floor

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, TWO_GOLDS, Chart, build_table, layer_axis, needs, panels, spread_labels
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, marker_style, text_color, with_alpha
from unlearn_core.charts.drawing.wording import join_words, number
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.layer_comparison import CkaResult

PAIR_LABELS = {
    "gold-twin": TWO_GOLDS,
    "before-gold": "before and retrained",
    "before-after": "before and after",
    "after-gold": "after and retrained",
}
"""All pairs, as the table names them."""
_END_LABELS = {"gold-twin": TWO_GOLDS, "before-gold": "before", "after-gold": "after", "before-after": "before, after"}
"""What stands at the end of a line; the heading says what all are compared with."""
_ROOM = 0.16
"""Room behind the last layer, as a share of the layers."""
_ONE_GOLD = "Spread unknown: features of only one retrained model."


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per layer and pair: the unbiased estimate that is drawn, the plain one, and why one is missing."""
    return build_table(
        reports,
        lambda report: [
            {
                "layer": row.layer,
                "pair": PAIR_LABELS[pair],
                "unbiased": similarity.unbiased,
                "plain": similarity.plain,
                "missing": report[CkaResult].reasons.get(f"{row.layer}, {pair}", ""),
            }
            for row in report[CkaResult].layers
            for pair, similarity in row.pairs.items()
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw the similarity to gold over the layers, from input to output, after and before, and that of two golds.

    A report without gold has the similarity of before and after instead.
    """
    drawn = panels(reports, theme)
    shown = [{pair: report[CkaResult].unbiased(pair) for pair in _drawn_pairs(report)} for report in reports]
    seen = [value for own in shown for values in own.values() for value in values.values() if value is not None]
    low = floor(10 * min(seen or [0.0])) / 10
    layers = list(dict.fromkeys(row.layer for report in reports for row in report[CkaResult].layers))
    for column, own in enumerate(shown, 1):
        for pair, values in own.items():
            drawn.add_trace(_trace(pair, values, theme), row=1, col=column)
        for label in _labels(own, theme, gap=0.07 * (1.04 - low)):
            drawn.add_annotation(**label, row=1, col=column)
    drawn.update_yaxes(showgrid=True, range=[low - 0.02, 1.02], nticks=6)
    drawn.update_yaxes(title_text="similarity (CKA), 1 = the same", col=1)
    axis = layer_axis(layers)
    axis["range"] = [-0.5, (1 + _ROOM) * len(layers) - 0.5]  # With room for the labels behind the last layer.
    drawn.update_xaxes(**axis)
    drawn.update_xaxes(title_text="layer, input to output", row=1)
    return drawn


def _drawn_pairs(report: Report) -> list[str]:
    """Return the pairs that are drawn: those with gold, or before and after where there is none; the last is on top."""
    known = [pair for pair in ("gold-twin", "before-gold", "after-gold") if report[CkaResult].unbiased(pair)]
    return known or ["before-after"]


def _labels(shown: dict[str, dict[str, float | None]], theme: Theme, *, gap: float) -> list[PlotlyDict]:
    """Return the name of each line at its end, moved apart where lines end close to each other."""
    known = {pair: [(x, y) for x, y in values.items() if y is not None] for pair, values in shown.items()}
    ends = {pair: points[-1] for pair, points in known.items() if points}
    heights = spread_labels([height for _, height in ends.values()], gap) if ends else []
    return [
        {
            "text": _END_LABELS[pair],
            "x": layer,
            "y": height,
            "xanchor": "left",
            "xshift": 10,
            "font": {"size": SMALL_FONT + 1, "color": _label_color(pair, theme)},
        }
        for (pair, (layer, _)), height in zip(ends.items(), heights, strict=True)
    ]


def _label_color(pair: str, theme: Theme) -> str:
    return text_color(theme, "after") if pair.startswith("after") else theme.quiet


def _trace(pair: str, values: dict[str, float | None], theme: Theme) -> go.Scatter:
    role = "after" if pair in ("after-gold", "before-after") else "before"
    look: PlotlyDict = {
        "mode": "lines+markers",
        "line": {"color": getattr(theme, role), "width": 2.5},
        "marker": marker_style(theme, role, 7),
    }
    if pair == "gold-twin":
        look = {"mode": "lines", "line": {"color": with_alpha(theme.gold, 0.4), "width": 12}}
    return go.Scatter(
        name=PAIR_LABELS[pair],
        x=list(values),
        y=list(values.values()),
        hovertemplate=f"<b>{PAIR_LABELS[pair]}</b>, %{{x}}<br>%{{y:.3f}}<extra></extra>",
        **look,
    )


def summary(report: Report) -> str:
    """Describe the layer that changed most, and its similarity to gold."""
    result = report[CkaResult]
    changed = {layer: value for layer, value in result.unbiased("before-after").items() if value is not None}
    if not changed:
        return f"The similarity could not be computed for any of {len(result.layers)} layers."
    most = min(changed, key=lambda layer: changed[layer])
    said = f"{most} changed most: its similarity before and after is {number(changed[most], 2)}."
    lost = [layer for layer, value in result.unbiased("before-after").items() if value is None]
    said += f" No value for {join_words(lost)}." if lost else ""
    near = {pair: result.unbiased(pair).get(most) for pair in ("after-gold", "before-gold", "gold-twin")}
    if not result.unbiased("after-gold"):
        return f"{said} {NO_GOLD}"
    told = [
        f"{words} {number(value, 2)}"
        for words, value in (
            ("after and retrained", near["after-gold"]),
            ("before and retrained", near["before-gold"]),
            ("two retrained models", near["gold-twin"]),
        )
        if value is not None
    ]
    said += f" Other pairs in that layer: {', '.join(told)}." if told else ""
    return said if result.unbiased("gold-twin") else f"{said} {_ONE_GOLD}"


def alt_text(report: Report) -> str:
    """List the similarity of every layer to its state before, and to gold where there is one."""
    result = report[CkaResult]
    pairs = [pair for pair in ("before-after", "before-gold", "after-gold", "gold-twin") if result.unbiased(pair)]
    rows = [
        f"{PAIR_LABELS[pair]}: "
        + ", ".join(
            f"{layer} {'no value' if value is None else number(value, 2)}"
            for layer, value in result.unbiased(pair).items()
        )
        for pair in pairs
    ]
    return f"Line chart of the similarity of features, layer by layer. {'; '.join(rows)}."


CHART = Chart(
    id="cka",
    title="Similarity of features to the retrained model (CKA)",
    question="In which layers are the features those of the retrained model?",
    caveat="Linear CKA of the outputs of a layer for the same images, half of them from the forget set: 1 is the same "
    "up to rotation and scale, 0 is unrelated. Early layers are similar in any two models of one recipe, so what "
    "counts is whether the line of after reaches the band of two retrained models, or leaves that of before. The "
    "estimator drawn is not inflated by a small number of images; the usual one, and before with after, are in the "
    "table. Similarity does not prove that something is remembered.",
    applies=needs(CkaResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Inside",
    order=20,
)
