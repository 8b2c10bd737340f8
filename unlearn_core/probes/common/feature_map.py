"""The map of features: where each image lies in the last layer of the original, unlearned and retrained models.

The features of an image are what the last layer gets as input. Those of each model are centred and scaled on the
retained images, projected to their first 50 principal components, and rotated onto those of the original model (the
orthogonal Procrustes problem, solved on the retained images: Schönemann, Psychometrika 1966). None of this changes
which images are near each other in a model. Then all models are laid out together by t-SNE (van der Maaten & Hinton,
JMLR 2008) from their first two principal components, so that a place means the same on each of the three maps.

The numbers come from the features, not from the map. The *silhouette* of an image is (b - a) / max(a, b), where a is
its mean distance to the images of its class, and b that to the images of the nearest other class (Rousseeuw, Journal of
Computational and Applied Mathematics 1987): near 1, the class is a cluster of its own; near 0, it overlaps with
another. The *neighbourhood preserved* is the share of the 10 nearest images in one space that are also among the 10
nearest in another.

For 500 images and three ResNet-20 all of it takes 4 seconds of one CPU core: 2.0 for the features, unless they are
stored, and 1.8 for t-SNE. scikit-learn, which computes layout and silhouette, is imported when it is needed.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np

COMPONENTS = 50
"""The most principal components of a model that are laid out."""
NEIGHBOURS = 10
"""How many of the nearest images are compared."""
PERPLEXITY = 30.0
"""About how many neighbours t-SNE holds near an image: scikit-learn's default."""
ITERATIONS = 500
"""The steps of t-SNE, of which the first 250 exaggerate clusters."""
ANGLE = 0.8
"""How coarsely t-SNE may summarise far images: at 0.5, the default, it takes half as long again for the same maps."""
START_SPREAD = 1e-4
"""The standard deviation of the first principal component at the start, as in scikit-learn."""


class Silhouette(NamedTuple):
    """The mean silhouette of the images of either side, -1 to 1; nan where it is undefined."""

    forget: float
    retain: float


def draw(features: Mapping[str, np.ndarray], retained: np.ndarray) -> dict[str, np.ndarray]:
    """Align the features (n, F) of all models and lay them out; see `align` and `lay_out`.

    It uses one thread: sums over several have another order each time, and steps this short are no faster on two cores.
    """
    from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

    with threadpool_limits(1):
        return lay_out(align(features, retained))


def align(features: Mapping[str, np.ndarray], retained: np.ndarray) -> dict[str, np.ndarray]:
    """Return the features (n, F) of each model as (n, at most COMPONENTS) float64, rotated onto those of the first.

    `retained` (n,) bool are the images by which they are centred, scaled and rotated. Equal features stay equal.
    """
    aligned: dict[str, np.ndarray] = {}
    for model, raw in features.items():
        twin = next((other for other in aligned if np.array_equal(raw, features[other])), None)
        if twin is not None:
            aligned[model] = aligned[twin]
            continue
        found = _principal_components(raw, retained)
        if aligned:
            found = found @ _rotation(found[retained], next(iter(aligned.values()))[retained])
        aligned[model] = found
    return aligned


def _principal_components(raw: np.ndarray, retained: np.ndarray) -> np.ndarray:
    centred = raw.astype(np.float64) - raw[retained].mean(0, dtype=np.float64)
    scale = np.sqrt((centred[retained] ** 2).sum(1).mean())
    left, values, _ = np.linalg.svd(centred / (scale or 1.0), full_matrices=False)
    return (left * values)[:, :COMPONENTS]


def _rotation(moved: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Return the orthogonal matrix by which `moved` (n, k) comes closest to `onto` (n, k)."""
    left, _, right = np.linalg.svd(moved.T @ onto)
    return left @ right


def lay_out(aligned: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the place (n, 2) float32 of each image in each model, by one t-SNE over all models.

    Equal features get one place, so models with the same features have the same map.
    """
    from sklearn.manifold import TSNE  # pyright: ignore[reportMissingTypeStubs] -- It has no types.

    stacked = np.concatenate(list(aligned.values()))
    different, places = np.unique(stacked, axis=0, return_inverse=True)
    start = _first_two(different)
    layout: Any = TSNE(
        perplexity=min(PERPLEXITY, (len(different) - 1) / 3),
        init=start * (START_SPREAD / (start[:, 0].std() or 1.0)),  # pyright: ignore[reportArgumentType]
        angle=ANGLE,
        max_iter=ITERATIONS,
        random_state=0,
    )
    found = np.asarray(layout.fit_transform(different.astype(np.float32)), np.float32)[places.ravel()]
    return dict(zip(aligned, np.split(found, len(aligned)), strict=True))


def _first_two(points: np.ndarray) -> np.ndarray:
    """Return the first two principal components (n, 2) float32; their signs make the largest value positive."""
    left, values, _ = np.linalg.svd(points - points.mean(0), full_matrices=False)
    found = (left * values)[:, :2]
    found = np.pad(found, ((0, 0), (0, 2 - found.shape[1])))
    largest = found[np.abs(found).argmax(0), [0, 1]]
    return (found * np.where(largest < 0, -1, 1)).astype(np.float32)


def silhouette(features: np.ndarray, labels: np.ndarray, forgotten: np.ndarray) -> Silhouette:
    """Return the silhouette of features (n, F) by labels (n,); `forgotten` (n,) bool are the forget images."""
    from sklearn.metrics import silhouette_samples  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    if not 1 < len(np.unique(labels)) < len(labels):
        return Silhouette(np.nan, np.nan)
    found = cast("np.ndarray", silhouette_samples(features.astype(np.float64), labels))
    return Silhouette(*(float(found[side].mean()) if side.any() else np.nan for side in (forgotten, ~forgotten)))


def nearest(features: np.ndarray, count: int = NEIGHBOURS) -> np.ndarray:
    """Return the nearest other images (n, count) of each image by Euclidean distance; of equal ones the first."""
    points = features.astype(np.float64)
    squares = (points**2).sum(1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, :count]


def shared_neighbours(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the share (n,) of the nearest images (n, count) of each image that two spaces agree on, 0 to 1."""
    return (first[:, :, None] == second[:, None, :]).any(2).mean(1)
