"""Difficulty: how much models memorise the images of a request, and how entangled these are with all others.

An image is *memorised* if models classify it correctly only when they were trained on it. Its memorisation is the share
of models trained on it that do, minus the share of other models that do (Feldman & Zhang, NeurIPS 2020, arXiv
2008.03703, section 1). It is estimated from small models (ResNet-8, 20 epochs without augmentation), each trained on a
random half of the training images, and has a standard error (Agresti & Caffo, 2000). A retrained model classifies easy
images correctly too, so there is little to forget; what is memorised must be removed image by image.

*Entanglement* is how much the features of forget set and retain set overlap in the original model: the variances of
both around their own means, divided by how far these means are from the mean of all. It has no unit and grows with the
number of forget images, so random sets of the same size stand beside it. In Zhao et al. (RUM, NeurIPS 2024, arXiv
2406.01257), section 4, these are the two factors that make unlearning hard.

The forget images are divided by memorisation into the thirds of all training images of the data set, and each model is
evaluated on each third. For 10,000 images and ResNet-20 it takes 7 seconds of one CPU core, nearly all of them for the
features, unless they are stored.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from unlearn_core.data.half_models import Memorisation
from unlearn_core.domain.forget_request import ForgetSetKind
from unlearn_core.domain.results.predictions import Third

NUM_DRAWS = 100
"""How many random sets a forget set is compared with."""
_SEED = 2_406_012
"""Seeds the random sets, so that the same forget set is compared with the same ones."""


class Entanglement(NamedTuple):
    """The entanglement score of a forget set, and its 5 %, 50 % and 95 % quantiles for random sets of this size."""

    score: float
    random: tuple[float, float, float]


def thirds(score: np.ndarray) -> tuple[float, float]:
    """Return the bounds of the thirds of images by their memorisation (N,): the middle third lies between them."""
    low, high = np.quantile(score, [1 / 3, 2 / 3])
    return float(low), float(high)


def in_thirds(score: np.ndarray, bounds: tuple[float, float]) -> Mapping[Third, np.ndarray]:
    """Return which images (N,) bool are in each third; those with the value of a bound are in the lower one."""
    low, high = bounds
    return {"low": score <= low, "middle": (score > low) & (score <= high), "high": score > high}


def memorised_order(kind: ForgetSetKind, known: Memorisation) -> np.ndarray:
    """Return all images (N,) int64, the easiest or the most memorised first.

    Images are easy whose memorisation is nearest to 0, and of equal ones those that models without them are surest of;
    memorised whose memorisation is largest, and of equal ones those that such models are least sure of.
    """
    if kind == "easy":
        return np.lexsort((-known.unseen, np.abs(known.score)))
    return np.lexsort((known.unseen, -known.score))


def entangled_set(features: np.ndarray, count: int) -> np.ndarray:
    """Return so many images (count,) int64, fewer than all, whose features (N, F) have a mean near that of all.

    Each is the one that brings the mean of those chosen so far nearest to it, which makes the entanglement score high
    (herding: Welling, ICML 2009). The authors take the images that are nearest to the mean of all, each for itself. Of
    16 bundled images chosen in that way the score is that of random ones, and of 200 it is lower.
    """
    values, costs = _centred(features)
    values = values.astype(np.float32)  # Twice as fast.
    found, total = np.empty(count, int), np.zeros(values.shape[1], np.float32)
    for place in range(count):
        found[place] = np.argmin(costs + 2 * values @ total)
        total += values[found[place]]
        costs[found[place]] = np.inf
    return found


def entanglement_score(features: np.ndarray, forget: np.ndarray) -> float:
    """Return the entanglement score of a forget set: 0 is apart, larger is more entangled, nan if it is undefined.

    `features` (N, F) are those of the original model for all images, `forget` are some places in it. With the forget
    set S, the retain set R, their mean features s and r, and the mean m of all, it is

        (mean over R of |f - r|^2 + mean over S of |f - s|^2) / ((|r - m|^2 + |s - m|^2) / 2)

    Source: Zhao et al., section 4.1, after Goldblum et al., "Unraveling Meta-Learning", ICML 2020. In the code of the
    authors m is the mean of r and s, which for small forget sets gives twice the score.
    """
    return _score(*_centred(features), forget)


def entanglement(features: np.ndarray, forget: np.ndarray) -> Entanglement:
    """Return the entanglement score of a forget set, and of random sets of the same size, since it grows with it."""
    values, squares = _centred(features)
    rng = np.random.default_rng(_SEED)
    draws = [_score(values, squares, rng.choice(len(values), len(forget), replace=False)) for _ in range(NUM_DRAWS)]
    low, median, high = np.quantile(draws, [0.05, 0.5, 0.95])
    return Entanglement(_score(values, squares, forget), (float(low), float(median), float(high)))


def _centred(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the features minus their mean (N, F) float64, and the square of the length of each (N,)."""
    values = features.astype(np.float64)
    values -= values.mean(0)
    return values, (values**2).sum(1)


def _score(values: np.ndarray, squares: np.ndarray, forget: np.ndarray) -> float:
    """Return the score of centred features: then m is 0, and r follows from s."""
    count, rest = len(forget), len(values) - len(forget)
    own = float((values[forget].mean(0) ** 2).sum())
    other = own * (count / rest) ** 2
    inside = float(squares[forget].sum())
    within = inside / count - own + (float(squares.sum()) - inside) / rest - other
    return 2 * within / (own + other) if own else float("nan")
