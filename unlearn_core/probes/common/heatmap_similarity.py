"""Similarity of two heat maps of one image: by cosine, by rank correlation, and by where their mass lies."""

import numpy as np

from unlearn_core.domain.results.explanations import MapSimilarity, Quartiles

TOP_SHARE = 0.2
"""The share of a map's cells that count as its strongest region."""


def similarity(first: np.ndarray, second: np.ndarray) -> MapSimilarity:
    """Return the similarity of two models' maps (n, h, w)."""
    ours, theirs = (maps.reshape(len(maps), -1).astype(np.float64) for maps in (first, second))
    valid = (np.ptp(ours, 1) > 0) & (np.ptp(theirs, 1) > 0)
    ours, theirs = ours[valid], theirs[valid]
    return MapSimilarity(
        images=len(first),
        flat=int((~valid).sum()),
        cosine=_quartiles(_cosine(ours, theirs)),
        rank=_quartiles(_rank(ours, theirs)),
        top=_quartiles(_top(ours, theirs)),
    )


def _quartiles(values: np.ndarray) -> Quartiles | None:
    return Quartiles(*np.quantile(values, [0.25, 0.5, 0.75]).tolist()) if len(values) else None


def _cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(1) / lengths


def _rank(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    ours, theirs = (np.array([ranks(row) for row in side]).reshape(side.shape) for side in (first, second))
    return _cosine(ours - ours.mean(1, keepdims=True), theirs - theirs.mean(1, keepdims=True))


def ranks(row: np.ndarray) -> np.ndarray:
    """Return the ranks (n,) of values (n,) from 1 up; equal values share their mean rank."""
    _, place, counts = np.unique(row, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _top(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    most = max(1, round(TOP_SHARE * first.shape[1]))
    cells = np.argsort(-first, axis=1, kind="stable")[:, :most]
    return np.take_along_axis(second, cells, 1).sum(1) / second.sum(1)
