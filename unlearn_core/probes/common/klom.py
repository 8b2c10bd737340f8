"""KL divergence of margins (KLoM): do unlearned and retrained models give an image the same range of margins?

One model says little about an image: retraining with another seed gives another output. So N models are unlearned from
other seeds, and as many retrained. Each gives the image one *margin*, phi = log(p_y / (1 - p_y)). KLoM is the
Kullback-Leibler divergence, in nats, from the margins of the retrained to those of the unlearned models, by histograms
of 20 equal bins over the range of both; the mean over images is the score. 0 is the same distribution.

A bin that only retrained models reach counts as if a share of 0.00001 of the unlearned models were in it, so no image
exceeds 11.5 nats. With few models most bins are empty and KLoM is large for equal distributions too: compare it only
with that of other retrained models in the same number, which is measured beside it.

Source: Georgiev et al., Attribute-to-Delete: Machine Unlearning via Datamodel Matching, ICLR 2025, arXiv 2410.23232,
who use 100 models, and images of the retain set and test images too. Here it is the forget set: of an ensemble no other
outputs are stored. Their code leaves the largest margin of all out of its last bin; here it counts.

Models that the NeurIPS 2023 score has trained are used again. The divergences themselves take 0.01 seconds of one CPU
core for 200 images and 16 models; training the models takes the time.
"""

import numpy as np

BINS = 20
MIN_SHARE = 1e-5
"""The share that a bin of the unlearned models counts as at least, where retrained models reach it."""
MAX_MARGIN = 100.0


def margin_divergences(golds: np.ndarray, models: np.ndarray) -> np.ndarray:
    """Return KLoM (S,) in nats of each image, from the margins (N, S) of golds and of models, at least 0."""
    return np.array([margin_divergence(ours, theirs) for ours, theirs in zip(golds.T, models.T, strict=True)])


def margin_divergence(golds: np.ndarray, models: np.ndarray) -> float:
    """Return KL(golds || models) in nats from one image's margins (N,) and (M,)."""
    both = [np.clip(own, -MAX_MARGIN, MAX_MARGIN) for own in (golds, models)]
    low, high = min(float(own.min()) for own in both), max(float(own.max()) for own in both)
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    ours, theirs = (np.histogram(own, edges)[0] / len(own) for own in both)
    reached = ours > 0
    theirs = np.where(reached, np.maximum(theirs, MIN_SHARE), theirs)
    theirs = theirs / theirs.sum()
    return float((ours[reached] * np.log(ours[reached] / theirs[reached])).sum())
