"""Pictures as a report holds them: inside the page, and of a size to be looked at."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

from unlearn_core.charts.drawing.heatmap_overlay import uri
from unlearn_core.charts.drawing.wording import by_class, forgotten_classes
from unlearn_core.data.image_dataset import Pictures
from unlearn_core.domain.report import Report

MOST, SIDE = 24, 96
"""Forgotten pictures that are shown at most, and the side of each in pixels."""


class Tile(NamedTuple):
    """A picture as a data URI, what stands beneath it, and what it shows for those who cannot see it."""

    source: str
    caption: str
    alt: str


def thumbnail(picture: np.ndarray, side: int) -> str:
    """A picture (H, W, 3) uint8 as a data URI: small ones enlarged smoothly, large ones reduced to about `side`."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    factor = max(1, round(scale)) if scale >= 1 else scale
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return uri(np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)))


def chosen(report: Report, most: int = MOST) -> list[int]:
    """Forgotten training pictures at even distances: every class in its share, the same ones every time."""
    rows = report.split.forget_train
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)].tolist()


def tiles(report: Report, pictures: Pictures | None) -> Iterable[Tile]:
    """Some of the forgotten training pictures, with their class where there are several."""
    if pictures is None or report.dataset.is_points:
        return
    for number in chosen(report):
        name = report.dataset.classes[int(report.labels[number])]
        caption = "" if by_class(report) and len(forgotten_classes(report)) == 1 else name
        yield Tile(thumbnail(pictures.images[number], SIDE), caption, f"{name}, picture {number}")


def caption(report: Report, pictures: Pictures | None) -> str:
    """How many of the forgotten pictures are shown, or why none is."""
    every = len(report.split.forget_train)
    if pictures is None:
        return f"The pictures of {report.dataset.title} are not on the machine that made this file."
    if report.dataset.is_points:
        return f"{every:,} points of the plane: where they lie is shown by the map of what it answers where."
    shown = min(MOST, every)
    return "All of them." if shown == every else f"{shown} of the {every:,}, at even distances."
