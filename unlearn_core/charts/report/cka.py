"""Similarity of features (linear CKA) per layer between pairs of models, with that of two golds as reference."""

from collections.abc import Sequence
from math import floor

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, TWO_GOLDS, Chart, build_table, layer_axis, needs, panels
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
"""In the order in which they are drawn: the last is on top."""
_ONE_GOLD = "Spread unknown: features of only one retrained model."
_HEIGHT = 410


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
    """Draw one line per pair over the layers, from input to output, on a scale that ends at 1."""
    drawn = panels(reports, theme, height=_HEIGHT)
    seen = [value for report in reports for pair in PAIR_LABELS for value in report[CkaResult].unbiased(pair).values()]
    low = floor(10 * min([value for value in seen if value is not None] or [0.0])) / 10
    for column, report in enumerate(reports, 1):
        for pair in PAIR_LABELS:
            values = report[CkaResult].unbiased(pair)
            if values:
                drawn.add_trace(_trace(pair, values, theme), row=1, col=column)
    drawn.update_yaxes(showgrid=True, range=[low - 0.02, 1.02], nticks=6)
    drawn.update_yaxes(title_text="similarity (CKA)", col=1)
    drawn.update_xaxes(**layer_axis(row.layer for report in reports for row in report[CkaResult].layers))
    drawn.update_xaxes(title_text="layer, input to output", row=1)
    several = len(reports) > 1
    drawn.update_layout(margin={"t": 84 if several else 48})
    shown = [pair for pair in reversed(PAIR_LABELS) if any(report[CkaResult].unbiased(pair) for report in reports)]
    drawn.add_annotation(
        text=_legend(shown, theme),
        x=0,
        y=1,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="bottom",
        align="left",
        yshift=34 if several else 6,
        font={"size": SMALL_FONT, "color": theme.ink},
    )
    return drawn


def _legend(shown: list[str], theme: Theme) -> str:
    """Return the legend, two lines per row: the lines are too close to one another for labels at their ends."""
    words = {
        "after-gold": f'<span style="color:{text_color(theme, "after")}">●</span> {PAIR_LABELS["after-gold"]}',
        "before-gold": f'<span style="color:{theme.before}">○</span> {PAIR_LABELS["before-gold"]}',
        "gold-twin": f'<span style="color:{theme.gold}">■</span> {TWO_GOLDS}',
        "before-after": f'<span style="color:{text_color(theme, "after")}">┄</span> before and after',
    }
    parts = [words[pair] for pair in shown]
    return "<br>".join("   ".join(parts[at : at + 2]) for at in range(0, len(parts), 2))


def _trace(pair: str, values: dict[str, float | None], theme: Theme) -> go.Scatter:
    looks: dict[str, PlotlyDict] = {
        "gold-twin": {"mode": "lines", "line": {"color": with_alpha(theme.gold, 0.4), "width": 12}},
        "before-gold": {
            "mode": "lines+markers",
            "line": {"color": theme.before, "width": 2},
            "marker": marker_style(theme, "before", 7),
        },
        "before-after": {"mode": "lines", "line": {"color": theme.after, "width": 2, "dash": "dash"}},
        "after-gold": {
            "mode": "lines+markers",
            "line": {"color": theme.after, "width": 2.5},
            "marker": marker_style(theme, "after", 8),
        },
    }
    return go.Scatter(
        name=PAIR_LABELS[pair],
        x=list(values),
        y=list(values.values()),
        hovertemplate=f"<b>{PAIR_LABELS[pair]}</b>, %{{x}}<br>%{{y:.3f}}<extra></extra>",
        **looks[pair],
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
    pairs = [pair for pair in ("before-after", "after-gold", "gold-twin") if result.unbiased(pair)]
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
    title="Feature similarity per layer (CKA)",
    question="Which layers represent images as in the retrained model?",
    caveat="Linear CKA of the outputs of a layer for the same images, half of them from the forget set: 1 is the same "
    "up to rotation and scale, 0 is unrelated. Early layers are similar in any two models of one recipe, so what "
    "counts is whether the line of after and retrained reaches the band of two retrained models. The estimator drawn "
    "is not inflated by a small number of images; the usual one is in the table. Similarity does not prove that "
    "something is remembered.",
    applies=needs(CkaResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=_HEIGHT,
    section="Inside",
    order=20,
)
