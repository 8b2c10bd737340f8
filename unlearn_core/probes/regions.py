"""Decision regions: which class a model predicts at every point of the plane, for data sets of points.

For such data the map shows everything that the model predicts. The confidence is the softmax probability of the
predicted class.
"""

from itertools import combinations

import numpy as np
import torch

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.explanations import RegionsResult
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import softmax
from unlearn_core.training import evaluate

GRID_SIZE = 64
"""Grid points per axis."""
MAX_POINTS = 400
"""At most this many points per side are stored for drawing."""


def measure(context: ProbeContext) -> RegionsResult | str:
    """Return prediction and confidence on a grid for each model, and some points to draw over them."""
    if not context.dataset.is_points:
        return f"{context.dataset.title} has images of many pixels: decision regions need a data set of points."
    grid = plane_grid(context.images.device)
    predictions: dict[str, np.ndarray] = {}
    confidences: dict[str, np.ndarray] = {}
    shares: dict[str, list[float]] = {}
    for model in (name for name in MODELS if name in context.models):
        probabilities = softmax(evaluate.logits(context.models[model], grid))
        predicted = probabilities.argmax(1)
        predictions[model] = predicted.reshape(GRID_SIZE, GRID_SIZE).astype(np.uint8)
        confidences[model] = probabilities.max(1).reshape(GRID_SIZE, GRID_SIZE).astype(np.float32)
        counts = np.bincount(predicted, minlength=len(context.dataset.classes))
        shares[model] = (counts / GRID_SIZE**2).tolist()
    agreement = {
        f"{one}-{other}": float((predictions[one] == predictions[other]).mean())
        for one, other in combinations(predictions, 2)
    }
    rows, forgotten = _points(context)
    return RegionsResult(
        grid=GRID_SIZE,
        shares=shares,
        agreement=agreement,
        points=context.images[torch.as_tensor(rows, device=context.images.device)][:, 0, 0, :2].cpu().numpy(),
        labels=context.labels[rows].astype(np.uint8),
        forgotten=forgotten,
        predictions=predictions,
        confidences=confidences,
    )


def plane_grid(device: torch.device) -> torch.Tensor:
    """Return the points of the grid as inputs (GRID_SIZE ** 2, 1, 1, 3) uint8, row by row from low y to high."""
    steps = np.round((np.arange(GRID_SIZE) + 0.5) * 255 / GRID_SIZE).astype(np.uint8)
    y, x = np.meshgrid(steps, steps, indexing="ij")
    points = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 1, 1, 3)
    return torch.as_tensor(points, device=device)


def _points(context: ProbeContext) -> tuple[np.ndarray, np.ndarray]:
    """Return test points per side, and whether they are forgotten; where single points are, the forget set itself."""
    split = context.split
    forget = split.forget_test if len(split.forget_test) else split.forget_train
    sides = [
        rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_POINTS)).round().astype(int)]
        for rows in (forget, split.retain_test)
    ]
    rows = np.concatenate(sides)
    return rows, (np.arange(len(rows)) < len(sides[0])).astype(np.uint8)


PROBE = Probe(
    id="regions",
    title="Decision regions",
    question="Which class does it predict at every point of the plane?",
    caveat="The map also covers regions without any data: predictions there were never trained, and two retrained "
    "models differ there too. What counts is where the points are.",
    measure=measure,
    needs_all_images=False,
    points_only=True,
)
