"""Resize images on the server: browsers enlarge 32 pixels badly, and large photographs would make pages heavy."""

import io

import numpy as np
from PIL import Image


def tile_side(side: int, wanted: int) -> int:
    """The size to show an image of that size at: about `wanted` pixels if it is smaller, by a whole factor."""
    return wanted if side > wanted else side * round(wanted / side)


def images_png(images: np.ndarray, *, columns: int, wanted: int) -> bytes:
    """Square images (N, S, S, 3) uint8 in rows of `columns`, each about `wanted` pixels wide, as PNG."""
    rows, side = -(-len(images) // columns), tile_side(images.shape[1], wanted)
    sheet = Image.new("RGB", (columns * side, rows * side))
    for number, pixels in enumerate(images):
        row, column = divmod(number, columns)
        tile = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
        sheet.paste(tile, (column * side, row * side))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()
