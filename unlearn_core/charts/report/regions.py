"""Decision regions in the plane, coloured by predicted class, for each model, with test points on top."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, models, needs, report_labels
from unlearn_core.charts.drawing.point_scatter import class_color, medoid
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme
from unlearn_core.charts.drawing.wording import MODEL_LABELS, forgotten_classes, join_words, percent
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.explanations import RegionsResult

PANEL, HEADING, SMALL_PANEL = 330, 40, 230
_FAINT = 0.3
"""The opacity of the regions below the points."""


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model and class: the share of the plane predicted as this class."""
    return build_table(
        reports,
        lambda report: [
            {"model": MODEL_LABELS[model], "class": report.dataset.classes[number], "share of the plane": share}
            for model in _models(report)
            for number, share in enumerate(report[RegionsResult].shares[model])
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one panel per model and one row per report; all share both axes, and each class has one colour."""
    shown = [model for model in MODELS if any(model in _models(report) for report in reports)]
    drawn = make_subplots(
        rows=len(reports),
        cols=len(shown),
        shared_yaxes=True,
        shared_xaxes=True,
        column_titles=[MODEL_LABELS[model] for model in shown],
        row_titles=report_labels(reports) if len(reports) > 1 else None,
        horizontal_spacing=0.03,
        vertical_spacing=0.06,
    )
    drawn.update_annotations(font={"size": 14, "color": theme.ink})
    drawn.update_layout(template=theme.template, height=PANEL * len(reports) + HEADING, margin={"t": HEADING})
    for row, report in enumerate(reports, 1):
        for column, model in enumerate(shown, 1):
            if model in _models(report):
                drawn.add_trace(_prediction_map(report, model), row=row, col=column)
                for trace in _points(report, theme):
                    drawn.add_trace(trace, row=row, col=column)
    hidden: PlotlyDict = {"showticklabels": False, "range": [0, 255], "constrain": "domain"}
    drawn.update_xaxes(**hidden)
    drawn.update_yaxes(**hidden, matches=None)  # Each panel is a square by itself; axes that match would not be.
    for number, own in enumerate(drawn.select_yaxes(), 1):
        own.scaleanchor = "x" if number == 1 else f"x{number}"
    return drawn


def map_figure(report: Report, model: str, theme: Theme) -> go.Figure:
    """Draw the map of one model alone, so that a page can place the maps of several runs side by side."""
    regions = _prediction_map(report, model)
    # Names and confidences under the pointer are most of a map's size, and several maps are on a page.
    regions.update(customdata=None, text=None, hovertemplate=None, hoverinfo="skip")
    drawn = go.Figure([regions, *_points(report, theme)])
    drawn.update_layout(template=theme.template, height=SMALL_PANEL, margin=dict.fromkeys("ltrb", 4))
    hidden: PlotlyDict = {"showticklabels": False, "range": [0, 255], "constrain": "domain"}
    drawn.update_xaxes(**hidden)
    drawn.update_yaxes(**hidden, scaleanchor="x")
    return drawn


def _prediction_map(report: Report, model: str) -> go.Heatmap:
    regions, classes = report[RegionsResult], report.dataset.classes
    predicted, count = regions.predictions[model], len(classes)
    side = (np.arange(len(predicted)) + 0.5) * 255 / len(predicted)
    return go.Heatmap(
        x=side,
        y=side,
        z=predicted.astype(np.uint8),  # One byte each: several maps are on a page.
        zmin=-0.5,
        zmax=count - 0.5,
        colorscale=_class_colors(count),
        showscale=False,
        opacity=_FAINT,
        customdata=regions.confidences[model],
        text=np.array(classes)[predicted],
        hovertemplate=f"{MODEL_LABELS[model]}: %{{text}}, confidence %{{customdata:.0%}}<extra></extra>",
    )


def _class_colors(count: int) -> list[tuple[float, str]]:
    """A colour scale in steps, on which each class has its colour."""
    return [(edge, class_color(number)) for number in range(count) for edge in (number / count, (number + 1) / count)]


def _points(report: Report, theme: Theme) -> list[go.Scatter]:
    """Return the points in the colours of their classes, crosses for forget points, and the names of the classes."""
    regions, classes = report[RegionsResult], report.dataset.classes
    points, labels = regions.points.astype(np.uint8), regions.labels.astype(int)
    traces = []
    for forgotten, symbol, size in ((False, "circle", 4), (True, "x", 6)):
        rows = regions.forgotten == forgotten
        traces.append(
            go.Scatter(
                x=points[rows, 0],
                y=points[rows, 1],
                mode="markers",
                marker={
                    "symbol": symbol,
                    "size": size,
                    "color": labels[rows].astype(np.uint8),
                    "colorscale": _class_colors(len(classes)),
                    "cmin": -0.5,
                    "cmax": len(classes) - 0.5,
                },
                hoverinfo="skip",
            )
        )
    there = [number for number in range(len(classes)) if (labels == number).any()]
    middles = np.array([medoid(points[labels == number]) for number in there])
    traces.append(
        go.Scatter(
            x=middles[:, 0],
            y=middles[:, 1],
            mode="text",
            text=[f"<b>{classes[number]}</b>" for number in there],
            textfont={"size": SMALL_FONT, "color": theme.ink},
            hoverinfo="skip",
        )
    )
    return traces


def summary(report: Report) -> str:
    """Describe the share of the plane predicted as the forgotten classes, and the agreement of after and gold."""
    regions, gone = report[RegionsResult], forgotten_classes(report)
    said = ""
    if gone:
        held = {model: percent(sum(shares[number] for number in gone)) for model, shares in regions.shares.items()}
        what = join_words([report.dataset.classes[number] for number in gone])
        gold = f" (retrained: {held['gold']})" if "gold" in held else ""
        said = f"{held['before']} of the plane was predicted as {what} before, {held['after']} is after{gold}. "
    agreement = regions.agreement
    if "after-gold" not in agreement:
        return f"{said}The prediction is unchanged on {percent(agreement['before-after'])} of the plane. {NO_GOLD}"
    return (
        f"{said}The unlearned model agrees with the retrained model on {percent(agreement['after-gold'])} of the "
        f"plane; the original model agrees on {percent(agreement['before-gold'])}."
    )


def alt_text(report: Report) -> str:
    """List the shares of the plane by model."""
    told = [f"{MODEL_LABELS[model]}: {shares_text(report, model)}" for model in _models(report)]
    return f"Maps of the plane coloured by predicted class, with points on top. {'; '.join(told)}."


def shares_text(report: Report, model: str) -> str:
    """List the share of the plane that a model predicts as each class."""
    shares = report[RegionsResult].shares[model]
    return ", ".join(f"{name} {percent(share, 0)}" for name, share in zip(report.dataset.classes, shares, strict=True))


def _models(report: Report) -> list[str]:
    return [model for model in models(report) if model in report[RegionsResult].shares]


CHART = Chart(
    id="regions",
    title="Decision regions",
    question="Which class does each model predict where in the plane?",
    caveat="Each place of the plane has the colour of the class predicted there; crosses are forget points, dots are "
    "retained points, both test points unless single points were forgotten. Where there are no points, any prediction "
    "is a guess that training never checked, and two retrained models differ there too. Real images have thousands of "
    "dimensions, which no map can show.",
    applies=needs(RegionsResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=PANEL + HEADING,
    section="Overview",
    order=20,
    optional=True,
    is_compared=False,
)
