"""Find the copies in a data set: equal bytes first, then images that are nearly equal, mirrored or shifted.

Codes of all images are compared with each other in blocks; the most similar pairs are candidates. A candidate is a copy
if the brightness of both images, or of one and the mirrored other, correlates by more than MIN_CORRELATION for some
shift of up to MAX_SHIFT pixels, and their details by more than MIN_DETAILS: otherwise all skies would be copies of each
other. The correlations are normalised, so brightness and contrast may differ.
"""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import product

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from unlearn_core.data.duplicates.codes import brightness, encode
from unlearn_core.data.duplicates.groups import Duplicates, number_groups

MIN_CORRELATION, MIN_DETAILS = 0.95, 0.85
"""JPEG, mirroring, shifts and brightening together leave more than that in 98 of 100 images."""
MAX_SHIFT = 2
MIN_SIDE = 8
"""Smaller images are compared for equal pixels only."""
MIN_SIMILARITY = 0.65
"""Two codes with a smaller product are not compared further."""
MAX_CANDIDATES = 8
"""The most candidates among the images after an image: in a data set of similar images, all would be candidates."""
_BLUR = 4.0
"""Details are an image minus this blur: its standard deviation in pixels."""
_ROWS, _COLUMNS, _PAIRS = 512, 2_048, 128
"""Compared at once: as many as stay in the cache of a core, which takes two thirds of the time of larger blocks."""


def find_duplicates(
    images: np.ndarray, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> Duplicates:
    """Return the groups of copies among square images (N, S, S, 3) uint8.

    `on_progress` is told how many of all images were compared with the others, and may raise to stop the search.
    """
    first = _first_of_same(images, on_progress)
    distinct = np.flatnonzero(first == np.arange(len(images)))
    near = np.arange(len(images))
    if images.shape[1] >= MIN_SIDE and len(distinct) > 1:
        levels = brightness(images[distinct] if len(distinct) < len(images) else images)
        found = [_copies(levels, pairs) for pairs in _candidates(encode(levels), on_progress)]
        near[distinct] = distinct[_components(np.concatenate(found), len(distinct))]
    return Duplicates(number_groups(first), number_groups(near[first]))


def _first_of_same(images: np.ndarray, on_progress: Callable[[int, int], None]) -> np.ndarray:
    """Return for each image the first one with equal pixels, often itself."""
    known: dict[bytes, int] = {}
    first = np.empty(len(images), np.int64)
    for number, pixels in enumerate(images):
        if number % _ROWS == 0:
            on_progress(0, len(images))
        first[number] = known.setdefault(blake2b(pixels.tobytes(), digest_size=16).digest(), number)
    return first


def _candidates(codes: np.ndarray, on_progress: Callable[[int, int], None]) -> Iterator[np.ndarray]:
    """Yield pairs (P, 2) of images with similar codes: for each image the most similar ones of those after it."""
    count = len(codes)
    for top in range(0, count, _ROWS):
        on_progress(top, count)
        found, rows = _Best(), codes[top : top + _ROWS]
        least = np.full(len(rows), MIN_SIMILARITY, np.float32)
        for left in range(top, count, _COLUMNS):
            similarity = rows @ codes[left : left + _COLUMNS].T
            if left < top + len(rows):  # Each pair once, and no image with itself.
                similarity[np.tri(*similarity.shape, k=top - left, dtype=bool)] = 0
            places = np.flatnonzero(similarity > least[:, None])
            if len(places):
                row, column = np.divmod(places, similarity.shape[1])
                least = found.add(row, column + left, similarity[row, column], least)
        yield np.stack([found.rows + top, found.columns], axis=1)
    on_progress(count, count)


class _Best:
    """The candidates of a block of rows: at most MAX_CANDIDATES of each row, the most similar ones."""

    def __init__(self) -> None:
        self.rows, self.columns = np.empty(0, np.int64), np.empty(0, np.int64)
        self._similarity = np.empty(0, np.float32)

    def add(self, rows: np.ndarray, columns: np.ndarray, similarity: np.ndarray, least: np.ndarray) -> np.ndarray:
        """Add candidates and drop the least similar; return the similarity (R,) that a row's next ones must exceed."""
        rows, columns = np.concatenate([self.rows, rows]), np.concatenate([self.columns, columns])
        similarity = np.concatenate([self._similarity, similarity])
        order = np.lexsort((-similarity, rows))
        rows, columns, similarity = rows[order], columns[order], similarity[order]
        place = np.arange(len(rows)) - np.searchsorted(rows, rows)
        full = place == MAX_CANDIDATES - 1
        least = least.copy()
        least[rows[full]] = similarity[full]
        kept = place < MAX_CANDIDATES
        self.rows, self.columns, self._similarity = rows[kept], columns[kept], similarity[kept]
        return least


def _copies(levels: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return those of the pairs (P, 2) whose two images are copies."""
    for filtered, least in ((_unchanged, MIN_CORRELATION), (_details, MIN_DETAILS)):
        parts = [pairs[start : start + _PAIRS] for start in range(0, len(pairs), _PAIRS)]
        pairs = np.concatenate([part[_correlations(levels, part, filtered) > least] for part in parts] or [pairs])
    return pairs


def _correlations(levels: np.ndarray, pairs: np.ndarray, filtered: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the largest correlation (P,) of the two images of each pair, over all shifts and mirrored or not."""
    first, second = (levels[pairs[:, side]].astype(np.float32) for side in (0, 1))
    second -= second.mean((1, 2), keepdims=True)  # Rounding is least around 0.
    inner = levels.shape[1] - 2 * MAX_SHIFT
    middle = first[:, MAX_SHIFT:-MAX_SHIFT, MAX_SHIFT:-MAX_SHIFT]
    middles = [_standardized(filtered(one)) for one in (middle, middle[:, :, ::-1])]
    best = np.full(len(pairs), -1, np.float32)
    for down, right in product(range(2 * MAX_SHIFT + 1), repeat=2):
        window = filtered(second[:, down : down + inner, right : right + inner])
        # The middles have mean 0, so the window's mean does not count in the products.
        squares = np.einsum("ijk,ijk->i", window, window) - window.sum((1, 2)) ** 2 / inner**2
        length = np.sqrt(np.maximum(squares, 1e-6))
        for one in middles:
            np.maximum(best, np.einsum("ijk,ijk->i", one, window) / length, out=best)
    return best


def _unchanged(images: np.ndarray) -> np.ndarray:
    return images


def _details(images: np.ndarray) -> np.ndarray:
    blur = gaussian_filter1d(np.eye(images.shape[1], dtype=np.float32), _BLUR, axis=0)
    return images - blur @ images @ blur.T  # As gaussian_filter does it, in a fraction of its time.


def _standardized(images: np.ndarray) -> np.ndarray:
    """Return images (N, S, S) with mean 0 and length 1, or 0 for images without contrast."""
    centred = images - images.mean((1, 2), keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=(1, 2), keepdims=True), 1e-3)


def _components(pairs: np.ndarray, count: int) -> np.ndarray:
    """Return for each of `count` images the first image that pairs (P, 2) connect it with, often itself."""
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    return first[component]
