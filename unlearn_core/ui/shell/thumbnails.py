"""Enlarge small images on the server: browsers enlarge 32 pixels badly."""

import io

import numpy as np
from PIL import Image


def images_png(images: np.ndarray, *, columns: int, scale: int = 3) -> bytes:
    """Images (N, H, W, 3) uint8 in rows of `columns`, each enlarged by `scale`, as PNG."""
    rows = -(-len(images) // columns)
    height, width = images.shape[1] * scale, images.shape[2] * scale
    sheet = Image.new("RGB", (columns * width, rows * height))
    for number, pixels in enumerate(images):
        row, column = divmod(number, columns)
        tile = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
        sheet.paste(tile, (column * width, row * height))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()
