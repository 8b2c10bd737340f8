"""Pack many small images into few files: columns of 500, as lossless WebP."""

import io

import numpy as np
from PIL import Image

PER_SPRITE = 500


def encode(images: np.ndarray) -> list[bytes]:
    """Square images (N, S, S, 3) uint8 as one file per 500 of them, without loss."""
    size = images.shape[1]
    files = []
    for start in range(0, len(images), PER_SPRITE):
        buffer = io.BytesIO()
        column = np.ascontiguousarray(images[start : start + PER_SPRITE]).reshape(-1, size, 3)
        Image.fromarray(column).save(buffer, "WEBP", lossless=True, quality=100, method=6, exact=True)
        files.append(buffer.getvalue())
    return files


def decode(files: list[bytes], size: int) -> np.ndarray:
    """The images (N, size, size, 3) uint8 that `encode` was given."""
    columns = [np.asarray(Image.open(io.BytesIO(file), formats=("WEBP",)).convert("RGB")) for file in files]
    return np.concatenate([column.reshape(-1, size, size, 3) for column in columns])
