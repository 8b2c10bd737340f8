"""Images as files of the size that pages show: images of a data set, points of the plane, and drawings of pixels.

Browsers enlarge 32 pixels badly, and large photographs would make pages heavy.
"""

import io
from collections.abc import Iterator

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw
from streamlit.runtime import Runtime

from unlearn_core.data.image_dataset import ImageDataset

POINTS_SIZE = 96
"""Default width and height of a small image of points, in pixels."""
FAINT_COLOR, STRONG_COLOR = (128, 136, 148, 90), (194, 65, 12, 255)
"""Grey, and the colour of the forget set; both are visible on a light and on a dark page."""


def tile_side(side: int, wanted: int) -> int:
    """The size to show an image of that size at: about `wanted` pixels if it is smaller, by a whole factor."""
    return wanted if side > wanted else side * round(wanted / side)


def images_png(images: np.ndarray, *, columns: int, wanted: int) -> bytes:
    """Square images (N, S, S, 3) uint8 in rows of `columns`, each about `wanted` pixels wide, as PNG."""
    rows, side = -(-len(images) // columns), tile_side(images.shape[1], wanted)
    sheet = Image.new("RGB", (columns * side, rows * side))
    for number, pixels in enumerate(images):
        row, column = divmod(number, columns)
        sheet.paste(enlarged(pixels, side), (column * side, row * side))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def enlarged(pixels: np.ndarray, side: int) -> Image.Image:
    """An image (S, S, 3) uint8 at that width and height."""
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)


def point_tiles(image_dataset: ImageDataset, rows: np.ndarray, side: int) -> Iterator[Image.Image]:
    """The plane of a data set, with the point at each of these rows in turn."""
    plane = Image.open(io.BytesIO(points_png(image_dataset, rows[:0], width=side, height=side)))
    for x, y in image_dataset.images[rows, 0, 0, :2] / 255 * [side - 6, -(side - 6)] + [3, side - 3]:
        tile = plane.copy()
        ImageDraw.Draw(tile).ellipse((x - 5, y - 5, x + 5, y + 5), fill=STRONG_COLOR)
        yield tile


def points_png(
    image_dataset: ImageDataset, rows: np.ndarray, *, width: int = POINTS_SIZE, height: int = POINTS_SIZE
) -> bytes:
    """The plane of a data set as PNG: its training points faint, above them the points at `rows`, of any split."""
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


def pixels_file(pixels: np.ndarray) -> bytes:
    """An image (H, W, 3 or 4) uint8 as the file that `st.image` makes of it: JPEG, or PNG if transparent."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG" if pixels.shape[-1] == 4 else "JPEG", quality=100)
    return buffer.getvalue()


def image_url(png: bytes, place: str) -> str:
    """The URL of an image for a cell of a table, as `st.image` serves it: its name is a hash of the content."""
    return file_url(png, "image/png", place)


def file_url(data: bytes, mime: str, place: str) -> str:
    """The URL of a file, served as long as the visit shows it; `place` is where, the same in each run of the page."""
    url = Runtime.instance().media_file_mgr.add(data, mime, place)
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}{url}" if base else url
