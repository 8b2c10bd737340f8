"""The likelihood-ratio attack: was this net made to forget a picture, or did it never see it?

An attacker trains shadow nets of both kinds and learns, picture by picture, what each kind answers, as a Gaussian of
phi = log(p_y / (1 - p_y)). A net under attack is then held against both: a picture is called *seen* where its phi is
likelier among the nets that saw it and were made to forget it.

Sources: Carlini et al. 2022, "Membership inference attacks from first principles" (LiRA; with few shadow nets one
spread for all pictures, section VI); Hayes et al. 2024 (U-LiRA: the nets that saw a picture were made to forget it).
Nets that never saw the pictures are golds here, as in Kodge et al. 2024, whose code asks its last shadow net where it
should ask the net under attack. Some code of others scores right or wrong in place of phi; here it is phi.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

MIN_SPREAD = 0.05
"""No Gaussian is taken to be narrower: nets' answers are kept in 16 bits."""
CONFIDENCE_LEVEL = 0.95


class GaussianPair(NamedTuple):
    """What two kinds of nets answer: for each the mean of phi (S,) picture by picture, and one spread for all."""

    in_mean: np.ndarray
    out_mean: np.ndarray
    in_spread: float
    out_spread: float

    def log_ratio(self, phi: np.ndarray) -> np.ndarray:
        """The logarithm (..., S) of how much likelier phi (..., S) is among the nets that saw the pictures."""
        return _log_density(phi, self.in_mean, self.in_spread) - _log_density(phi, self.out_mean, self.out_spread)


def fit_gaussians(in_phi: np.ndarray, out_phi: np.ndarray) -> GaussianPair:
    """The Gaussians of phi (K, S) of nets that saw the pictures and of nets that never did; K is at least 2."""
    return GaussianPair(in_phi.mean(0), out_phi.mean(0), _spread(in_phi), _spread(out_phi))


class CrossValidatedAttack(NamedTuple):
    """The attack tried on its own shadow nets, each pair of them held against Gaussians of all the others."""

    success_rate: np.ndarray
    """(K,) the share of pictures of which it tells right which of the two nets saw them, ties counting half."""
    true_positive_rate: np.ndarray
    """(K,) the share of pictures that it calls seen, for each net that saw them."""
    false_positive_rate: np.ndarray
    """(K,) the same for each net that never did."""


def cross_validate(in_phi: np.ndarray, out_phi: np.ndarray) -> CrossValidatedAttack:
    """Holds each pair of shadow nets against the rest, from phi (K, S) of either kind; K is at least 3.

    A net is compared with one of the other kind under the same Gaussians only, which know neither: under Gaussians
    that leave out another net each, a held-out net looks strange to its own kind, and chance would come out below 0.5.
    """
    told, shares = [], []
    for place in range(len(in_phi)):
        others = fit_gaussians(np.delete(in_phi, place, 0), np.delete(out_phi, place, 0))
        ours, theirs = others.log_ratio(in_phi[place]), others.log_ratio(out_phi[place])
        told.append(((ours > theirs) + 0.5 * (ours == theirs)).mean())
        shares.append((member_rate(ours), member_rate(theirs)))
    return CrossValidatedAttack(np.array(told), *np.array(shares).T)


def member_rate(ratio: np.ndarray) -> float:
    """The share (0 to 1) of pictures that are called seen, from the logarithms (S,) of their ratios."""
    return float((ratio > 0).mean())


def confidence_interval(rates: np.ndarray) -> tuple[float, float, float]:
    """The mean over nets (K,) and its interval (Student's t, 95 %), between 0 and 1; K is at least 2."""
    mean, error = float(rates.mean()), float(rates.std(ddof=1)) / len(rates) ** 0.5
    half = float(stdtrit(len(rates) - 1, (1 + CONFIDENCE_LEVEL) / 2)) * error
    return mean, max(0.0, mean - half), min(1.0, mean + half)


def _spread(phi: np.ndarray) -> float:
    return max(MIN_SPREAD, float(phi.var(0, ddof=1).mean() ** 0.5))


def _log_density(phi: np.ndarray, mean: np.ndarray, spread: float) -> np.ndarray:
    """Of a Gaussian, without the constant that both sides share."""
    return -0.5 * ((phi - mean) / spread) ** 2 - np.log(spread)
