"""Pictures as a report holds them: inside the page, and of a size to be looked at."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

from unlearn_core.charts.drawing.heatmap_overlay import data_uri
from unlearn_core.charts.drawing.wording import forgotten_classes, is_class_request
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.report import Report

MAX_TILES, TILE_SIZE = 24, 96
"""Forgotten pictures that are shown at most, and the side of each in pixels."""


class ImageTile(NamedTuple):
    """A picture as a data URI, what stands beneath it, and what it shows for those who cannot see it."""

    source: str
    caption: str
    alt_text: str


def thumbnail_uri(image: np.ndarray, min_size: int) -> str:
    """A picture (H, W, 3) uint8 as a data URI: small ones enlarged smoothly, large ones reduced to about `side`."""
    height, width = image.shape[:2]
    scale = min_size / max(height, width)
    factor = max(1, round(scale)) if scale >= 1 else scale
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return data_uri(np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)))


def sample_forget_set(report: Report, limit: int = MAX_TILES) -> list[int]:
    """Forgotten training pictures at even distances: every class in its share, the same ones every time."""
    rows = report.split.forget_train
    return rows[np.linspace(0, len(rows) - 1, min(limit, len(rows))).round().astype(int)].tolist()


def forget_set_tiles(report: Report, image_dataset: ImageDataset | None) -> Iterable[ImageTile]:
    """Some of the forgotten training pictures, with their class where there are several."""
    if image_dataset is None or report.dataset.is_points:
        return
    for number in sample_forget_set(report):
        name = report.dataset.classes[int(report.labels[number])]
        caption = "" if is_class_request(report) and len(forgotten_classes(report)) == 1 else name
        yield ImageTile(thumbnail_uri(image_dataset.images[number], TILE_SIZE), caption, f"{name}, picture {number}")


def tiles_caption(report: Report, image_dataset: ImageDataset | None) -> str:
    """How many of the forgotten pictures are shown, or why none is."""
    every = len(report.split.forget_train)
    if image_dataset is None:
        return f"The pictures of {report.dataset.title} are not on the machine that made this file."
    if report.dataset.is_points:
        return f"{every:,} points of the plane: where they lie is shown by the map of what it answers where."
    shown = min(MAX_TILES, every)
    return "All of them." if shown == every else f"{shown} of the {every:,}, at even distances."
