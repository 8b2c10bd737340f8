"""Share of each layer's weights that the method selected: that SalUn may change, or that SSD dampened."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, build_table, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme
from unlearn_core.charts.drawing.wording import capitalize, join_words, percent, short_layers
from unlearn_core.domain.report import Report

VERBS = {"saliency": "may change", "dampened": "were dampened"}
"""What happens to the selected weights, by the record that a method leaves of its selection."""
_FLAT = 0.002
"""The axis goes at least up to this share."""


class SelectedWeights(NamedTuple):
    """The selected weights: the size of each layer, the share selected in it, and the share of all weights."""

    verb: str
    layer_sizes: dict[str, int]
    shares: dict[str, float]
    share: float


def applies(report: Report) -> Literal[True] | str:
    """Return True if the method selected weights, else the reason."""
    if "extras" not in report.parts:
        return report.missing.get("extras", "This method does not select weights: it may change all of them.")
    if VERBS.keys() & report.parts["extras"].arrays.keys():
        return True
    return "This method does not select weights: it may change all of them. SalUn and SSD select weights."


def load_selection(report: Report) -> SelectedWeights:
    """Return the method's record of its selection."""
    extras = report.parts["extras"]
    name = next(name for name in VERBS if name in extras.arrays)
    facts = extras.facts[name]
    return SelectedWeights(
        VERBS[name],
        dict(zip(facts["layers"], facts["weights"], strict=True)),
        dict(zip(facts["layers"], (float(share) for share in extras.arrays[name]), strict=True)),
        facts["share"],
    )


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per layer: its weights, and the share of them that was selected."""

    def rows(report: Report) -> list[dict[str, Any]]:
        made = load_selection(report)
        return [
            {"layer": layer, "weights": made.layer_sizes[layer], "selected": made.verb, "share": share}
            for layer, share in made.shares.items()
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one bar per layer, from input to output, and a line at the share of all weights."""
    drawn = panels(reports, theme)
    found = [load_selection(report) for report in reports]
    top = max(_FLAT, *(share for made in found for share in (made.share, *made.shares.values())))
    for column, made in enumerate(found, 1):
        drawn.add_trace(
            go.Bar(
                x=list(made.shares),
                y=list(made.shares.values()),
                marker={"color": theme.after},
                customdata=[[_share(share), f"{made.layer_sizes[layer]:,}"] for layer, share in made.shares.items()],
                hovertemplate=f"<b>%{{x}}</b><br>%{{customdata[0]}} of its %{{customdata[1]}} weights {made.verb}"
                "<extra></extra>",
            ),
            row=1,
            col=column,
        )
        here: dict[str, Any] = {"row": 1, "col": column}
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
    layers = list(dict.fromkeys(layer for made in found for layer in made.shares))
    drawn.update_xaxes(type="category", tickvals=layers, ticktext=short_layers(layers), range=[-0.5, len(layers) - 0.5])
    drawn.update_xaxes(title_text="layer, input to output", row=1)
    return drawn


def summary(report: Report) -> str:
    """Describe the share of all weights, and the layers with most and fewest."""
    made = load_selection(report)
    whole = f"{_share(made.share)} of all weights {made.verb}"
    most, least = max(made.shares.values()), min(made.shares.values())
    if most == 0:
        return f"No weight passed the threshold: {whole}, and the model is unchanged."
    if most - least < 0.001:
        return f"{whole}, a similar share in every layer."
    return (
        f"{whole}: most in {_layers(made, most)} ({_share(most)}), fewest in {_layers(made, least)} ({_share(least)})."
    )


def _layers(made: SelectedWeights, share: float) -> str:
    return join_words([layer for layer, value in made.shares.items() if value == share])


def _share(value: float) -> str:
    return percent(value, 0 if value >= 0.1 or value == 0 else 1 if value >= 0.01 else 2)


def alt_text(report: Report) -> str:
    """List the share of every layer."""
    made = load_selection(report)
    rows = [f"{layer} {_share(share)}" for layer, share in made.shares.items()]
    return f"Bars of the share of each layer's weights that {made.verb}. {capitalize(', '.join(rows))}."


CHART = Chart(
    id="touched",
    title="Selected weights per layer",
    question="In which layers did the method select weights to change?",
    caveat="A share shows how many weights of a layer were selected, not how far they moved or with what effect. "
    "Layers differ greatly in size, so a high bar of a small layer may mean fewer weights than a low one of a large "
    "layer (the table has the numbers). A weight selected for the forget images may matter for other images as well. "
    "The running statistics of batch norm are not weights: SalUn changes all of them.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
