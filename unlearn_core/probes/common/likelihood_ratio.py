"""The likelihood-ratio attack (LiRA): did this model unlearn an image, or was it never trained on it?

An attacker trains shadow models of both kinds. For each image it fits a Gaussian to the outputs of each kind, as
phi = log(p_y / (1 - p_y)). A model under attack is then compared with both: an image is predicted to be a *member*
where its phi is more likely among the shadow models that were trained on it and then unlearned it.

What an attacker finds who must rarely be wrong is measured on pairs of a shadow model and an image, each scored by the
attack of the other models: the share of the pairs with a trained model that is found at a false positive rate of 1 %.
The pairs of one model are not independent, so the intervals are over models. With 8 models of each kind, each is an
eighth of the evidence: one model that is unlike the others can bring all false positives, and the share at 1 % is an
order of magnitude and no more.

This is not U-LiRA (Hayes et al. 2024). There the models that were never trained on an image have unlearned another set
of images; here they are retrained models, which unlearned nothing, as in Kodge et al. 2024. So the attack sees every
trace of unlearning, also damage that would be there if other images had been unlearned: where it succeeds, the models
differ, but it need not be the image that is left.

Sources: Carlini et al. 2022, "Membership inference attacks from first principles" (LiRA; with few shadow models one
spread for all images, section VI); Kodge et al. 2024, whose code evaluates the last shadow model instead of the model
under attack; Hayes et al., Inexact Unlearning Needs More Careful Evaluations, arXiv 2403.01218. Some other code scores
correctness in place of phi.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit  # pyright: ignore[reportMissingTypeStubs] -- SciPy has no types.

MIN_SPREAD = 0.05
"""The smallest standard deviation of a Gaussian: outputs are stored in 16 bits."""
CONFIDENCE_LEVEL = 0.95


class GaussianPair(NamedTuple):
    """The outputs of two kinds of models: for each the mean of phi (S,) per image, and one spread for all images."""

    in_mean: np.ndarray
    out_mean: np.ndarray
    in_spread: float
    out_spread: float

    def log_ratio(self, phi: np.ndarray) -> np.ndarray:
        """Return the log likelihood ratio (..., S) of phi (..., S): positive for models trained on the image."""
        return _log_density(phi, self.in_mean, self.in_spread) - _log_density(phi, self.out_mean, self.out_spread)


def fit_gaussians(in_phi: np.ndarray, out_phi: np.ndarray) -> GaussianPair:
    """Fit phi (K, S) of models that were trained on the images, and of models that never were; K is at least 2."""
    return GaussianPair(in_phi.mean(0), out_phi.mean(0), _spread(in_phi), _spread(out_phi))


class CrossValidatedAttack(NamedTuple):
    """The attack on its own shadow models, each pair compared with Gaussians of all the others."""

    success_rate: np.ndarray
    """(K,) the share of images for which it tells correctly which of two models was trained on them."""
    true_positive_rate: np.ndarray
    """(K,) the share of images predicted to be members, for each model that was trained on them."""
    false_positive_rate: np.ndarray
    """(K,) the same for each model that never was."""
    in_ratio: np.ndarray
    """(K, S) the log likelihood ratio of each image, for each model that was trained on them."""
    out_ratio: np.ndarray
    """(K, S) the same for each model that never was."""


def cross_validate(in_phi: np.ndarray, out_phi: np.ndarray) -> CrossValidatedAttack:
    """Attack each pair of shadow models with the rest, from phi (K, S) of both kinds; K is at least 3.

    Both models of a pair are compared under the same Gaussians, fitted without either. If each were left out of its own
    fit only, it would look unlike its own kind, and chance would come out below 0.5.
    """
    success: list[float] = []
    shares: list[tuple[float, float]] = []
    ratios: list[tuple[np.ndarray, np.ndarray]] = []
    for place in range(len(in_phi)):
        others = fit_gaussians(np.delete(in_phi, place, 0), np.delete(out_phi, place, 0))
        ours, theirs = others.log_ratio(in_phi[place]), others.log_ratio(out_phi[place])
        success.append(((ours > theirs) + 0.5 * (ours == theirs)).mean())
        shares.append((member_rate(ours), member_rate(theirs)))
        ratios.append((ours, theirs))
    return CrossValidatedAttack(np.array(success), *np.array(shares).T, *np.array(ratios).swapaxes(0, 1))


def member_rate(ratio: np.ndarray) -> float:
    """Return the share (0 to 1) of images predicted to be members, from their log likelihood ratios (S,)."""
    return float((ratio > 0).mean())


def confidence_interval(rates: np.ndarray) -> tuple[float, float, float]:
    """Return the mean over models (K,) and its 95 % interval (Student's t), within 0 to 1; K is at least 2."""
    mean, error = float(rates.mean()), float(rates.std(ddof=1)) / len(rates) ** 0.5
    half = float(stdtrit(len(rates) - 1, (1 + CONFIDENCE_LEVEL) / 2)) * error
    return mean, max(0.0, mean - half), min(1.0, mean + half)


def _spread(phi: np.ndarray) -> float:
    return max(MIN_SPREAD, float(phi.var(0, ddof=1).mean() ** 0.5))


def _log_density(phi: np.ndarray, mean: np.ndarray, spread: float) -> np.ndarray:
    """Return the log density of a Gaussian, without the constant that both sides share."""
    return -0.5 * ((phi - mean) / spread) ** 2 - np.log(spread)
