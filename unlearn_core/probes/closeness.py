"""How close the outputs are to the retrained model's, image by image and as distributions.

Image by image: the activation distance, which is the mean L2 distance between the softmax outputs of two models
(Chundawat et al., Can Bad Teaching Induce Forgetting?, AAAI 2023), and the share of images with the same prediction
(the *completeness* of Cao & Yang, 2015, with the retrained model's prediction as the correct one).

As distributions, for the logit of the true class, its margin and the entropy: the Wasserstein-1 distance, in their
units, and the Kolmogorov-Smirnov statistic.
"""

from collections.abc import Callable, Mapping

import numpy as np

from unlearn_core.domain.report import MODEL_TITLES
from unlearn_core.domain.results.logit_statistics import logit_statistics
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.outputs import Agreement, ClosenessResult, GoldComparison
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import SETS, softmax, wilson_interval

PAIRS = {"before-gold": ("before", "gold"), "after-gold": ("after", "gold"), "gold-twin": ("gold", "twin")}
"""The models that are compared; the last pair is the reference: two golds from different seeds."""
STATISTICS = ("true", "margin", "entropy")
MIN_IMAGES = 2
"""Fewer images have no distribution."""

PairValues = dict[str, dict[str, float | None]]


def measure(context: ProbeContext) -> ClosenessResult | str:
    """Return every metric for every pair, per set."""
    if "gold" not in context.evaluations:
        return "There is no retrained model to compare with."
    sets: dict[str, GoldComparison] = {}
    reasons: dict[str, str] = {}
    if "twin" not in context.logits(context.split.forget_train):
        reasons["gold-twin"] = (
            "There is only one retrained model, so the variation between retrained models is unknown."
        )
    for name in SETS:
        rows = getattr(context.split, name)
        if not len(rows):
            reasons[name] = "This set has no images for this request."
            continue
        logits = context.logits(rows)
        for model in [model for model, own in logits.items() if not np.isfinite(own).all()]:
            reasons[f"{name}, {model}"] = f"Some outputs of {MODEL_TITLES[model]} are not finite."
            del logits[model]
        values, short = _values(logits, context.labels[rows])
        reasons |= {f"{name}, {what}": why for what, why in short.items()}
        sets[name] = GoldComparison(images=len(rows), values=values, agreement=_agreement(logits))
    return ClosenessResult(sets=sets, reasons=reasons)


def _values(logits: Mapping[str, np.ndarray], labels: np.ndarray) -> tuple[PairValues, dict[str, str]]:
    """Return every measure for every pair, and why a statistic is undefined."""
    outputs = {model: softmax(own) for model, own in logits.items()}
    predicted = {model: own.argmax(1) for model, own in logits.items()}
    found: PairValues = {
        "activation": _pairs(outputs, activation_distance),
        "disagreement": _pairs(predicted, _disagreement),
    }
    reasons: dict[str, str] = {}
    statistics = {model: logit_statistics(own, labels) for model, own in logits.items()}
    for name in STATISTICS:
        values = {model: own[name] for model, own in statistics.items()}
        if len(labels) < MIN_IMAGES:
            reasons[name] = "A single image has no distribution."
            values = {}
        elif not all(np.isfinite(own).all() for own in values.values()):
            reasons[name] = "With a single class there is no other logit to compare with."
            values = {}
        found[f"wasserstein {name}"] = _pairs(values, wasserstein)
        found[f"ks {name}"] = _pairs(values, kolmogorov_smirnov)
    return found, reasons


def _pairs(
    values: Mapping[str, np.ndarray], distance: Callable[[np.ndarray, np.ndarray], float]
) -> dict[str, float | None]:
    return {
        pair: distance(values[first], values[second]) if first in values and second in values else None
        for pair, (first, second) in PAIRS.items()
    }


def _agreement(logits: Mapping[str, np.ndarray]) -> dict[str, Agreement | None]:
    found: dict[str, Agreement | None] = {}
    for pair, (one, other) in PAIRS.items():
        if one in logits and other in logits:
            same = logits[one].argmax(1) == logits[other].argmax(1)
            low, high = wilson_interval(int(same.sum()), len(same))
            found[pair] = Agreement(same=int(same.sum()), share=float(same.mean()), low=low, high=high)
        else:
            found[pair] = None
    return found


def activation_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean L2 distance of probabilities (N, C): 0 is equal, sqrt(2) is certain of different classes."""
    return float(np.linalg.norm(first - second, axis=1).mean())


def _disagreement(one: np.ndarray, other: np.ndarray) -> float:
    return float((one != other).mean())


def wasserstein(first: np.ndarray, second: np.ndarray) -> float:
    """Return how far one sample (n,) must move on average to become the other (m,): the integral of |F - G|."""
    steps = np.sort(np.concatenate([first, second]))
    return float(np.abs(_share_below(first, steps[:-1]) - _share_below(second, steps[:-1])) @ np.diff(steps))


def kolmogorov_smirnov(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest gap between the distribution functions of samples (n,) and (m,): 0 is equal, 1 no overlap."""
    steps = np.concatenate([first, second])
    return float(np.abs(_share_below(first, steps) - _share_below(second, steps)).max())


def _share_below(sample: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the empirical distribution function: the share of the sample that is at most each value."""
    return np.searchsorted(np.sort(sample), at, side="right") / len(sample)


PROBE = Probe(
    id="closeness",
    title="Agreement with the retrained model",
    question="Do its outputs match those of the retrained model, image by image and as distributions?",
    caveat="Each of these can be small while another is large: two models may predict the same classes with very "
    "different confidence, or have the same distribution of confidence on different images. Logits have no fixed "
    "scale, so a Wasserstein distance may be a mere shift that changes no prediction. Two retrained models from "
    "different seeds differ too: below their difference there is nothing to gain.",
    measure=measure,
    needs_all_images=False,
)
