"""Which answer each place of the plane gets, for data whose pictures are points: the whole of what a net says."""

from itertools import combinations
from typing import Any

import numpy as np
import torch

from unlearn_core.domain.measurement import Probe, ReportPart
from unlearn_core.domain.report import MODELS
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.training import evaluate

GRID_SIZE = 64
"""Places along either axis."""
MAX_POINTS = 400
"""At most so many points of either side are kept to be drawn."""


def measure(context: ProbeContext) -> ReportPart | str:
    """The answer and its certainty on a grid of places for each model, and some points to draw over them.

    Arrays: by model the class (GRID, GRID) uint8, rows from low y to high, and "sure-MODEL" the softmax share of that
    class; `points` (n, 2) in 0 to 255, `labels` and `forgotten` (n,). Facts: of each class the share of the plane, and
    on what share any two models give the same answer.
    """
    if not context.dataset.is_points:
        return f"{context.dataset.title} has pictures of many pixels: no map shows all that a net says about such."
    steps = np.round((np.arange(GRID_SIZE) + 0.5) * 255 / GRID_SIZE).astype(np.uint8)
    y, x = np.meshgrid(steps, steps, indexing="ij")
    places = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 1, 1, 3)
    pictures = torch.from_numpy(places).to(context.images.device)
    arrays = _points(context)
    facts: dict[str, Any] = {"grid": GRID_SIZE, "plane": {}, "alike": {}}
    for model in (name for name in MODELS if name in context.models):
        logits = evaluate.logits(context.models[model], pictures).astype(np.float64)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        answers = logits.argmax(1)
        arrays[model] = answers.reshape(GRID_SIZE, GRID_SIZE).astype(np.uint8)
        arrays[f"sure-{model}"] = shares.max(1).reshape(GRID_SIZE, GRID_SIZE).astype(np.float32)
        counts = np.bincount(answers, minlength=len(context.dataset.classes))
        facts["plane"][model] = (counts / GRID_SIZE**2).tolist()
    for one, other in combinations(facts["plane"], 2):
        facts["alike"][f"{one}-{other}"] = float((arrays[one] == arrays[other]).mean())
    return ReportPart(facts, arrays)


def _points(context: ProbeContext) -> dict[str, np.ndarray]:
    """Unseen points of either side; where single ones are forgotten, those themselves."""
    split = context.split
    gone = split.forget_test if len(split.forget_test) else split.forget_train
    sides = [
        rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_POINTS)).round().astype(int)]
        for rows in (gone, split.retain_test)
    ]
    rows = np.concatenate(sides)
    places = context.images[torch.from_numpy(rows).to(context.images.device)][:, 0, 0, :2].cpu().numpy()
    forgotten = (np.arange(len(rows)) < len(sides[0])).astype(np.uint8)
    return {"points": places, "labels": context.labels[rows].astype(np.uint8), "forgotten": forgotten}


PROBE = Probe(
    id="regions",
    title="The map of answers",
    question="What does it answer at every place of the plane?",
    caveat="The map also shows places where no point of the data lies: there any answer is a guess that training never "
    "checked, and two golds differ there too. What counts is where the points are.",
    measure=measure,
    points_only=True,
)
