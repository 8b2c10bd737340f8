"""Zero retrain forgetting (ZRF) of each model, with that of gold as the aim; the official variant is in the table."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, ONE_GOLD, Chart, build_table, needs, panels
from unlearn_core.charts.drawing.dumbbell import row_axis, row_heights
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, marker_style
from unlearn_core.charts.drawing.wording import MODEL_LABELS, number
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import ZrfResult

VARIANTS = {"proper": ("Proper", "JS divergence in bits"), "official": ("Official", "the published code")}
_ROW = 38
"""Height of a row in pixels."""
SPACE = "\N{NO-BREAK SPACE}"


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model: both variants, and why one is missing."""
    return build_table(
        reports,
        lambda report: [
            {
                "model": MODEL_LABELS[model],
                "proper": values.proper,
                "official": values.official,
                "images": report[ZrfResult].images,
                "missing": report[ZrfResult].reasons.get(model, ""),
            }
            for model, values in report[ZrfResult].models.items()
        ],
    )


def _values(report: Report, variant: str) -> dict[str, float]:
    """Return the values of a variant by model, without missing ones."""
    models = report[ZrfResult].models
    known = {model: own.proper if variant == "proper" else own.official for model, own in models.items()}
    return {model: value for model, value in known.items() if value is not None}


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one row per model with its value, and a line at gold's, which is the aim."""
    values = [_values(report, "proper") for report in reports]
    shown = [model for model in MODEL_LABELS if any(model in own for own in values)]
    low = min([0.0, *(value for own in values for value in own.values())])
    drawn = panels(reports, theme, height=90 + _ROW * len(shown))
    for column, own in enumerate(values, 1):
        heights = {model: at for model, at in row_heights(shown).items() if model in own}
        for trace in _traces(own, heights, theme):
            drawn.add_trace(trace, row=1, col=column)
        if "gold" in own:
            here: PlotlyDict = {"row": 1, "col": column}
            drawn.add_vline(x=own["gold"], line={"color": theme.gold, "width": 1.5, "dash": "dot"}, **here)
    drawn.update_yaxes(**row_axis([MODEL_LABELS[model] for model in shown], theme, size=13))
    drawn.update_xaxes(showgrid=True, range=[low - 0.04, 1.12], tickvals=[0, 0.25, 0.5, 0.75, 1])
    drawn.update_xaxes(title_text="ZRF (1 = predicts like random weights)", row=1)
    return drawn


def _traces(values: dict[str, float], heights: dict[str, int], theme: Theme) -> list[go.Scatter]:
    dots = [
        go.Scatter(
            name=MODEL_LABELS[model],
            x=[values[model]],
            y=[at],
            mode="markers",
            marker=marker_style(theme, "gold" if model == "twin" else model, 11),
            hovertemplate=f"<b>{MODEL_LABELS[model]}</b><br>%{{x:.3f}}<extra></extra>",
            cliponaxis=False,
        )
        for model, at in heights.items()
    ]
    return [*dots, _numbers(values, heights, theme)]


def _numbers(values: dict[str, float], heights: dict[str, int], theme: Theme) -> go.Scatter:
    """Return the value of each model at the right of its mark."""
    return go.Scatter(
        x=[values[model] for model in heights],
        y=list(heights.values()),
        text=[f"{3 * SPACE}{number(values[model], 2)}{' (the aim)' * (model == 'gold')}" for model in heights],
        textposition="middle right",
        textfont={"size": SMALL_FONT + 1, "color": theme.ink},
        mode="text",
        cliponaxis=False,
        hoverinfo="skip",
    )


def summary(report: Report) -> str:
    """Describe the proper value before and after, compared with gold's and a second gold's."""
    values = {model: number(value, 3) for model, value in _values(report, "proper").items()}
    said = f"ZRF went from {values.get('before', 'no value')} to {values.get('after', 'no value')}"
    if "gold" not in values:
        return f"{said} on {report[ZrfResult].images} of the forget images. {NO_GOLD}"
    said += f"; the retrained model, which is the aim, has {values['gold']}"
    return f"{said}, a second one {values['twin']}." if "twin" in values else f"{said}. {ONE_GOLD}"


def alt_text(report: Report) -> str:
    """List both variants of every model."""
    rows = []
    for variant, (title, _) in VARIANTS.items():
        values = [f"{MODEL_LABELS[model]} {number(value, 3)}" for model, value in _values(report, variant).items()]
        rows.append(f"{title}: {', '.join(values)}.")
    return f"Dot chart of ZRF after forgetting {report.forget_set_title}. {' '.join(rows)}"


CHART = Chart(
    id="zrf",
    title="Likeness to an untrained model (ZRF)",
    question="Does it guess on the forget set as the retrained model does?",
    caveat="Zero retrain forgetting (ZRF) is 1 minus the divergence between the predictions of a model and of one "
    "with random weights, on training images of the forget set. 1 is not the aim: the retrained model learned from "
    "the retain set, so it guesses with some confidence, and a destroyed model scores high. The aim is the value of "
    "the retrained model. The official variant, in the table, is what the paper's published code computes: it depends "
    "on the number of classes and is meant for comparison with published values only.",
    applies=needs(ZrfResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=90 + 4 * _ROW,
    section="Inside",
    order=70,
)
