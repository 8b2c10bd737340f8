"""A run made from several seeds: its figures seed by seed, and what they say about the mean over all seeds."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import stdtrit

from unlearn_core.charts.drawing.wording import SET_LABELS
from unlearn_core.domain.report import Report

SINGLE_SEED = "This was run from one seed. Repeat it from others to see how much the seed matters."
CONFIDENCE = 0.95


class SeedInterval(NamedTuple):
    """The mean over seeds, its 95 % t-interval, and the lowest and highest seed."""

    mean: float
    low: float
    high: float
    lowest: float
    highest: float


def t_interval(values: Sequence[float]) -> SeedInterval:
    """What several seeds say about the mean over all seeds (Student 1908): two values at least, on any scale.

    It takes the seeds for independent draws and their figures for roughly normal, which few seeds cannot show.
    """
    own = np.asarray(values, float)
    half = float(stdtrit(len(own) - 1, (1 + CONFIDENCE) / 2) * own.std(ddof=1) / np.sqrt(len(own)))
    mean = float(own.mean())
    return SeedInterval(mean, mean - half, mean + half, float(own.min()), float(own.max()))


def applies(report: Report) -> Literal[True] | str:
    """Whether the run was repeated."""
    return True if "seeds" in report.parts else report.missing.get("seeds", SINGLE_SEED)


def seed_runs(report: Report) -> list[dict[str, Any]]:
    """The figures of every seed, by seed."""
    return report.parts["seeds"].facts["runs"]


def seed_accuracies(report: Report, name: str) -> list[float]:
    """Every seed's accuracy after forgetting on a set; empty where the set has no pictures."""
    found = [own["accuracy"]["after"].get(name) for own in seed_runs(report)]
    return [] if any(value is None for value in found) else found


def metric_values(report: Report) -> dict[str, list[float]]:
    """Everything that every seed has measured, by what it is called."""
    found = {f"accuracy, {' '.join(words)}": seed_accuracies(report, name) for name, words in SET_LABELS.items()}
    others = {
        "distance to gold, bits": [(own["distance"] or {}).get("after") for own in seed_runs(report)],
        "privacy, 1 is like gold": [own["privacy"] for own in seed_runs(report)],
        "seconds to forget": [own["seconds"] for own in seed_runs(report)],
    }
    return {name: own for name, own in (found | others).items() if own and all(value is not None for value in own)}
