"""Confusion matrix: for each true class, how often each class is predicted on test images.

It shows which classes are mistaken for which, and which classes lost accuracy. Each class has its accuracy with a 95 %
Wilson interval.
"""

import numpy as np

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.predictions import ConfusionResult, Score
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import score


def measure(context: ProbeContext) -> ConfusionResult:
    """Return the confusion matrix and the score per class of each model on all test images."""
    rows = np.sort(np.concatenate([context.split.forget_test, context.split.retain_test]))
    scores: dict[str, list[Score]] = {}
    matrices: dict[str, np.ndarray] = {}
    for model in MODELS:
        if model in context.evaluations:
            predictions = context.evaluations[model].logits[rows].argmax(1)
            counts = confusion_counts(context.labels[rows], predictions, len(context.dataset.classes))
            matrices[model] = counts.astype(np.float32)
            scores[model] = [score(int(row[index]), int(row.sum())) for index, row in enumerate(counts)]
    return ConfusionResult(scores=scores, matrices=matrices)


def confusion_counts(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Return how often each class (row) is predicted as each (column): (C, C) int64, from labels, predictions (N,)."""
    return np.bincount(labels * classes + predictions, minlength=classes * classes).reshape(classes, classes)


PROBE = Probe(
    id="confusion",
    title="Confusion matrix",
    question="Which classes are classified correctly, and what are the others predicted as?",
    caveat="A class has few test images, so its interval is wide: a loss of a few points in one class may be chance. "
    "The retrained model has its own preferred classes, since it was trained from another seed.",
    measure=measure,
    needs_all_images=False,
)
