"""Zero retrain forgetting (ZRF) before and after, with the value of gold as the aim."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, ONE_GOLD, Chart, build_table, needs, panels
from unlearn_core.charts.drawing.dumbbell import DotLabel, connectors, dot_labels, row_axis, row_heights
from unlearn_core.charts.drawing.theme import Theme, marker_style, text_color
from unlearn_core.charts.drawing.wording import MODEL_LABELS, number
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import ZrfResult

VARIANTS = {"proper": ("Proper", "JS divergence in bits"), "official": ("Official", "the published code")}
_ABOVE = 0.3


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
    """Draw one row per variant, from 0 to 1 or from below 0 where the official value is negative."""
    low = min([0.0, *(value for report in reports for value in _values(report, "official").values())])
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        for variant, height in row_heights(list(VARIANTS)).items():
            drawn.add_traces(_traces(_values(report, variant), height, variant, theme), rows=1, cols=column)
    drawn.update_yaxes(**row_axis([f"<b>{title}</b><br>{words}" for title, words in VARIANTS.values()], theme))
    drawn.update_xaxes(showgrid=True, range=[low - 0.04, 1.04], nticks=6)
    drawn.update_xaxes(title_text="ZRF (1 = predicts like random weights)", row=1)
    return drawn


def _traces(values: dict[str, float], at: int, variant: str, theme: Theme) -> list[go.Scatter]:
    drawn = []
    if "before" in values and "after" in values:
        drawn.append(connectors([(values["before"], values["after"], at)], theme))
    for model, value in values.items():
        look = marker_style(theme, "gold" if model == "twin" else model, 11)
        if model == "twin":
            look |= {"symbol": "diamond-open", "color": theme.gold, "line": {"width": 2}}
        drawn.append(
            go.Scatter(
                name=MODEL_LABELS[model],
                x=[value],
                y=[at],
                mode="markers",
                marker=look,
                hovertemplate=f"<b>{MODEL_LABELS[model]}</b>, {VARIANTS[variant][0].lower()}<br>%{{x:.3f}}"
                "<extra></extra>",
                cliponaxis=False,
            )
        )
    return [*drawn, dot_labels(_labels(values, at, theme), margin=0.15)]


def _labels(values: dict[str, float], at: int, theme: Theme) -> list[DotLabel]:
    """Label the dots: after below, gold above, and before where there is room next to after."""
    shown = [("after", -_ABOVE), ("gold", _ABOVE)]
    if abs(values.get("before", 0) - values.get("after", 0)) > 0.25:
        shown.append(("before", -_ABOVE))
    return [
        DotLabel(
            values[model], at + shift, f"{MODEL_LABELS[model]} {number(values[model], 2)}", text_color(theme, model)
        )
        for model, shift in shown
        if model in values
    ]


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
    title="Zero retrain forgetting (ZRF)",
    question="Does it predict like an untrained model?",
    caveat="ZRF (zero retrain forgetting) is 1 minus the divergence between the predictions of a model and of one "
    "with random weights, on training images of the forget set. 1 is not the aim: the retrained model learned from "
    "the retain set, so it guesses with some confidence, and a destroyed model scores high. The aim is the value of "
    "the retrained model. The official variant is what the paper's published code computes: it depends on the number "
    "of classes and is meant for comparison with published values only.",
    applies=needs(ZrfResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Inside",
    order=70,
)
