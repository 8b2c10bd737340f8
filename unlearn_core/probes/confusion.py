"""What each model calls the unseen pictures of every class: who was mistaken for whom, and which class lost."""

from typing import Any

import numpy as np

from unlearn_core.domain.measurement import Probe, ReportPart
from unlearn_core.domain.report import MODELS
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import wilson_interval


def measure(context: ProbeContext) -> ReportPart:
    """For each model a table (C, C) of counts on test pictures, true class by row, answer by column; and its diagonal.

    The facts hold of every class the right answers, the pictures, the share and its 95 % interval.
    """
    rows = np.sort(np.concatenate([context.split.forget_test, context.split.retain_test]))
    facts: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for model in MODELS:
        if model in context.evaluations:
            answers = context.evaluations[model].logits[rows].argmax(1)
            counts = confusion_counts(context.labels[rows], answers, len(context.dataset.classes))
            arrays[model] = counts.astype(np.float32)
            facts[model] = [_score(int(own[number]), int(own.sum())) for number, own in enumerate(counts)]
    return ReportPart(facts, arrays)


def confusion_counts(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """How often each class (row) got each answer (column): (C, C) int64 of labels and answers (N,)."""
    return np.bincount(labels * classes + predictions, minlength=classes * classes).reshape(classes, classes)


def _score(right: int, of: int) -> dict[str, float | None]:
    if of == 0:
        return {"right": 0, "of": 0, "accuracy": None, "low": None, "high": None}
    low, high = wilson_interval(right, of)
    return {"right": right, "of": of, "accuracy": right / of, "low": low, "high": high}


PROBE = Probe(
    id="confusion",
    title="Class by class",
    question="Which classes are answered rightly, and what are the others called?",
    caveat="A class has few unseen pictures, so its interval is wide: one class that lost a few points may be chance. "
    "Gold has favourites of its own, since it was trained from another seed.",
    measure=measure,
)
