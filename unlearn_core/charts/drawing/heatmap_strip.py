"""The images of a replay under their heat maps: a row that changes with every snapshot, and gold's row below it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.drawing.heatmap_overlay import colorize, data_uri, upscale
from unlearn_core.charts.drawing.snapshots import SnapshotSeries, rows_of_side
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import SnapshotsResult
from unlearn_core.domain.split import SET_LABELS

CELL_SIZE = 96
"""Pixels of an image in the figure; there are many, so they are smaller than elsewhere."""
IMAGE_HEIGHT = 100
"""Height of an image on the page in pixels, where there is room for it."""
_COLUMNS = 4


class HeatmapStrip:
    """Four images, each with one colour scale for all snapshots and gold."""

    def __init__(self, report: Report, series: SnapshotSeries) -> None:
        recorded, classes = report[SnapshotsResult], report.dataset.classes
        shown, maps = recorded.shown, np.nan_to_num(recorded.maps.astype(np.float64))
        gold = recorded.gold_maps if series.gold else None
        gold = None if gold is None else np.nan_to_num(gold.astype(np.float64))
        tops = np.maximum(maps.max((0, 2, 3)), 0 if gold is None else gold.max((1, 2)))
        images = [upscale(image, side=CELL_SIZE) for image in recorded.pixels]
        places = [int(np.flatnonzero(recorded.ids == image)[0]) for image in shown]
        kinds = {name: ",<br>".join(SET_LABELS[name]) for name in ("forget_train", "forget_val")}
        sets = {name: rows_of_side(recorded, name) for name in kinds}
        self.titles = [
            f"{classes[report.labels[image]]}<br>"
            f"{next((kinds[name] for name in kinds if sets[name][place]), 'retain set')}"
            for image, place in zip(shown, places, strict=True)
        ]
        self.snapshots: list[list[str]] = []
        for number, now in enumerate(maps):
            same = number and np.array_equal(now, maps[number - 1])
            drawn = self.snapshots[-1] if same else _drawn(images, now, tops)
            self.snapshots.append(drawn)
        self.gold = None if gold is None else _drawn(images, gold, tops)
        self.predicted = [
            _prediction_labels(moment.predicted, moment.confidence, classes) for moment in series.snapshots
        ]
        self.gold_predicted = (
            _prediction_labels(series.gold.predicted, series.gold.confidence, classes) if series.gold else []
        )

    def draw(self, figure: go.Figure, *, top: float, unit: float, theme: Theme, layouts: Sequence[PlotlyDict]) -> None:
        """Draw the last snapshot below `top`; `unit` is the height of a pixel. All snapshots go into `layouts`."""
        quiet = {"size": SMALL_FONT - 1, "color": theme.quiet}
        _heading(figure, "Grad-CAM now, for the true class", y=top + 50 * unit, theme=theme)
        for middle, title in zip(_columns(), self.titles, strict=False):
            figure.add_annotation(text=title, y=top + 2 * unit, yanchor="bottom", font=quiet, **middle)
        layout: Any = figure.layout
        image, words = len(layout.images), len(layout.annotations)
        _row(figure, self.snapshots[-1], self.predicted[-1], top=top, unit=unit, theme=theme)
        for changed, images, called in zip(layouts, self.snapshots, self.predicted, strict=True):
            changed |= {f"images[{image + at}].source": source for at, source in enumerate(images)}
            changed |= {f"annotations[{words + at}].text": word for at, word in enumerate(called)}
        if self.gold:
            under = top - (IMAGE_HEIGHT + 62) * unit
            _heading(figure, "Grad-CAM of the retrained model", y=under + 8 * unit, theme=theme)
            _row(figure, self.gold, self.gold_predicted, top=under, unit=unit, theme=theme)


def _columns() -> list[PlotlyDict]:
    place = {"xref": "paper", "yref": "paper", "xanchor": "center"}
    return [place | {"x": (column + 0.5) / _COLUMNS} for column in range(_COLUMNS)]


def _heading(figure: go.Figure, text: str, *, y: float, theme: Theme) -> None:
    font = {"size": SMALL_FONT + 1, "color": theme.ink}
    figure.add_annotation(text=text, x=0, y=y, xref="paper", yref="paper", xanchor="left", yanchor="bottom", font=font)


def _row(
    figure: go.Figure, images: Sequence[str], words: Sequence[str], *, top: float, unit: float, theme: Theme
) -> None:
    """Images below `top`, which shrink towards their middle where the page is narrow, and their labels."""
    font = {"size": SMALL_FONT - 1, "color": theme.quiet}
    for middle, image, word in zip(_columns(), images, words, strict=False):
        size = {"sizex": 0.94 / _COLUMNS, "sizey": IMAGE_HEIGHT * unit, "sizing": "contain"}
        figure.add_layout_image(source=image, y=top - IMAGE_HEIGHT / 2 * unit, yanchor="middle", **size, **middle)
        figure.add_annotation(text=word, y=top - (IMAGE_HEIGHT + 2) * unit, yanchor="top", font=font, **middle)


def _drawn(images: Sequence[np.ndarray], maps: np.ndarray, tops: np.ndarray) -> list[str]:
    each = zip(images, maps, tops, strict=True)
    return [data_uri(colorize(image, drawn / top if top else drawn)) for image, drawn, top in each]


def _prediction_labels(predicted: Sequence[int], confidences: Sequence[float], classes: Sequence[str]) -> list[str]:
    return [f"{classes[own]}<br>{percent(share, 0)}" for own, share in zip(predicted, confidences, strict=True)]
