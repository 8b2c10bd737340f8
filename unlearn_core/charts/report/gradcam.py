"""Grad-CAM maps of the same images for the same class, before, after and of gold, on one scale per row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, needs, report_labels
from unlearn_core.charts.drawing.heatmap_overlay import data_uri
from unlearn_core.charts.drawing.heatmap_rows import HeatmapRow, heatmap_rows
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme
from unlearn_core.charts.drawing.wording import MODEL_LABELS
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import CamResult, ExplainedImage
from unlearn_core.domain.split import set_label

ROW_HEIGHT = 246
"""The height of a row in the figure, with its texts, in pixels."""


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per image and model: prediction, its probability, that of the explained class, and the peak."""

    def found(report: Report) -> list[Row]:
        classes = report.dataset.classes
        return [
            {"image": explained.image, "set": set_label(explained.set), "class": classes[explained.label]}
            | {"explained class": classes[explained.target], "model": MODEL_LABELS.get(model, model)}
            | {"predicted": classes[own.predicted], "probability": own.probability}
            | {"target_probability": own.target_probability, "peak": own.peak}
            for explained in report[CamResult].images
            if explained.label is not None
            for model, own in explained.models.items()
        ]

    return build_table(reports, found)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw all rows, the reports one after the other."""
    shown = [
        (row, row.title if len(reports) == 1 else f"{name} · {row.title}")
        for report, name in zip(reports, report_labels(reports), strict=True)
        for row in heatmap_rows(report)
    ]
    height = ROW_HEIGHT * len(shown) or ROW_HEIGHT
    columns = max((len(row.cells) for row, _ in shown), default=1)
    laid = [
        _draw_row(row, title, top=1 - place * ROW_HEIGHT / height, unit=1 / height, columns=columns, theme=theme)
        for place, (row, title) in enumerate(shown)
    ]
    hidden = {"visible": False}
    return go.Figure(
        layout={
            "template": theme.template,
            "height": height,
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "xaxis": hidden,
            "yaxis": hidden,
            "images": [image for images, _ in laid for image in images],
            "annotations": [words for _, annotations in laid for words in annotations],
        }
    )


def _draw_row(
    row: HeatmapRow, title: str, *, top: float, unit: float, columns: int, theme: Theme
) -> tuple[list[PlotlyDict], list[PlotlyDict]]:
    """Return images and annotations of one row of `columns` cells below `top`; `unit` is the height of a pixel.

    On a narrow page the images shrink but keep their aspect ratio; captions are attached to their lower edge.
    """
    page = {"xref": "paper", "yref": "paper"}
    words, _, rest = row.words.partition(". ")
    left = page | {"x": 0, "xanchor": "left", "yanchor": "top"}
    annotations = [left | {"text": f"<b>{title}.</b> {words.rstrip('.')}.", "y": top, "font": {"size": 13}}]
    if rest:
        annotations.append(left | {"text": rest, "y": top - 19 * unit, "font": {"color": theme.quiet}})
    captions = ["the image", *(cell.caption for cell in row.cells[1:])]
    images, small = [], {"size": SMALL_FONT, "color": theme.quiet}
    for column, (cell, caption) in enumerate(zip(row.cells, captions, strict=True)):
        middle = page | {"x": (column + 0.5) / columns, "xanchor": "center"}
        size = {"sizex": 0.96 / columns, "sizey": 140 * unit, "sizing": "contain"}
        images.append(middle | size | {"source": data_uri(cell.image), "y": top - 182 * unit, "yanchor": "bottom"})
        below = {"y": top - 184 * unit, "yanchor": "top", "font": small}
        annotations.append(middle | below | {"text": _in_lines(caption)})
    return images, annotations


def _in_lines(caption: str) -> str:
    """Return model, class and probability on separate lines: on one line they would need a wider page."""
    model, dot, answer = caption.partition(" · ")
    return f"{model}<br>{'<br>'.join(answer.rsplit(' ', 1))}" if dot else caption


def summary(report: Report) -> str:
    """Describe how much evidence is left over all images shown, compared with gold."""
    said = []
    for side, words in (("forget", "forget"), ("retain", "retained")):
        images = [image for image in report[CamResult].images if image.set.startswith(side)]
        left = {model: _evidence_left(images, model) for model in ("after", "gold")}
        if left["after"] is not None:
            gold = "" if left["gold"] is None else f" (retrained model: {left['gold']:.2f})"
            said.append(f"{left['after']:.2f} on {len(images)} {words} images{gold}")
    if not said:
        return "The original model found no evidence for their class in these images."
    end = "" if "gold" in report.evaluations else f" {NO_GOLD}"
    return f"Median peak as a share of before: {', '.join(said)}. Colours share one scale in each row.{end}"


def _evidence_left(images: Sequence[ExplainedImage], model: str) -> float | None:
    """Return the median of a model's peaks as shares of before's, over the images with any evidence before."""
    shares = [
        image.models[model].peak / image.models["before"].peak
        for image in images
        if model in image.models and image.models["before"].peak
    ]
    return float(np.median(shares)) if shares else None


def alt_text(report: Report) -> str:
    """Describe every row in words."""
    said = [
        f"{row.title}: {', '.join(cell.caption for cell in row.cells[1:])}. {row.words}" for row in heatmap_rows(report)
    ]
    return f"Images overlaid with Grad-CAM maps of each model. {' '.join(said)}"


CHART = Chart(
    id="cam",
    title="Grad-CAM: before, after, retrained",
    question="Where does each model look?",
    caveat="All models are explained for the same class, the true class of the image. The strongest value in a row, "
    "over all its models, is the top of that row's scale: bright is evidence for the class, and a dark map means "
    "little evidence for this class, not that the model detects nothing. Maps are coarse and smoothed. They show what "
    "raises a logit at one layer; they neither prove nor rule out that something is remembered.",
    applies=needs(CamResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=6 * ROW_HEIGHT,
    section="Images",
    order=10,
    is_compared=False,
    is_exported=False,
)
