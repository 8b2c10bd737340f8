"""Accuracy: the share of images that each model classifies correctly, on all six sets.

An image is classified correctly where the class with the largest logit is its label. Each accuracy has a 95 % Wilson
interval, which stays valid for small sets and near 0 % and 100 %. Where the largest class has more than three times the
test images of the smallest, sets of several classes also have a balanced accuracy: the mean of those of their classes.

Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 1927.
"""

import numpy as np

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.balance import are_unequal, balanced_accuracy
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.predictions import AccuracyResult, Score
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import score


def measure(context: ProbeContext) -> AccuracyResult:
    """Return the score of each model on each set that was evaluated."""
    scores: dict[str, dict[str, Score]] = {}
    test = context.labels[context.dataset.train + context.dataset.val :]
    unequal = are_unequal(np.bincount(test).tolist())
    for model in MODELS:
        if model in context.evaluations:
            correct = context.evaluations[model].logits.argmax(1) == context.labels
            scores[model] = {
                name: _score(correct[rows], context.labels[rows], balanced=unequal)
                for name, rows in context.split._asdict().items()
                if context.evaluations[model].covers(rows)
            }
    return AccuracyResult(scores=scores)


def _score(correct: np.ndarray, labels: np.ndarray, *, balanced: bool) -> Score:
    found, classes = score(int(correct.sum()), len(correct)), np.unique(labels)
    if not balanced or len(classes) < 2:
        return found
    mean = balanced_accuracy([float(correct[labels == number].mean()) for number in classes])
    return found.model_copy(update={"balanced": mean})


PROBE = Probe(
    id="accuracy",
    title="Accuracy",
    question="How accurate is each model on the forget set and on the retain set?",
    caveat="The correct prediction is the true label among all classes, forgotten ones included. 0 % on a forgotten "
    "class proves little by itself: hiding one output would be enough. For single images the aim is not zero but the "
    "accuracy of the retrained model: it still classifies most of them correctly. The intervals (95 %, Wilson) show "
    "the uncertainty due to few images, not the variation between seeds.",
    measure=measure,
)
