"""The result of a repeated run, made up: four runs whose figures lie about those of the first."""

from collections.abc import Callable

import numpy as np

from unlearn_core.domain.results.course import CurvesResult, SeedRun, SeedsResult
from unlearn_core.domain.results.predictions import AccuracyResult


def seeds_of(
    accuracy: AccuracyResult, first: int, *, curves: Callable[[np.random.Generator], CurvesResult]
) -> SeedsResult:
    """A run that was made four times: its accuracies moved about, and curves."""
    rng = np.random.default_rng(first)
    runs: list[SeedRun] = []
    lines: list[CurvesResult] = []
    for place in range(4):
        moved = {
            model: {name: one.accuracy for name, one in sets.items() if one.total}
            for model, sets in accuracy.scores.items()
        }
        for name, value in moved["after"].items():
            moved["after"][name] = float(np.clip(value + rng.normal(0, 0.02), 0, 1))
        distance = {"before": 0.45, "after": float(rng.uniform(0.1, 0.2))} if "gold" in moved else None
        run = SeedRun(
            run=42 + first + place,
            seed=first + place,
            accuracy=moved,
            distance=distance,
            privacy=float(rng.uniform(0.5, 0.9)),
            seconds=float(rng.uniform(9, 11)),
        )
        runs.append(run)
        lines.append(curves(rng))
    return SeedsResult(
        runs=runs,
        steps={str(place): line.steps for place, line in enumerate(lines)},
        forget={str(place): line.forget for place, line in enumerate(lines)},
        retain={str(place): line.retain for place, line in enumerate(lines)},
    )
