"""How alike two heat maps of one picture are: by angle, by order, and by where their mass lies."""

from typing import Any

import numpy as np

TOP_SHARE = 0.2
"""The strongest fifth of a map's cells: where a net looks most."""
MEASURES = ("cosine", "rank", "top")


def similarity(first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    """How alike the maps (n, h, w) of two nets are, picture by picture: [25 %, 50 %, 75 %] quantiles of each measure.

    `cosine` (0 to 1) is the angle's; `rank` (-1 to 1) Spearman's correlation; `top` (0 to 1) the share of the second
    map's mass that lies in the first one's strongest fifth of cells (0.2 by chance). `blank` counts the pictures where
    either map is flat, so that there is nothing to compare; where all are, each measure is None.
    """
    ours, theirs = (maps.reshape(len(maps), -1).astype(np.float64) for maps in (first, second))
    told = (np.ptp(ours, 1) > 0) & (np.ptp(theirs, 1) > 0)
    found: dict[str, Any] = {"pictures": len(first), "blank": int((~told).sum())} | dict.fromkeys(MEASURES)
    if told.any():
        values = _cosine(ours[told], theirs[told]), _rank(ours[told], theirs[told]), _top(ours[told], theirs[told])
        for name, each in zip(MEASURES, values, strict=True):
            found[name] = np.quantile(each, [0.25, 0.5, 0.75]).tolist()
    return found


def _cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(1) / lengths


def _rank(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    ours, theirs = (np.stack([ranks(row) for row in side]) for side in (first, second))
    return _cosine(ours - ours.mean(1, keepdims=True), theirs - theirs.mean(1, keepdims=True))


def ranks(row: np.ndarray) -> np.ndarray:
    """The ranks (n,) of values (n,) from 1 up, equal values sharing the mean of theirs."""
    _, place, counts = np.unique(row, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _top(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    most = max(1, round(TOP_SHARE * first.shape[1]))
    cells = np.argsort(-first, axis=1, kind="stable")[:, :most]
    return np.take_along_axis(second, cells, 1).sum(1) / second.sum(1)
