"""Mean importance of each layer's weights for the forget images, which decides how strongly they are held."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, build_table, list_axis, needs, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.method_artifacts import WeightImportance

_ROW = 19
"""Height of a layer in pixels."""


def mean_importance(report: Report) -> dict[str, float]:
    """Return the mean importance (0 to 1) of the weights of each layer, input to output."""
    importance = report[WeightImportance]
    return dict(zip(importance.layers, importance.means.tolist(), strict=True))


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per layer: its mean importance, and how strongly it is held on average."""
    return build_table(
        reports,
        lambda report: [
            {"layer": layer, "importance": value, "hold": 1 - value} for layer, value in mean_importance(report).items()
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one bar per layer, the first on top."""
    found = [mean_importance(report) for report in reports]
    layers = list(dict.fromkeys(layer for each in found for layer in each))
    top = 1.25 * max(max(each.values()) for each in found) or 1.0
    drawn = panels(reports, theme, height=80 + _ROW * len(layers))
    for column, each in enumerate(found, 1):
        bars = go.Bar(
            name="importance",
            x=list(each.values()),
            y=[layers.index(layer) for layer in each],
            orientation="h",
            width=0.62,
            marker={"color": theme.forget, "line": {"width": 0}},
            text=[percent(value, 0 if value >= 0.095 else 1) for value in each.values()],
            textposition="outside",
            textfont={"size": SMALL_FONT, "color": theme.quiet},
            customdata=list(each),
            hovertemplate="<b>%{customdata}</b><br>mean importance %{x:.1%}<extra></extra>",
            cliponaxis=False,
        )
        drawn.add_trace(bars, row=1, col=column)
    drawn.update_yaxes(**list_axis(layers, theme))
    drawn.update_xaxes(showgrid=True, **percent_axis(0, top, max_ticks=4 if len(reports) > 1 else 6))
    drawn.update_xaxes(title_text="mean importance for the forget images", row=1)
    return drawn


def summary(report: Report) -> str:
    """Describe the layers with the highest and the lowest importance."""
    found = mean_importance(report)
    most, least = max(found, key=lambda name: found[name]), min(found, key=lambda name: found[name])
    images = report[WeightImportance].images
    if most == least:
        return f"{most} has a mean importance of {percent(found[most])}, measured on {images:,} forget images."
    return (
        f"Weights of {most} mattered most for {images:,} forget images (on average {percent(found[most])} of "
        f"the most important one), those of {least} least ({percent(found[least])}), so {least} is held most strongly."
    )


def alt_text(report: Report) -> str:
    """List the mean importance of every layer."""
    parts = [f"{layer} {percent(value)}" for layer, value in mean_importance(report).items()]
    return f"Bars of each layer's mean importance for the forget images: {', '.join(parts)}."


CHART = Chart(
    id="importance",
    title="Weight importance per layer",
    question="In which layers do weights matter most for the forget set?",
    caveat="Importance is how strongly a weight changes the norm of the model's output on the forget images, scaled "
    "so that the least important weight of each tensor has 0 and the most important one 1. Layers are therefore "
    "compared by how many of their weights stand out, not by how much the layer matters. Weights that matter for "
    "forget images usually matter for retained images too.",
    applies=needs(
        WeightImportance,
        otherwise="This run measured no weight importance: only L2UL does, if its guard holds unimportant weights.",
    ),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=300,
    section="Inside",
    order=82,
    optional=True,
    is_compared=False,
)
