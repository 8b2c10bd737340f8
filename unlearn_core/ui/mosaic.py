"""Small pictures made large enough to look at: browsers enlarge 32 pixels badly, so the server does it."""

import io

import numpy as np
from PIL import Image

ENLARGED = 3


def png(images: np.ndarray, *, columns: int) -> bytes:
    """Pictures (N, H, W, 3) uint8 in rows of so many, three times as large, as PNG."""
    rows = -(-len(images) // columns)
    height, width = images.shape[1:3]
    sheet = Image.new("RGB", (columns * width * ENLARGED, rows * height * ENLARGED))
    for number, pixels in enumerate(images):
        row, column = divmod(number, columns)
        tile = Image.fromarray(pixels).resize((width * ENLARGED, height * ENLARGED), Image.Resampling.BICUBIC)
        sheet.paste(tile, (column * width * ENLARGED, row * height * ENLARGED))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()
