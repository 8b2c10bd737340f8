"""Reports whose models classify chosen images correctly, so that a test can say what the comparison will find."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from unlearn_core.domain.report import Evaluation, Report


def with_correct(report: Report, **models: Mapping[str, np.ndarray]) -> Report:
    """The report in which each model classifies these images of each set correctly: set name -> (n,) bool."""
    found = dict(report.evaluations)
    for model, sets in models.items():
        if model not in found:
            continue
        logits = found[model].logits.copy()
        for name, correct in sets.items():
            rows = getattr(report.split, name)[: len(correct)]
            labels = report.labels[rows]
            logits[rows] = np.eye(10, dtype=np.float32)[np.where(correct, labels, (labels + 1) % 10)] * 9
        found[model] = Evaluation(f"{model}-chosen", report.dataset.id, logits)
    return replace(report, evaluations=found)


def first(correct: int, of: int) -> np.ndarray:
    """The first `correct` of so many images: two models then disagree on as few as possible."""
    return np.arange(of) < correct


def apart(correct: int, of: int, lost: int) -> np.ndarray:
    """So many correct images that `lost` of the first ones are not among them."""
    return (np.arange(of) >= lost) & (np.arange(of) < correct + lost)


def with_images(report: Report, **counts: int) -> Report:
    """The report with only so many images in each of these sets."""
    return replace(
        report,
        split=report.split._replace(**{name: getattr(report.split, name)[:count] for name, count in counts.items()}),
    )
