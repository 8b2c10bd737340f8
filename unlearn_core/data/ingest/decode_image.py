"""Decode one image file to pixels or explain why not: common formats only, and only after its size is checked."""

import io
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

Fit = Literal["crop", "pad"]
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
_LONGEST_SIDE = 20_000


class UndecodableImageError(Exception):
    """An image that cannot be used; the message is the end of a sentence."""


def decode(data: bytes, *, size: int, fit: Fit, max_pixels: int) -> np.ndarray:
    """A file's first frame as (size, size, 3) uint8; transparency becomes white. Raises UndecodableImageError."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check(image, max_pixels)
            image.draft("RGB", (2 * size, 2 * size))
            return to_square(to_upright_rgb(image), size=size, fit=fit)
    except UndecodableImageError:
        raise
    except UnidentifiedImageError:
        raise UndecodableImageError("is not a PNG, JPEG, WebP, BMP or GIF file, whatever its name says") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UndecodableImageError("claims to be far larger than an image can be") from None
    except MemoryError:
        raise UndecodableImageError("takes more memory than allowed") from None
    except Exception as problem:  # noqa: BLE001 (decoders raise any error on damaged files)
        raise UndecodableImageError(f"is damaged ({str(problem)[:60] or type(problem).__name__})") from None


def _check(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels or max(width, height) > _LONGEST_SIDE:
        raise UndecodableImageError(
            f"is {width:,} × {height:,} pixels large, and {max_pixels / 1e6:g} million are allowed"
        )
    if min(width, height) < 1:
        raise UndecodableImageError("has no pixels")


def to_upright_rgb(image: Image.Image) -> Image.Image:
    """The image as RGB, rotated by its EXIF orientation, on white where it is transparent."""
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I;16") or turned.mode in ("I", "F"):
        values = np.asarray(turned, np.float32)
        top = 65535.0 if turned.mode != "F" else max(float(values.max()), 1.0)
        turned = Image.fromarray((values / top * 255).clip(0, 255).astype(np.uint8))
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
