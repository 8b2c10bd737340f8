"""Statistics over the seeds of a repeated run: its metrics per seed, and t-intervals of their mean."""

from collections.abc import Sequence
from math import isnan
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import stdtrit

from unlearn_core.charts.chart import needs
from unlearn_core.charts.drawing.wording import SET_LABELS
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import SeedRun, SeedsResult
from unlearn_core.domain.split import set_label

SINGLE_SEED = "This run used a single seed. Repeat it with other seeds to see how much the seed matters."
CONFIDENCE = 0.95


class SeedInterval(NamedTuple):
    """The mean over seeds, its 95 % t-interval, and the lowest and highest seed."""

    mean: float
    low: float
    high: float
    lowest: float
    highest: float


def t_interval(values: Sequence[float]) -> SeedInterval:
    """The t-interval of the mean over seeds (Student 1908): at least two values, on any scale.

    It assumes independent seeds with roughly normal values, which a few seeds cannot confirm.
    """
    own = np.asarray(values, float)
    half = float(stdtrit(len(own) - 1, (1 + CONFIDENCE) / 2) * own.std(ddof=1) / np.sqrt(len(own)))
    mean = float(own.mean())
    return SeedInterval(mean, mean - half, mean + half, float(own.min()), float(own.max()))


def applies(report: Report) -> Literal[True] | str:
    """True if the run was repeated, else the reason."""
    return needs(SeedsResult, otherwise=SINGLE_SEED)(report)


def seed_runs(report: Report) -> Sequence[SeedRun]:
    """The metrics of every seed."""
    return report[SeedsResult].runs


def seed_accuracies(report: Report, name: str) -> list[float]:
    """Every seed's accuracy after forgetting on a set; empty where the set has no images."""
    found = [own.accuracy["after"].get(name) for own in seed_runs(report)]
    return _known_by_all(found)


def metric_values(report: Report) -> dict[str, list[float]]:
    """All values that every seed has, by the label of the metric."""
    found = {f"accuracy, {set_label(name)}": seed_accuracies(report, name) for name in SET_LABELS}
    others = {
        "distance to retrained, bits": [(own.distance or {}).get("after") for own in seed_runs(report)],
        "privacy (1: like retrained)": [own.privacy for own in seed_runs(report)],
        "seconds to forget": [own.seconds for own in seed_runs(report)],
    }
    return {name: known for name, own in (found | others).items() if (known := _known_by_all(own))}


def _known_by_all(values: Sequence[float | None]) -> list[float]:
    """The values, if every seed has one; else none."""
    known = [value for value in values if value is not None and not isnan(value)]
    return known if len(known) == len(values) else []
