"""Decode one image file to pixels or explain why not: common formats only, and only after its size is checked."""

import io
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from unlearn_core.data.ingest.deep_pixels import FULL, ValueRange, colours, deep_values, is_deep, to_8_bits
from unlearn_core.data.ingest.layout.file_kinds import READ_FORMATS

Fit = Literal["crop", "pad"]
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
_LONGEST_SIDE = 20_000
_DRAFTED = 8
"""How many times more pixels a JPEG may have, because it is decoded at down to an eighth of its width."""
_PROGRESSIVE = 2
"""The same for a progressive one, of which the decoder must hold all coefficients in memory."""
_ORIENTATION = 0x0112
FIXED = "fixed"
"""In the place of a setting: a limit that no setting changes."""


class UndecodableImageError(Exception):
    """An image that cannot be used; the message is the end of a sentence, `setting` the limit that it exceeds."""

    def __init__(self, reason: str, setting: str = "") -> None:
        super().__init__(reason)
        self.setting = setting


class DecodedImage(NamedTuple):
    """Pixels (size, size, 3) uint8, and the range of the file's values if they have more than 8 bits."""

    pixels: np.ndarray
    deep: ValueRange | None = None


def decode(data: bytes, *, size: int, fit: Fit, max_pixels: int, known: ValueRange | None = None) -> DecodedImage:
    """A file's first frame; transparency becomes white. Raises UndecodableImageError.

    Values of more than 8 bits are scaled from the range `known`, or from 0 to 65,535.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check(image, max_pixels)
            image.draft("RGB", (2 * size, 2 * size))
            if not is_deep(image):
                return DecodedImage(to_square(to_upright_rgb(image), size=size, fit=fit))
            with Image.open(io.BytesIO(data), formats=FORMATS) as again:
                values = deep_values(image, again)
            flat = to_8_bits(values, known or FULL)
            flat.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
            return DecodedImage(to_square(to_upright_rgb(flat), size=size, fit=fit), ValueRange.of(colours(values)))
    except UndecodableImageError:
        raise
    except UnidentifiedImageError:
        raise UndecodableImageError(f"is not a {READ_FORMATS} file, whatever its name says") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UndecodableImageError("claims to be far larger than an image can be", "most_pixels") from None
    except MemoryError:
        raise UndecodableImageError("takes more memory than allowed", "most_memory_mb") from None
    except Exception as problem:  # noqa: BLE001 (decoders raise any error on damaged files)
        raise UndecodableImageError(f"is damaged ({str(problem)[:60] or type(problem).__name__})") from None


def _check(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    what = f"is {width:,} × {height:,} pixels large"
    if max(width, height) > _LONGEST_SIDE:
        raise UndecodableImageError(f"{what}, and {_LONGEST_SIDE:,} pixels a side are allowed", FIXED)
    if image.format in ("JPEG", "MPO"):
        max_pixels *= _PROGRESSIVE if image.info.get("progressive") else _DRAFTED
    if width * height > max_pixels:
        raise UndecodableImageError(f"{what}, and {max_pixels / 1e6:g} million are allowed", "most_pixels")
    if min(width, height) < 1:
        raise UndecodableImageError("has no pixels")


def to_upright_rgb(image: Image.Image) -> Image.Image:
    """The image as RGB, rotated by its EXIF orientation, on white where it is transparent."""
    turned = ImageOps.exif_transpose(image)
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        clear = turned.convert("RGBA")
        turned = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return turned.convert("RGB")


def to_square(image: Image.Image, *, size: int, fit: Fit) -> np.ndarray:
    """The image as a square of that size: its middle, or the whole with black borders."""
    if image.size == (size, size):
        return np.asarray(image)
    if fit == "crop":
        return np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC))
    return np.asarray(ImageOps.pad(image, (size, size), Image.Resampling.BICUBIC))


def resize(images: np.ndarray, *, size: int, fit: Fit) -> np.ndarray:
    """Images (N, H, W) grey or (N, H, W, 3), uint8, as (N, size, size, 3).

    "pad" centres smaller images on black, pixel for pixel; all other images are resized.
    """
    if images.ndim == 3:
        images = np.repeat(images[..., None], 3, axis=3)
    height, width = images.shape[1:3]
    if (height, width) == (size, size):
        return images
    if fit == "pad" and max(height, width) <= size:
        top, left = (size - height) // 2, (size - width) // 2
        found = np.zeros((len(images), size, size, 3), np.uint8)
        found[:, top : top + height, left : left + width] = images
        return found
    found = np.empty((len(images), size, size, 3), np.uint8)
    for number, pixels in enumerate(images):
        found[number] = to_square(Image.fromarray(pixels), size=size, fit=fit)
    return found
