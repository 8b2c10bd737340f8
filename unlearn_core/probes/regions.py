"""Decision regions: which class a model predicts at every point of the plane, for data sets of points.

For such data the map shows everything that the model predicts. The confidence is the softmax probability of the
predicted class.
"""

from itertools import combinations
from typing import Any

import numpy as np
import torch

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.training import evaluate

GRID_SIZE = 64
"""Grid points per axis."""
MAX_POINTS = 400
"""At most this many points per side are stored for drawing."""


def measure(context: ProbeContext) -> ReportPart | str:
    """Return prediction and confidence on a grid for each model, and some points to draw over them.

    Arrays: per model the class (GRID_SIZE, GRID_SIZE) uint8, rows from low y to high, and "sure-MODEL", the softmax
    probability of that class; `points` (n, 2) in 0 to 255, `labels` and `forgotten` (n,). Facts: per model and class
    the share of the plane, and per pair of models the share with the same prediction.
    """
    if not context.dataset.is_points:
        return f"{context.dataset.title} has images of many pixels: decision regions need a data set of points."
    steps = np.round((np.arange(GRID_SIZE) + 0.5) * 255 / GRID_SIZE).astype(np.uint8)
    y, x = np.meshgrid(steps, steps, indexing="ij")
    points = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 1, 1, 3)
    grid = torch.from_numpy(points).to(context.images.device)
    arrays = _points(context)
    facts: dict[str, Any] = {"grid": GRID_SIZE, "plane": {}, "alike": {}}
    for model in (name for name in MODELS if name in context.models):
        logits = evaluate.logits(context.models[model], grid).astype(np.float64)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        predictions = logits.argmax(1)
        arrays[model] = predictions.reshape(GRID_SIZE, GRID_SIZE).astype(np.uint8)
        arrays[f"sure-{model}"] = shares.max(1).reshape(GRID_SIZE, GRID_SIZE).astype(np.float32)
        counts = np.bincount(predictions, minlength=len(context.dataset.classes))
        facts["plane"][model] = (counts / GRID_SIZE**2).tolist()
    for one, other in combinations(facts["plane"], 2):
        facts["alike"][f"{one}-{other}"] = float((arrays[one] == arrays[other]).mean())
    return ReportPart(facts, arrays)


def _points(context: ProbeContext) -> dict[str, np.ndarray]:
    """Return test points per side; where single points are forgotten, the forget set itself."""
    split = context.split
    forget = split.forget_test if len(split.forget_test) else split.forget_train
    sides = [
        rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_POINTS)).round().astype(int)]
        for rows in (forget, split.retain_test)
    ]
    rows = np.concatenate(sides)
    points = context.images[torch.from_numpy(rows).to(context.images.device)][:, 0, 0, :2].cpu().numpy()
    forgotten = (np.arange(len(rows)) < len(sides[0])).astype(np.uint8)
    return {"points": points, "labels": context.labels[rows].astype(np.uint8), "forgotten": forgotten}


PROBE = Probe(
    id="regions",
    title="Decision regions",
    question="Which class does it predict at every point of the plane?",
    caveat="The map also covers regions without any data: predictions there were never trained, and two retrained "
    "models differ there too. What counts is where the points are.",
    measure=measure,
    points_only=True,
)
