"""The part "seeds", made up: four runs whose figures lie about those of the first."""

from collections.abc import Callable
from typing import Any

import numpy as np

from unlearn_core.domain.results.result import ReportPart


def seeds_of(accuracy: ReportPart, first: int, *, curves: Callable[[np.random.Generator], ReportPart]) -> ReportPart:
    """The part of a run that was made four times: the figures of its part "accuracy" moved about, and curves."""
    rng = np.random.default_rng(first)
    facts: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for place in range(4):
        moved = {model: {name: one["accuracy"] for name, one in sets.items()} for model, sets in accuracy.facts.items()}
        for name, value in moved["after"].items():
            if value is not None:
                moved["after"][name] = float(np.clip(value + rng.normal(0, 0.02), 0, 1))
        distance = {"before": 0.45, "after": float(rng.uniform(0.1, 0.2))} if "gold" in moved else None
        own = {"run": 42 + first + place, "seed": first + place, "accuracy": moved, "distance": distance}
        facts.append(own | {"privacy": float(rng.uniform(0.5, 0.9)), "seconds": float(rng.uniform(9, 11))})
        curve = curves(rng).arrays
        arrays |= {f"{name}_{place}": curve[name] for name in ("step", "forget", "retain")}
    return ReportPart({"runs": facts}, arrays)
