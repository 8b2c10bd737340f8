"""Which layers did it touch? The share of each layer's weights that SalUn let move, or that SSD dampened."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, build_table, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme
from unlearn_core.charts.drawing.wording import capitalize, join_names, percent, short_layers
from unlearn_core.domain.report import Report

VERBS = {"saliency": "may move", "dampened": "were dampened"}
"""What a method that chooses weights keeps, and what it does with the chosen ones."""
_FLAT = 0.002
"""Where no share is above this the axis still goes so far."""


class SelectedWeights(NamedTuple):
    """Which weights were chosen: of each layer how many it has and what share, and the share of all."""

    verb: str
    layer_sizes: dict[str, int]
    shares: dict[str, float]
    share: float


def applies(report: Report) -> Literal[True] | str:
    """Only methods that choose among weights leave a record of it."""
    if "extras" not in report.parts:
        return report.missing.get("extras", "This method chooses no weights: it may touch all of them.")
    if VERBS.keys() & report.parts["extras"].arrays.keys():
        return True
    return "This method chooses no weights: it may touch all of them. SalUn and SSD choose."


def load_selection(report: Report) -> SelectedWeights:
    """What the method kept of its choice."""
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
    """One row a layer: its weights, and the share of them that was chosen."""

    def rows(report: Report) -> list[dict[str, Any]]:
        made = load_selection(report)
        return [
            {"layer": layer, "weights": made.layer_sizes[layer], "chosen to": made.verb, "share": share}
            for layer, share in made.shares.items()
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """A bar a layer, from input to output, and a line at the share of all weights."""
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
            text=f"all layers together {_share(made.share)}",
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
    """How many weights in all, and where most and fewest of them are."""
    made = load_selection(report)
    whole = f"{_share(made.share)} of all weights {made.verb}"
    most, least = max(made.shares.values()), min(made.shares.values())
    if most == 0:
        return f"No weight passed the threshold: {whole}, and the net is exactly what it was."
    if most - least < 0.001:
        return f"{whole}, about as many in every layer."
    return f"{whole}: most in {_named(made, most)} ({_share(most)}), fewest in {_named(made, least)} ({_share(least)})."


def _named(made: SelectedWeights, share: float) -> str:
    return join_names([layer for layer, value in made.shares.items() if value == share])


def _share(value: float) -> str:
    return percent(value, 0 if value >= 0.1 or value == 0 else 1 if value >= 0.01 else 2)


def alt_text(report: Report) -> str:
    """The share of every layer."""
    made = load_selection(report)
    rows = [f"{layer} {_share(share)}" for layer, share in made.shares.items()]
    return f"Bars of the share of each layer's weights that {made.verb}. {capitalize(', '.join(rows))}."


CHART = Chart(
    id="touched",
    title="Changed weights per layer",
    question="Which layers did the method change?",
    caveat="A share says how many of a layer's weights were chosen, not how far they moved or what they did there. "
    "Layers differ greatly in size, so a high bar of a small layer may be fewer weights than a low one of a large "
    "layer (the table has the numbers). A weight that was chosen for the forgotten pictures may serve others as well. "
    "Batch norm's running statistics are no weights: SalUn moves them all.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
