"""Short codes of images that hardly change when an image is mirrored, shifted, brightened or compressed.

A code holds the magnitudes of low spatial frequencies of the image's brightness: a shift changes only their phases, and
a mirrored image only swaps those of opposite horizontal frequencies. They are decorrelated over the data set, so that
what all of its images have in common does not count.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image
from scipy import fft

SIDE = 32
"""Images are compared at this width and height at most."""
_CHUNK = 2_000
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_FREQUENCIES = 8
"""Frequencies are used up to so many periods per image."""
_DIMENSIONS = 64
_RIDGE, _FEW = 3.0, 3_000
"""How much of the mean variance is added to each component's, and how much more in a data set of few images."""


def brightness(images: np.ndarray) -> np.ndarray:
    """Return the brightness of square images (N, S, S, 3) uint8, at most SIDE pixels wide, as (N, S', S') uint8."""
    side = min(images.shape[1], SIDE)
    found = np.empty((len(images), side, side), np.uint8)
    for rows in _chunks(len(images)):
        levels = (images[rows] @ _LUMINANCE + 0.5).astype(np.uint8)
        found[rows] = levels if levels.shape[1] == side else [_shrink(one, side) for one in levels]
    return found


def encode(levels: np.ndarray) -> np.ndarray:
    """Return the codes (N, D) float32 of images' brightness (N, S, S): of length 1, or 0 for images without contrast.

    The larger the product of two codes, the more similar the images are.
    """
    spectra = np.concatenate([_spectra(levels[rows]) for rows in _chunks(len(levels))])
    flat = ~spectra.any(1)
    spectra -= spectra[~flat].mean(0) if not flat.all() else 0
    spectra[flat] = 0
    covariance = spectra.T @ spectra / len(spectra)
    variances, axes = np.linalg.eigh(covariance)
    ridge = (_RIDGE + _FEW / len(spectra)) * variances.mean()
    keep = slice(-_DIMENSIONS, None)
    codes = spectra @ (axes[:, keep] / np.sqrt(variances[keep] + ridge + 1e-12))
    return codes / np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), 1e-12)


def _spectra(levels: np.ndarray) -> np.ndarray:
    """Return the square roots of the magnitudes, of each image relative to their sum of squares; 0 without contrast."""
    side = levels.shape[1]
    window = np.hanning(side + 2)[1:-1].astype(np.float32)
    window = np.outer(window, window) / window.sum() ** 2
    images = levels.astype(np.float32)
    images -= (images * window).sum((1, 2), keepdims=True)
    most = min(_FREQUENCIES, side // 2)
    found = np.abs(np.asarray(fft.fft2(images * window))[:, : most + 1])
    right, left = found[:, :, : most + 1], found[:, :, -np.arange(most + 1)]
    both = np.stack([right + left, np.abs(right - left)], 1).reshape(len(levels), -1)
    scale = np.linalg.norm(both, axis=1, keepdims=True)
    return np.sqrt(np.where(scale > 1e-3, both / np.maximum(scale, 1e-3), 0)).astype(np.float32)


def _shrink(levels: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(levels).resize((side, side), Image.Resampling.BOX))


def _chunks(count: int) -> Iterator[slice]:
    yield from (slice(start, start + _CHUNK) for start in range(0, count, _CHUNK))
