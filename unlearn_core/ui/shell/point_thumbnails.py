"""Small images of points of the plane: training points faint, selected ones strong, on a transparent background."""

import io

import numpy as np
from PIL import Image, ImageDraw

from unlearn_core.data.image_dataset import ImageDataset

IMAGE_SIZE = 96
FAINT_COLOR, STRONG_COLOR = (128, 136, 148, 90), (194, 65, 12, 255)
"""Grey, and the colour of the forget set; both are visible on a light and on a dark page."""


def points_png(
    image_dataset: ImageDataset, rows: np.ndarray, *, width: int = IMAGE_SIZE, height: int = IMAGE_SIZE
) -> bytes:
    """The plane of a data set as PNG: its training points, and above them the points at `rows`, of any split."""
    sheet = Image.new("RGBA", (2 * width, 2 * height))  # Drawn twice as large, so that dots are round.
    pen = ImageDraw.Draw(sheet)
    points = image_dataset.images[:, 0, 0, :2].astype(float) / 255
    few = len(rows) < 8
    for places, colour, size in (
        (points[: image_dataset.train : 2], FAINT_COLOR, 1.5),
        (points[rows], STRONG_COLOR, 9 if few else 3),
    ):
        for x, y in places * [2 * width - 12, -(2 * height - 12)] + [6, 2 * height - 6]:
            pen.ellipse((x - size, y - size, x + size, y + size), fill=colour)
    buffer = io.BytesIO()
    sheet.resize((width, height), Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()
