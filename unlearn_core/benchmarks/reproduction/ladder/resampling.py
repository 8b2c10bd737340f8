"""The standard error of a challenge score over models and images, by the bootstrap (Efron 1979).

Each resample draws golds, images and unlearned models with replacement. All steps share the draws of golds and images,
as they share the golds and the images themselves, so that differences of steps are those of each resample.
"""

from typing import NamedTuple

import numpy as np

from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.probes.common.neurips_score import epsilons, mean_bucket_points, phi

RESAMPLES = 100
CLEAR = 2.0
"""How many standard errors a difference must have before its direction is told."""


class ScoreDifference(NamedTuple):
    """The difference of two scores and its standard error."""

    value: float
    error: float

    @property
    def is_clear(self) -> bool:
        """Whether its direction may be told."""
        return abs(self.value) > CLEAR * self.error


def resampled_scores(
    ours: EnsembleOutputs, golds: EnsembleOutputs, labels: np.ndarray, *, times: int = RESAMPLES
) -> np.ndarray:
    """Return the scores (times,) of as many resamples of N models, N golds and the S images with labels (S,)."""
    count, unlearned, retrained = len(golds), phi(ours.logits, labels), phi(golds.logits, labels)
    shared, own = np.random.default_rng(0), np.random.default_rng(1)
    scores = np.empty(times)
    for turn in range(times):
        theirs, images = shared.integers(count, size=count), shared.integers(len(labels), size=len(labels))
        chosen = own.integers(count, size=count)
        found = epsilons(unlearned[chosen], retrained[theirs])[images]
        ratios = [
            getattr(ours, name)[chosen].mean() / getattr(golds, name)[theirs].mean() for name in ("retain", "test")
        ]
        scores[turn] = mean_bucket_points(found, count) * np.prod(ratios)
    return scores


def difference(score: float, resampled: np.ndarray, other: float, others: np.ndarray) -> ScoreDifference:
    """Return the difference of two steps' scores; the resamples (times,) of both share their draws."""
    return ScoreDifference(score - other, float(np.std(resampled - others, ddof=1)))
