"""The decision regions of a replay: a map of the plane that changes with every snapshot, and gold's beside it."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageDraw
from plotly.colors import hex_to_rgb

from unlearn_core.charts.drawing.point_scatter import class_color
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import RegionsResult, SnapshotsResult

SIDE = 256
"""Pixels of a map in the figure, on each side."""
SHOWN_HEIGHT = 236
"""Height of a map on the page in pixels, where there is room for it."""
_OPACITY = 0.3
"""The opacity of the regions below the points, as in the chart of decision regions."""
_MIDDLES = (0.25, 0.75)


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
        heading = {"x": 0, "y": top + 24 * unit, "xref": "paper", "yref": "paper", "xanchor": "left"}
        figure.add_annotation(
            text="Decision regions", yanchor="bottom", font={"size": SMALL_FONT + 1, "color": theme.ink}, **heading
        )
        for middle, (title, source) in zip(_MIDDLES, shown, strict=False):
            font = {"size": SMALL_FONT, "color": theme.quiet}
            where = {"x": middle, "xref": "paper", "yref": "paper", "xanchor": "center"}
            figure.add_annotation(text=title, y=top + 4 * unit, yanchor="bottom", font=font, **where)
            size = {"sizex": 0.48, "sizey": SHOWN_HEIGHT * unit, "sizing": "contain"}
            # Plotly keeps one image per place, so that of the points lies a millionth lower.
            for level, layer in enumerate(filter(None, (source, self._points))):
                figure.add_layout_image(source=layer, y=top - 1e-6 * level, yanchor="top", **size, **where)
        font = {"size": SMALL_FONT, "color": theme.quiet}
        below = top - (SHOWN_HEIGHT + 6) * unit
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
    return _png_uri(image.resize((SIDE, SIDE), Image.Resampling.NEAREST), transparency=_alphas(num_classes))


def _alphas(num_classes: int) -> bytes:
    return bytes([round(255 * _OPACITY)] * num_classes)


def _points_uri(regions: RegionsResult) -> str:
    """The stored points in the colours of their classes; forget points are crosses."""
    sheet = Image.new("RGBA", (2 * SIDE, 2 * SIDE))  # Drawn twice as large, so that dots are round.
    pen = ImageDraw.Draw(sheet)
    places = regions.points.astype(float) / 255 * 2 * SIDE
    for (x, up), label, forgotten in zip(places, regions.labels.tolist(), regions.forgotten.tolist(), strict=True):
        y, colour = 2 * SIDE - up, class_color(label)
        if forgotten:
            for end in (-5, 5):
                pen.line((x - 5, y - end, x + 5, y + end), fill=colour, width=3)
        else:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
    small = sheet.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return _png_uri(small.quantize(64, method=Image.Quantize.FASTOCTREE))


def _png_uri(image: Image.Image, **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True, **options)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
