"""The maps of a replay, which change with every snapshot, and gold's: heat maps of images, or regions of points."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageDraw
from plotly.colors import hex_to_rgb

from unlearn_core.charts.drawing.heatmap_overlay import colorize, data_uri, upscale
from unlearn_core.charts.drawing.point_scatter import class_color
from unlearn_core.charts.drawing.snapshots import SnapshotSeries, rows_of_side
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import RegionsResult, SnapshotsResult
from unlearn_core.domain.split import SET_LABELS

CELL_SIZE = 96
"""Pixels of an image in the figure; there are many, so they are smaller than elsewhere."""
IMAGE_HEIGHT = 100
"""Height of an image on the page in pixels, where there is room for it."""
_COLUMNS = 4
MAP_SIDE = 256
"""Pixels of a map in the figure, on each side."""
MAP_HEIGHT = 236
"""Height of a map on the page in pixels, where there is room for it."""
_OPACITY = 0.3
"""The opacity of the regions below the points, as in the chart of decision regions."""
_MIDDLES = (0.25, 0.75)


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


class RegionStrip:
    """The maps of a run of points, each as an image without its points, which are the same in all."""

    def __init__(self, report: Report, maps: np.ndarray) -> None:
        classes, measured = report.dataset.classes, report.get(RegionsResult)
        self.snapshots = [_map_uri(predicted, len(classes)) for predicted in maps]
        gold = measured.predictions.get("gold") if measured else None
        self.gold = None if gold is None else _map_uri(gold, len(classes))
        self._points = "" if measured is None else _points_uri(measured)
        self._legend = " · ".join(
            f'<span style="color:{class_color(number)}">■</span> {name}' for number, name in enumerate(classes)
        )

    def draw(self, figure: go.Figure, *, top: float, unit: float, theme: Theme, layouts: Sequence[PlotlyDict]) -> None:
        """Draw the last snapshot below `top`; `unit` is the height of a pixel. All snapshots go into `layouts`."""
        layout: Any = figure.layout
        number = len(layout.images)
        shown = [("now", self.snapshots[-1])]
        shown += [("retrained", self.gold)] if self.gold else []
        _heading(figure, "Decision regions", y=top + 24 * unit, theme=theme)
        for middle, (title, source) in zip(_MIDDLES, shown, strict=False):
            font = {"size": SMALL_FONT, "color": theme.quiet}
            where = {"x": middle, "xref": "paper", "yref": "paper", "xanchor": "center"}
            figure.add_annotation(text=title, y=top + 4 * unit, yanchor="bottom", font=font, **where)
            size = {"sizex": 0.48, "sizey": MAP_HEIGHT * unit, "sizing": "contain"}
            # Plotly keeps one image per place, so that of the points lies a millionth lower.
            for level, layer in enumerate(filter(None, (source, self._points))):
                figure.add_layout_image(source=layer, y=top - 1e-6 * level, yanchor="top", **size, **where)
        font = {"size": SMALL_FONT, "color": theme.quiet}
        below = top - (MAP_HEIGHT + 6) * unit
        figure.add_annotation(
            text=self._legend, x=0.5, y=below, xref="paper", yref="paper", xanchor="center", yanchor="top", font=font
        )
        for changed, source in zip(layouts, self.snapshots, strict=True):
            changed[f"images[{number}].source"] = source


def region_strip(report: Report) -> RegionStrip | None:
    """The maps of a report; None if none were recorded, as for images and in reports of former releases."""
    maps = report[SnapshotsResult].regions
    return None if maps is None else RegionStrip(report, maps)


def _map_uri(predicted: np.ndarray, num_classes: int) -> str:
    """A map of predicted classes (G, G), rows from low y to high, as an image in the colours of the classes."""
    image = Image.fromarray(np.ascontiguousarray(predicted[::-1], dtype=np.uint8), "P")
    colours = [hex_to_rgb(class_color(number)) for number in range(num_classes)]
    image.putpalette([*np.ravel(colours).tolist()])
    return _png_uri(image.resize((MAP_SIDE, MAP_SIDE), Image.Resampling.NEAREST), transparency=_alphas(num_classes))


def _alphas(num_classes: int) -> bytes:
    return bytes([round(255 * _OPACITY)] * num_classes)


def _points_uri(regions: RegionsResult) -> str:
    """The stored points in the colours of their classes; forget points are crosses."""
    sheet = Image.new("RGBA", (2 * MAP_SIDE, 2 * MAP_SIDE))  # Drawn twice as large, so that dots are round.
    pen = ImageDraw.Draw(sheet)
    places = regions.points.astype(float) / 255 * 2 * MAP_SIDE
    for (x, up), label, forgotten in zip(places, regions.labels.tolist(), regions.forgotten.tolist(), strict=True):
        y, colour = 2 * MAP_SIDE - up, class_color(label)
        if forgotten:
            for end in (-5, 5):
                pen.line((x - 5, y - end, x + 5, y + end), fill=colour, width=3)
        else:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
    small = sheet.resize((MAP_SIDE, MAP_SIDE), Image.Resampling.LANCZOS)
    return _png_uri(small.quantize(64, method=Image.Quantize.FASTOCTREE))


def _png_uri(image: Image.Image, **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True, **options)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
