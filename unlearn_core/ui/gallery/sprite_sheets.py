"""Sprite sheets: many small images in one file, so that a gallery loads a page of them at once."""

import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.ui.shell import thumbnails

COLUMNS, PER_SHEET = 8, 64
"""The images in a row of a sheet, and in a sheet."""
TILE = 96
"""Width and height of an image in a sheet, in pixels."""
JPEG_QUALITY = 92


class SpriteSheet(NamedTuple):
    """A sheet as a file; a last one has only as many rows as it needs."""

    file: bytes
    media_type: str


def image_sheet(image_dataset: ImageDataset, rows: np.ndarray) -> SpriteSheet:
    """Draw the images at these rows (n,), at most `PER_SHEET`, from left to right and from top to bottom."""
    is_points = image_dataset.images.shape[1] == 1
    tiles = (
        thumbnails.point_tiles(image_dataset, rows, TILE)
        if is_points
        else (thumbnails.enlarged(pixels, TILE) for pixels in image_dataset.images[rows])
    )
    height = -(-len(rows) // COLUMNS) * TILE
    sheet = Image.new("RGBA" if is_points else "RGB", (COLUMNS * TILE, height))
    for place, tile in enumerate(tiles):
        row, column = divmod(place, COLUMNS)
        sheet.paste(tile, (column * TILE, row * TILE))
    file = io.BytesIO()
    if is_points:  # Transparent, for both themes.
        sheet.save(file, "PNG")
        return SpriteSheet(file.getvalue(), "image/png")
    sheet.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return SpriteSheet(file.getvalue(), "image/jpeg")
