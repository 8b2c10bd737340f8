"""Pixels with more than 8 bits per channel, and how they become 8: by the range of values of the whole data set.

Cameras and scanners often store 12 bits in files for 16: scaled by what the file could hold, such images were nearly
black. Scaled each by its own range, images of one set would not be comparable.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

_SWAPPED = {"16B": "16L", "16L": "16B", "16N": "16B"}
"""Where Pillow keeps the high byte of each colour, the byte order with which it keeps the low byte instead."""


class ValueRange(NamedTuple):
    """The least and the largest value of pixels."""

    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray) -> "ValueRange":
        return cls(float(values.min()), float(values.max()))

    @classmethod
    def over(cls, ranges: Iterable["ValueRange"]) -> "ValueRange":
        """The range that contains all of these."""
        lows, highs = zip(*ranges, strict=True)
        return cls(min(lows), max(highs))


FULL = ValueRange(0, 65535)
_ROWS = 256


def is_deep(image: ImageFile) -> bool:
    """Whether an opened image has more than 8 bits per channel: grey, RGB or RGB with alpha."""
    return image.mode.startswith("I;16") or image.mode in ("I", "F") or _low_bytes(image) is not None


def deep_values(image: ImageFile, again: ImageFile) -> np.ndarray:
    """The values (H, W), (H, W, 3) or with alpha (H, W, 4) of a deep image that was opened twice; none is infinite."""
    tile = _low_bytes(image)
    if tile is not None:
        again.tile = [tile]
        return np.asarray(image).astype(np.uint16) << 8 | np.asarray(again)
    values = np.asarray(image)
    return np.nan_to_num(values, nan=0, posinf=0, neginf=0) if image.mode == "F" else values


def to_8_bits(values: np.ndarray, known: ValueRange) -> Image.Image:
    """Deep values scaled so that `known` becomes 0 to 255; alpha is scaled by what it could be."""
    low, high = known if known.high > known.low else FULL
    found = np.empty(values.shape, np.uint8)
    for rows in range(0, len(values), _ROWS):  # A large image as float would take too much memory.
        part = values[rows : rows + _ROWS].astype(np.float32)
        found[rows : rows + _ROWS] = ((part - low) / (high - low) * 255).clip(0, 255)
    if values.ndim == 3 and values.shape[2] == 4:
        found[..., 3] = values[..., 3] >> 8
    return Image.fromarray(found)


def colours(values: np.ndarray) -> np.ndarray:
    """Deep values without alpha."""
    return values[..., :3] if values.ndim == 3 else values


def _low_bytes(image: ImageFile) -> Any:
    """How to decode the low bytes of an image with 16 bits per colour, of which Pillow keeps only the high ones;
    None for all other images."""
    if image.mode not in ("RGB", "RGBA") or len(image.tile) != 1:
        return None
    (tile,) = image.tile
    mode, *rest = (tile.args,) if isinstance(tile.args, str) else (tile.args or ("",))
    kind, _, order = str(mode).partition(";")
    if kind not in ("RGB", "RGBA") or order not in _SWAPPED:
        return None
    low = f"{kind};{_SWAPPED[order]}"
    return tile._replace(args=(low, *rest) if rest else low)
