"""The map of features: where each image lies before, after and in gold, in one layout."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, needs, report_labels
from unlearn_core.charts.drawing.point_scatter import medoid
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, join_words, number, percent
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.features import FeatureMapResult, MappedFeatures
from unlearn_core.domain.split import set_label

OFFER_TEXT = "The map of features has not been drawn for this run: it is only drawn on request."
MAX_LABELS = 12
"""With more classes on a map, only those of forget images have their names on it."""
HEIGHT = 300
"""The height of the maps of one run in pixels."""
MIN_HEIGHT = 0.5
"""The least height of a map, as a share of its width."""
_MARGIN = 0.04
"""Room around the outermost images, as a share of the width of the map."""


def mapped_models(report: Report) -> list[str]:
    """Return the models that have a map, in their usual order."""
    return [model for model in MODELS if model in report[FeatureMapResult].points]


class Plane(NamedTuple):
    """The maps of all models of a run on one scale."""

    places: Mapping[str, np.ndarray]
    """By model, where each image lies (n, 2): from left to right 0 to 1, from bottom to top 0 to `height`."""
    height: float
    """At most 1: the width."""


def plane(result: FeatureMapResult) -> Plane:
    """Return the maps as they are drawn, with some room around the outermost images."""
    every = np.concatenate(list(result.points.values())).astype(np.float64)
    low, high = every.min(0), every.max(0)
    span = high - low
    unit = (float(span.max()) or 1.0) * (1 + 2 * _MARGIN)
    height = max(MIN_HEIGHT, float(span[1]) / unit + 2 * _MARGIN / (1 + 2 * _MARGIN))
    middle = np.array([0.5, height / 2])
    return Plane({model: (own - (low + high) / 2) / unit + middle for model, own in result.points.items()}, height)


def class_places(report: Report, points: np.ndarray) -> dict[int, np.ndarray]:
    """Return where the names of classes stand on a map of these points (n, 2): only some where there are many."""
    result = report[FeatureMapResult]
    labels, forgotten = report.labels[result.images], np.arange(len(points)) < result.num_forget
    classes = np.unique(labels)
    shown = classes if len(classes) <= MAX_LABELS else np.unique(labels[forgotten])[:MAX_LABELS]
    return {int(label): medoid(points[labels == label]) for label in shown}


def forgotten_labels(report: Report) -> set[int]:
    """Return the labels of the forgotten classes that are on the map, whose names stand out; none for single images."""
    result = report[FeatureMapResult]
    is_class = report.spec.request.forget.kind == "classes"
    return set(report.labels[result.images[: result.num_forget]].tolist()) if is_class else set()


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per image: its class and set, and its place on the map of each model."""

    def rows(report: Report) -> list[Row]:
        result, names = report[FeatureMapResult], report.dataset.classes
        found: list[Row] = []
        for at, image in enumerate(result.images.tolist()):
            side = result.forget_set if at < result.num_forget else result.retain_set
            row: Row = {"image": image, "class": names[report.labels[image]], "set": set_label(side)}
            for model in mapped_models(report):
                x, y = result.points[model][at].tolist()
                row |= {f"x, {MODEL_LABELS[model]}": round(x, 3), f"y, {MODEL_LABELS[model]}": round(y, 3)}
            found.append(row)
        return found

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw a row of maps for each report, a map for each model: dots are retained images, crosses forget images."""
    shown = [model for model in MODELS if any(model in mapped_models(report) for report in reports)]
    several = len(reports) > 1
    drawn = make_subplots(
        rows=len(reports),
        cols=len(shown),
        horizontal_spacing=0.02,
        vertical_spacing=0.06 / len(reports),
        column_titles=[MODEL_LABELS[model] for model in shown],
        row_titles=report_labels(reports) if several else None,
    )
    drawn.update_annotations(font={"size": 14, "color": theme.ink})
    for row, report in enumerate(reports, 1):
        found = plane(report[FeatureMapResult])
        for model in mapped_models(report):
            column = shown.index(model) + 1
            drawn.add_traces(_traces(report, model, found.places[model], theme, row=row), rows=row, cols=column)
            for label in _labels(report, found.places[model], theme):
                drawn.add_annotation(**label, row=row, col=column)
        drawn.update_yaxes(range=[0, found.height], row=row)
    axis: PlotlyDict = {"showticklabels": False, "showline": True, "mirror": True}
    drawn.update_xaxes(range=[0, 1], **axis)
    drawn.update_yaxes(**axis)
    drawn.update_layout(template=theme.template, height=HEIGHT * len(reports), margin={"t": 34})
    return drawn


def _traces(report: Report, model: str, points: np.ndarray, theme: Theme, *, row: int) -> list[go.Scatter]:
    result, names = report[FeatureMapResult], report.dataset.classes
    sides: Mapping[str, tuple[slice, PlotlyDict]] = {
        "retain set": (
            slice(result.num_forget, None),
            {"size": 5, "color": with_alpha(theme.before, 0.5), "line": {"width": 0}},
        ),
        "forget set": (slice(0, result.num_forget), {"size": 7, "symbol": "x", "color": theme.forget}),
    }
    return [
        go.Scatter(
            name=f"{MODEL_LABELS[model]}, {name}",
            meta=f"row {row}, {name}",  # The report file shows a point on all maps of its row.
            x=points[side, 0].round(4),
            y=points[side, 1].round(4),
            mode="markers",
            marker=look,
            customdata=[(image, names[report.labels[image]]) for image in result.images[side].tolist()],
            hovertemplate=f"<b>%{{customdata[1]}}</b> %{{customdata[0]}}, {name}<extra></extra>",
        )
        for name, (side, look) in sides.items()
    ]


def _labels(report: Report, points: np.ndarray, theme: Theme) -> list[PlotlyDict]:
    forgotten = forgotten_labels(report)
    return [
        {
            "text": f"<b>{name}</b>" if label in forgotten else name,
            "x": float(place[0]),
            "y": float(place[1]),
            "font": {"size": SMALL_FONT, "color": theme.forget if label in forgotten else theme.ink},
            "bgcolor": with_alpha(theme.page, 0.75),
        }
        for label, place in class_places(report, points).items()
        for name in [report.dataset.classes[label]]
    ]


def summary(report: Report) -> str:
    """Describe how many neighbours forget images keep, and how much of a cluster they are, in each model."""
    result = report[FeatureMapResult]
    whom = f"{result.num_neighbours} nearest {report.dataset.item_noun}s"
    after, gold = result.models["after"], result.models.get("gold")
    kept = f"Of the {whom} of a forget {report.dataset.item_noun} in the original model, "
    kept += f"{percent(after.neighbours_forget, 0)} are so in the unlearned model too"
    kept += f", and {percent(gold.neighbours_forget, 0)} in the retrained model. " if gold else ". "
    cluster = join_words([f"{number(own.silhouette_forget, 2)} {MODEL_LABELS[model]}" for model, own in _each(result)])
    words = f"{kept}Their silhouette (1: a cluster of their own, 0: mixed with another class) is {cluster}. "
    words += f"Each map itself keeps {_range([own.preserved for _, own in _each(result)])} of the {whom}."
    return words if gold else f"{words} {NO_GOLD}"


def _each(result: FeatureMapResult) -> list[tuple[str, MappedFeatures]]:
    return [(model, result.models[model]) for model in MODELS if model in result.models]


def _range(shares: Sequence[float]) -> str:
    low, high = percent(min(shares), 0), percent(max(shares), 0)
    return low if low == high else f"{low} to {high}"


def alt_text(report: Report) -> str:
    """Say what is on the maps, with the numbers of each model."""
    result, noun = report[FeatureMapResult], report.dataset.item_noun
    retained = len(result.images) - result.num_forget
    told = [
        f"{MODEL_LABELS[model]}: silhouette of the forget {noun}s {number(own.silhouette_forget, 2)}, of the others "
        f"{number(own.silhouette_retain, 2)}."
        for model, own in _each(result)
    ]
    return (
        f"Maps of the features of {result.num_forget} forget {noun}s and {retained} retained {noun}s, one for each "
        f"model, in one layout. {' '.join(told)}"
    )


CHART = Chart(
    id="feature_map",
    title="Map of features",
    question="Which images do the features of each model keep together?",
    caveat="A map of 2 dimensions cannot show all distances between features of 64 or more. t-SNE keeps near images "
    "near; the size of a cluster, its density, and the distance between two clusters mean nothing, and another run of "
    "t-SNE looks different. So read from a map only which images are together, and compare the three maps, which share "
    "one layout. The numbers in the sentence are computed from all features, not from the map. The features of the "
    "models were rotated onto each other by the retained images: a cluster that has moved may have moved with "
    "others around it. That images are apart does not show that the model can no longer recognise them: see the "
    "representation.",
    applies=needs(FeatureMapResult, otherwise=OFFER_TEXT),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Inside",
    order=25,
    is_compared=False,
    height=HEIGHT,
)
