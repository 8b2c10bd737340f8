"""Compare two models on the same images: the paired difference of their accuracies, its interval and its tests.

Sources. McNemar, Psychometrika 1947 (exact form: a binomial test of the discordant images). Tango, Statistics in
Medicine 1998: the score test of a difference of paired shares and its interval; here with a continuity correction of
half an image, without which small losses are declared too often (over 7 % instead of 5 % with 100 images). Welch,
Biometrika 1947: degrees of freedom where the spread of several models adds to that of the images. Holm, Scandinavian
Journal of Statistics 1979: several tests at once. Agresti & Caffo, The American Statistician 2000: the interval of two
independent samples, for models on different images.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, inf, isclose, nan, sqrt
from typing import NamedTuple

import numpy as np
from scipy import optimize, special  # pyright: ignore[reportMissingTypeStubs] -- SciPy has no types.

MARGIN = 0.03
"""A smaller difference of accuracies than this is none for a verdict: three points."""
ALPHA = 0.05
"""The level of every test; an interval of 90 % leaves so much on either side."""
_POWER = 0.8
"""`images_needed` gives equal models this chance of being found equal."""
_CONTINUITY = 0.5
Z = float(special.ndtri(1 - ALPHA))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
"""Standard errors on either side of a mean in a 90 % interval."""


class Comparison(NamedTuple):
    """The accuracy of a model minus that of a reference, on the same images; differences are fractions, -1 to 1."""

    images: int
    lost: float
    """Images that the reference classifies correctly and the model does not; a mean where there are several models."""
    gained: float
    """Images that the model classifies correctly and the reference does not."""
    accuracy: float
    reference: float
    """The accuracy of the reference."""
    low: float
    high: float
    """The 90 % interval of the difference."""
    p_differs: float
    """That the two are equally accurate (two-sided)."""
    p_below: float
    """That the model is at most `MARGIN` below the reference: a small one shows that it lost more."""

    @property
    def difference(self) -> float:
        return self.accuracy - self.reference

    @property
    def is_equal(self) -> bool:
        """Whether the whole interval lies within the margin: shown to be equal, not only not shown to differ."""
        return self.low > -MARGIN and self.high < MARGIN


def compare(model: np.ndarray, reference: np.ndarray, spread: Sequence[float] = ()) -> Comparison:
    """Compare correct predictions (N,) or (models, N) bool with those of a reference on the same N > 0 images.

    Several rows are models of the same kind from other seeds: means are compared, and their spread widens the interval.
    So does `spread`, accuracies of repeats of the model from other seeds. Raises ValueError without images.
    """
    ours, theirs = np.atleast_2d(model), np.atleast_2d(reference)
    count = ours.shape[1]
    if not count:
        raise ValueError("no images to compare on")
    shares, others = ours.mean(axis=1), theirs.mean(axis=1)
    accuracy, reached = float(shares.mean()), float(others.mean())
    # Over all pairs of models: the mean of a product is the product of the means.
    both = float((ours.mean(axis=0) * theirs.mean(axis=0)).sum())
    lost, gained = max(count * reached - both, 0.0), max(count * accuracy - both, 0.0)
    variances = _variances(shares, others)
    if len(spread) > 1:
        variances.append((float(np.var(spread, ddof=1)), len(spread) - 1))
    return _comparison(count, lost, gained, accuracy, reached, tuple(variances))


@lru_cache(maxsize=1024)  # A report is asked for the same comparison by each of its sentences.
def _comparison(
    images: int,
    lost: float,
    gained: float,
    accuracy: float,
    reference: float,
    variances: tuple[tuple[float, int], ...],
) -> Comparison:
    test = _Test(images, lost, gained, variances)
    exact = not variances
    return Comparison(
        images=images,
        lost=lost,
        gained=gained,
        accuracy=accuracy,
        reference=reference,
        low=test.limit(-1),
        high=test.limit(1),
        p_differs=_mcnemar(round(lost), round(gained)) if exact else min(1.0, 2 * min(test.p(0, -1), test.p(0, 1))),
        p_below=test.p(-MARGIN, -1),
    )


def compare_samples(model: np.ndarray, reference: np.ndarray) -> Comparison:
    """Compare correct predictions with those of a reference on other images, as two independent samples.

    Either is (N,) or (models, N) bool with its own N > 0; the spread of several models widens the interval. There are
    no pairs, so `lost` and `gained` are nan, and `images` is the smaller number. Raises ValueError without images.
    """
    samples = [np.atleast_2d(model), np.atleast_2d(reference)]
    counts = [own.shape[1] for own in samples]
    if not all(counts):
        raise ValueError("no images to compare on")
    accuracy, reached = (float(own.mean()) for own in samples)
    adjusted = [(own.mean() * n + 1) / (n + 2) for own, n in zip(samples, counts, strict=True)]
    images = sum(share * (1 - share) / (n + 2) for share, n in zip(adjusted, counts, strict=True))
    error, freedom = _error(float(images), _variances(*(own.mean(axis=1) for own in samples)))
    gap, half = accuracy - reached, -_quantile(ALPHA, freedom) * error
    return Comparison(
        images=min(counts),
        lost=nan,
        gained=nan,
        accuracy=accuracy,
        reference=reached,
        low=gap - half,
        high=gap + half,
        p_differs=min(1.0, 2 * _below(-abs(gap) / error, freedom)),
        p_below=_below((gap + MARGIN) / error, freedom),
    )


def _variances(*shares: np.ndarray) -> list[tuple[float, int]]:
    """The variance of the mean over several models, with its degrees of freedom; none for a single model."""
    return [(float(own.var(ddof=1)) / len(own), len(own) - 1) for own in shares if len(own) > 1]


def _error(images: float, variances: Sequence[tuple[float, int]]) -> tuple[float, float]:
    """The standard error from the variance over images and those over models, and its degrees of freedom (Welch)."""
    whole = images + sum(variance for variance, _ in variances)
    welch = sum(variance**2 / freedom for variance, freedom in variances)
    return sqrt(whole), whole**2 / welch if welch else inf


def _below(statistic: float, freedom: float) -> float:
    """The probability of a value below this one, of the normal or Student's distribution."""
    return float(special.ndtr(statistic) if freedom == inf else special.stdtr(freedom, statistic))  # pyright: ignore


def _quantile(probability: float, freedom: float) -> float:
    return float(special.ndtri(probability) if freedom == inf else special.stdtrit(freedom, probability))  # pyright: ignore


class _Test(NamedTuple):
    """The score test of a difference, with the variance of several models where there are any."""

    images: int
    lost: float
    gained: float
    variances: tuple[tuple[float, int], ...]
    """Of the mean of several models, each with its degrees of freedom."""

    def p(self, difference: float, side: int) -> float:
        """The one-sided p-value of a true difference; `side` is that of the alternative: -1 is below it, 1 above."""
        error, freedom = self._error(difference)
        away = side * (self.gained - self.lost - self.images * difference) / self.images
        distance = max(abs(away) - _CONTINUITY / self.images, 0.0) * (1 if away > 0 else -1)
        statistic = distance / error if error else inf * distance if distance else 0.0
        return _below(-statistic, freedom)

    def limit(self, side: int) -> float:
        """The end of the 90 % interval on one side: the difference that the test just does not reject."""
        found = (self.gained - self.lost) / self.images
        if self.p(side, -side) >= ALPHA or isclose(found, side):
            return float(side)
        return float(optimize.brentq(lambda value: self.p(value, -side) - ALPHA, found, side, xtol=1e-6))  # pyright: ignore

    def _error(self, difference: float) -> tuple[float, float]:
        """The standard error of the difference if that is its true value, and its degrees of freedom."""
        n, loss = self.images, -difference
        # The share of images gained that is most likely under this loss: the larger root of a quadratic equation.
        linear = -self.lost - self.gained + (2 * n - self.lost + self.gained) * loss
        root = sqrt(max(linear**2 + 8 * n * self.gained * loss * (1 - loss), 0.0))
        gained = (root - linear) / (4 * n)
        images = max((2 * gained + loss * (1 - loss)) / n, 0.0)
        return _error(images, self.variances)


def _mcnemar(lost: int, gained: int) -> float:
    """McNemar's exact test: the two-sided p-value that an image is lost as often as gained."""
    if lost == gained:
        return 1.0
    return min(1.0, 2 * float(special.bdtr(min(lost, gained), lost + gained, 0.5)))  # pyright: ignore


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number, in their order (Holm 1979)."""
    adjusted, most = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        most = max(most, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = most
    return adjusted


def images_needed(disagreement: float) -> int:
    """How many images show that two equally accurate models are equal, in four cases of five.

    `disagreement` is the share of images, 0 to 1, that only one of the two classifies correctly.
    """
    needed = (Z + float(special.ndtri((1 + _POWER) / 2))) ** 2 * disagreement / MARGIN**2  # pyright: ignore
    digits = 10 ** max(len(str(ceil(needed))) - 2, 0)
    return ceil(needed / digits) * digits
