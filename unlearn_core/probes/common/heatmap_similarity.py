"""Similarity of two heat maps of one image: by cosine, by rank correlation, and by where their mass lies."""

from typing import Any

import numpy as np

TOP_SHARE = 0.2
"""The share of a map's cells that count as its strongest region."""
MEASURES = ("cosine", "rank", "top")


def similarity(first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    """Return the similarity of two models' maps (n, h, w): [25 %, 50 %, 75 %] quantiles over images, per measure.

    `cosine` (0 to 1) is the cosine similarity; `rank` (-1 to 1) Spearman's correlation; `top` (0 to 1) the share of the
    second map's mass in the strongest fifth of the first map's cells (0.2 by chance). `blank` counts the images where
    either map is flat, so that nothing can be compared; where all are, each measure is None.
    """
    ours, theirs = (maps.reshape(len(maps), -1).astype(np.float64) for maps in (first, second))
    valid = (np.ptp(ours, 1) > 0) & (np.ptp(theirs, 1) > 0)
    found: dict[str, Any] = {"pictures": len(first), "blank": int((~valid).sum())} | dict.fromkeys(MEASURES)
    if valid.any():
        for name, measure in zip(MEASURES, (_cosine, _rank, _top), strict=True):
            found[name] = np.quantile(measure(ours[valid], theirs[valid]), [0.25, 0.5, 0.75]).tolist()
    return found


def _cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(1) / lengths


def _rank(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    ours, theirs = (np.stack([ranks(row) for row in side]) for side in (first, second))
    return _cosine(ours - ours.mean(1, keepdims=True), theirs - theirs.mean(1, keepdims=True))


def ranks(row: np.ndarray) -> np.ndarray:
    """Return the ranks (n,) of values (n,) from 1 up; equal values share their mean rank."""
    _, place, counts = np.unique(row, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _top(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    most = max(1, round(TOP_SHARE * first.shape[1]))
    cells = np.argsort(-first, axis=1, kind="stable")[:, :most]
    return np.take_along_axis(second, cells, 1).sum(1) / second.sum(1)
