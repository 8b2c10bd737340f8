"""Share of each layer's weights that the method selected: that SalUn may change, SFRon pushes, or SSD dampened."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, Row, build_table, layer_axis, needs, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme
from unlearn_core.charts.drawing.wording import capitalize, join_words, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.method_artifacts import (
    DampenedWeights,
    ForgetStepMask,
    SaliencyMask,
    SelectedWeights,
)

VERBS: dict[type[SelectedWeights], str] = {
    SaliencyMask: "may change",
    DampenedWeights: "were dampened",
    ForgetStepMask: "get the gradient of forget steps",
}
"""What happens to the selected weights."""
_NO_SELECTION = "This method does not select weights: it may change all of them. SalUn, SFRon and SSD select weights."
_FLAT = 0.002
"""The axis goes at least up to this share."""


def applies(report: Report) -> Literal[True] | str:
    """Return True if the method selected weights, else the reason."""
    return needs(_kind(report) or SaliencyMask, otherwise=_NO_SELECTION)(report)


def _kind(report: Report) -> type[SelectedWeights] | None:
    return next((kind for kind in VERBS if kind.is_in(report.parts)), None)


def load_selection(report: Report) -> SelectedWeights:
    """Return what the method selected."""
    return report[_kind(report) or SaliencyMask]


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per layer: its weights, and the share of them that was selected."""

    def rows(report: Report) -> list[Row]:
        made = load_selection(report)
        return [
            {"layer": layer, "weights": weights, "selected": VERBS[type(made)], "share": share}
            for layer, weights, share in zip(made.layers, made.weights, made.shares.tolist(), strict=True)
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one bar per layer, from input to output, and a line at the share of all weights."""
    drawn = panels(reports, theme)
    found = [load_selection(report) for report in reports]
    top = max(_FLAT, *(share for made in found for share in (made.share, *made.shares.tolist())))
    for column, made in enumerate(found, 1):
        drawn.add_trace(
            go.Bar(
                x=list(made.layers),
                y=made.shares.tolist(),
                marker={"color": theme.after},
                customdata=[
                    [_share(share), f"{weights:,}"]
                    for weights, share in zip(made.weights, made.shares.tolist(), strict=True)
                ],
                hovertemplate="<b>%{x}</b><br>%{customdata[0]} of its %{customdata[1]} weights "
                f"{VERBS[type(made)]}<extra></extra>",
            ),
            row=1,
            col=column,
        )
        here: PlotlyDict = {"row": 1, "col": column}
        drawn.add_hline(y=made.share, line={"color": theme.ink, "width": 1.5, "dash": "dot"}, **here)
        drawn.add_annotation(
            text=f"all layers: {_share(made.share)}",
            x=0,
            xref="x domain",
            xanchor="left",
            y=made.share,
            yanchor="bottom",
            bgcolor=theme.page,
            font={"size": SMALL_FONT, "color": theme.ink},
            **here,
        )
    drawn.update_yaxes(**percent_axis(0, 1.12 * top), showgrid=True)
    drawn.update_yaxes(title_text="share of the layer's weights", col=1)
    drawn.update_xaxes(**layer_axis(layer for made in found for layer in made.layers))
    drawn.update_xaxes(title_text="layer, input to output", row=1)
    return drawn


def summary(report: Report) -> str:
    """Describe the share of all weights, and the layers with most and fewest."""
    made = load_selection(report)
    whole = f"{_share(made.share)} of all weights {VERBS[type(made)]}"
    most, least = float(made.shares.max()), float(made.shares.min())
    if most == 0:
        rest = "only repair steps changed the model" if isinstance(made, ForgetStepMask) else "the model is unchanged"
        return f"No weight passed the threshold: {whole}, and {rest}."
    if most - least < 0.001:
        return f"{whole}, a similar share in every layer."
    return (
        f"{whole}: most in {_layers(made, most)} ({_share(most)}), fewest in {_layers(made, least)} ({_share(least)})."
    )


def _layers(made: SelectedWeights, share: float) -> str:
    return join_words([layer for layer, value in zip(made.layers, made.shares, strict=True) if value == share])


def _share(value: float) -> str:
    return percent(value, 0 if value >= 0.1 or value == 0 else 1 if value >= 0.01 else 2)


def alt_text(report: Report) -> str:
    """List the share of every layer."""
    made = load_selection(report)
    rows = [f"{layer} {_share(share)}" for layer, share in zip(made.layers, made.shares.tolist(), strict=True)]
    return f"Bars of the share of each layer's weights that {VERBS[type(made)]}. {capitalize(', '.join(rows))}."


CHART = Chart(
    id="touched",
    title="Selected weights per layer",
    question="In which layers did the method select weights to change?",
    caveat="A share shows how many weights of a layer were selected, not how far they moved or with what effect. "
    "Layers differ greatly in size, so a high bar of a small layer may mean fewer weights than a low one of a large "
    "layer (the table has the numbers). A weight selected for the forget images may matter for other images as well. "
    "The repair steps of SFRon change all weights. The running statistics of batch norm are not weights: SalUn and "
    "SFRon change all of them.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Inside",
    order=81,
    optional=True,
    is_compared=False,
)
