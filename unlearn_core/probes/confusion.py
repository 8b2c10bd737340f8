"""Confusion matrix: for each true class, how often each class is predicted on test images.

It shows which classes are mistaken for which, and which classes lost accuracy. Each class has its accuracy with a 95 %
Wilson interval.
"""

from typing import Any

import numpy as np

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import wilson_interval


def measure(context: ProbeContext) -> ReportPart:
    """Return for each model a table (C, C) of counts on test images: true class by row, prediction by column.

    The facts hold, per class, the correct predictions, the number of images, and the accuracy with its 95 % interval.
    """
    rows = np.sort(np.concatenate([context.split.forget_test, context.split.retain_test]))
    facts: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for model in MODELS:
        if model in context.evaluations:
            predictions = context.evaluations[model].logits[rows].argmax(1)
            counts = confusion_counts(context.labels[rows], predictions, len(context.dataset.classes))
            arrays[model] = counts.astype(np.float32)
            facts[model] = [_score(int(own[number]), int(own.sum())) for number, own in enumerate(counts)]
    return ReportPart(facts, arrays)


def confusion_counts(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Return how often each class (row) is predicted as each (column): (C, C) int64, from labels, predictions (N,)."""
    return np.bincount(labels * classes + predictions, minlength=classes * classes).reshape(classes, classes)


def _score(correct: int, total: int) -> dict[str, float | None]:
    if total == 0:
        return {"right": 0, "of": 0, "accuracy": None, "low": None, "high": None}
    low, high = wilson_interval(correct, total)
    return {"right": correct, "of": total, "accuracy": correct / total, "low": low, "high": high}


PROBE = Probe(
    id="confusion",
    title="Confusion matrix",
    question="Which classes are classified correctly, and what are the others predicted as?",
    caveat="A class has few test images, so its interval is wide: a loss of a few points in one class may be chance. "
    "The retrained model has its own preferred classes, since it was trained from another seed.",
    measure=measure,
)
