"""Heat maps laid over images: the image in grey, viridis for one model, a diverging scale for a difference of two."""

import base64
import io

import numpy as np
from PIL import Image
from plotly.colors import hex_to_rgb, sequential

from unlearn_core.charts.drawing.theme import LIGHT

MIN_SIZE = 160
"""Images are enlarged to about this many pixels, by a whole factor: a browser would blur them."""
MIN_OPACITY, MAX_OPACITY = 0.25, 0.7
"""Opacity of a map where it is 0 and where it is at the top of its scale."""
_GRAY = 0.75
_VIRIDIS = np.array([hex_to_rgb(colour) for colour in sequential.Viridis], float)
_MORE, _LESS = (np.array(hex_to_rgb(colour), float) for colour in (LIGHT.after, LIGHT.gold))


def upscale(image: np.ndarray, *, side: int = MIN_SIZE) -> np.ndarray:
    """An image (H, W, 3) uint8, enlarged smoothly: to at least `side` pixels, three times if that is below 2 x `side`.

    One that is larger than `side` is not enlarged more than that, so a report of photographs stays light.
    """
    height, width = image.shape[:2]
    longest = max(height, width)
    factor = max(1, min(max(3, -(-side // longest)), 2 * side // longest))
    size = (width * factor, height * factor)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def colorize(image: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """An enlarged image under a map (h, w) in [0, 1]: stronger is brighter and more opaque."""
    strength = _resized(strength, image.shape).clip(0, 1)
    place = strength * (len(_VIRIDIS) - 1)
    low = np.minimum(place.astype(int), len(_VIRIDIS) - 2)
    part = (place - low)[..., None]
    colours = _VIRIDIS[low] * (1 - part) + _VIRIDIS[low + 1] * part
    return _blend(image, colours, MIN_OPACITY + (MAX_OPACITY - MIN_OPACITY) * strength)


def colorize_difference(image: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """An enlarged image under a map (h, w) in [-1, 1]: bare at 0, the colour of after above it, of gold below."""
    gap = _resized(gap, image.shape).clip(-1, 1)
    return _blend(image, np.where(gap[..., None] > 0, _MORE, _LESS), 0.85 * np.abs(gap))


def data_uri(image: np.ndarray) -> str:
    """An image as a data URI, small enough to be embedded in a figure."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=88)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _resized(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def _blend(image: np.ndarray, colors: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    light = image.astype(float)
    grey = light @ [0.299, 0.587, 0.114]
    base = (1 - _GRAY) * light + _GRAY * grey[..., None]
    mixed = base * (1 - opacity[..., None]) + colors * opacity[..., None]
    return mixed.round().clip(0, 255).astype(np.uint8)
