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

LEAST_SPREAD = 0.05
"""No Gaussian is taken to be narrower: nets' answers are kept in 16 bits."""
SURE = 0.95


class Gaussians(NamedTuple):
    """What two kinds of nets answer: for each the mean of phi (S,) picture by picture, and one spread for all."""

    seen: np.ndarray
    unseen: np.ndarray
    seen_spread: float
    unseen_spread: float

    def ratio(self, phi: np.ndarray) -> np.ndarray:
        """The logarithm (..., S) of how much likelier phi (..., S) is among the nets that saw the pictures."""
        return _log_density(phi, self.seen, self.seen_spread) - _log_density(phi, self.unseen, self.unseen_spread)


def fit(seen: np.ndarray, unseen: np.ndarray) -> Gaussians:
    """The Gaussians of phi (K, S) of nets that saw the pictures and of nets that never did; K is at least 2."""
    return Gaussians(seen.mean(0), unseen.mean(0), _spread(seen), _spread(unseen))


class Held(NamedTuple):
    """The attack tried on its own shadow nets, each pair of them held against Gaussians of all the others."""

    told: np.ndarray
    """(K,) the share of pictures of which it tells right which of the two nets saw them, ties counting half."""
    seen: np.ndarray
    """(K,) the share of pictures that it calls seen, for each net that saw them."""
    unseen: np.ndarray
    """(K,) the same for each net that never did."""


def held_out(seen: np.ndarray, unseen: np.ndarray) -> Held:
    """Holds each pair of shadow nets against the rest, from phi (K, S) of either kind; K is at least 3.

    A net is compared with one of the other kind under the same Gaussians only, which know neither: under Gaussians
    that leave out another net each, a held-out net looks strange to its own kind, and chance would come out below 0.5.
    """
    told, shares = [], []
    for place in range(len(seen)):
        others = fit(np.delete(seen, place, 0), np.delete(unseen, place, 0))
        ours, theirs = others.ratio(seen[place]), others.ratio(unseen[place])
        told.append(((ours > theirs) + 0.5 * (ours == theirs)).mean())
        shares.append((called(ours), called(theirs)))
    return Held(np.array(told), *np.array(shares).T)


def called(ratio: np.ndarray) -> float:
    """The share (0 to 1) of pictures that are called seen, from the logarithms (S,) of their ratios."""
    return float((ratio > 0).mean())


def interval(told: np.ndarray) -> tuple[float, float, float]:
    """The mean over nets (K,) and its interval (Student's t, 95 %), between 0 and 1; K is at least 2."""
    mean, error = float(told.mean()), float(told.std(ddof=1)) / len(told) ** 0.5
    half = float(stdtrit(len(told) - 1, (1 + SURE) / 2)) * error
    return mean, max(0.0, mean - half), min(1.0, mean + half)


def _spread(phi: np.ndarray) -> float:
    return max(LEAST_SPREAD, float(phi.var(0, ddof=1).mean() ** 0.5))


def _log_density(phi: np.ndarray, mean: np.ndarray, spread: float) -> np.ndarray:
    """Of a Gaussian, without the constant that both sides share."""
    return -0.5 * ((phi - mean) / spread) ** 2 - np.log(spread)
