"""Images in an HTML report: embedded as data URIs and scaled to a visible size."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

from unlearn_core.charts.drawing.heatmap_overlay import data_uri
from unlearn_core.charts.drawing.wording import forgotten_classes, is_class_request
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.report import Report

MAX_TILES, TILE_SIZE = 24, 96
"""The largest number of forget images shown, and the size of each in pixels."""


class ImageTile(NamedTuple):
    """An image as a data URI, its caption and its alternative text."""

    source: str
    caption: str
    alt_text: str


def thumbnail_uri(image: np.ndarray, min_size: int) -> str:
    """An image (H, W, 3) uint8 as a data URI: small ones enlarged smoothly, large ones reduced to about `min_size`."""
    height, width = image.shape[:2]
    scale = min_size / max(height, width)
    factor = max(1, round(scale)) if scale >= 1 else scale
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return data_uri(np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)))


def sample_forget_set(report: Report, limit: int = MAX_TILES) -> list[int]:
    """Evenly spaced training images of the forget set: each class in proportion, the same ones every time."""
    rows = report.split.forget_train
    return rows[np.linspace(0, len(rows) - 1, min(limit, len(rows))).round().astype(int)].tolist()


def forget_set_tiles(report: Report, image_dataset: ImageDataset | None) -> Iterable[ImageTile]:
    """Some training images of the forget set, with their class if there are several."""
    if image_dataset is None or report.dataset.is_points:
        return
    for number in sample_forget_set(report):
        name = _label(report, image_dataset, number)
        caption = "" if is_class_request(report) and len(forgotten_classes(report)) == 1 else name
        yield ImageTile(thumbnail_uri(image_dataset.images[number], TILE_SIZE), caption, f"{name}, image {number}")


def _label(report: Report, image_dataset: ImageDataset, number: int) -> str:
    """The label of an image, with its true one where it is known to be wrong."""
    name, true = report.dataset.classes[int(report.labels[number])], image_dataset.true_labels
    if true is None or true[number] == report.labels[number]:
        return name
    return f"{name} (true: {report.dataset.classes[int(true[number])]})"


def tiles_caption(report: Report, image_dataset: ImageDataset | None) -> str:
    """The number of forget images shown, or the reason why there are none."""
    every = len(report.split.forget_train)
    if image_dataset is None:
        return f"The images of {report.dataset.title} are not on the machine that made this file."
    if report.dataset.is_points:
        return f"{every:,} points in the plane; the chart of decision regions shows where they lie."
    shown = min(MAX_TILES, every)
    return "All of them." if shown == every else f"{shown} of {every:,}, evenly spaced."
