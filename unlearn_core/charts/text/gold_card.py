"""The card on similarity to the retrained model: are forget images classified as it classifies them?

It is the share of forget images for which after and gold predict the same class, and the total variation distance
between their distributions of predictions. The reference is what hiding would give: the model before with the outputs
of the forgotten classes removed (for single images, the model before as it is); two models from different seeds agree
no more than that, whatever they forgot. Good: at most SLIGHT worse than hiding in both. Middling: at most FAR. The
distance to gold is shown next to it, with that between two golds where there are two.
"""

from math import isnan

import numpy as np

from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.wording import (
    eval_forget_set,
    forget_set_label,
    forgotten_classes,
    is_class_request,
    percent,
)
from unlearn_core.charts.text.card import Tone, Verdict
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import DistanceResult

SLIGHT, FAR = 0.05, 0.2


def gold_card(report: Report) -> Verdict:
    """Judge whether it classifies forget images as the retrained model does."""
    if not {"before", "after", "gold"} <= report.evaluations.keys():
        reason = report.missing.get("gold", NO_GOLD)
        return Verdict("not retrained yet", "unknown", reason)
    rows = getattr(report.split, eval_forget_set(report))
    logits = {model: report.evaluations[model].logits[rows].astype(float) for model in ("before", "after", "gold")}
    if is_class_request(report):
        logits["before"][:, forgotten_classes(report)] = -np.inf
    gold = logits["gold"].argmax(1)
    same, variation = _similarity(logits["after"].argmax(1), gold)
    hidden_same, hidden_variation = _similarity(logits["before"].argmax(1), gold)
    worse = max(hidden_same - same, variation - hidden_variation)
    tone: Tone = "good" if worse <= SLIGHT else "middling" if worse <= FAR else "bad"
    titles = {"good": "like retrained", "middling": "somewhat like retrained", "bad": "unlike retrained"}
    baseline = "Blocking that output" if is_class_request(report) else "The original model"
    return Verdict(
        titles[tone],
        tone,
        f"It agrees with the retrained model on {percent(same)} of {len(rows):,} {forget_set_label(report)}. "
        f"{baseline} would reach {percent(hidden_same)}. The distributions of predictions differ by {variation:.2f}."
        f"{_distance(report)}",
    )


def _distance(report: Report) -> str:
    """Describe the distance to gold, with that between two golds where there are two."""
    result = report.get(DistanceResult)
    if result is None:
        return ""
    overall = result.overall.get("test")
    if overall is None:
        return ""
    unknown = isnan(overall.between_golds)
    spread = "spread unknown: only one" if unknown else f"two retrained models: {overall.between_golds:.3f}"
    return f" Distance to the retrained model: {overall.before:.3f} → {overall.after:.3f} bits ({spread})."


def _similarity(given: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """Return the share of equal predictions, and the total variation distance between their distributions."""
    most = int(max(given.max(), gold.max())) + 1
    apart = np.bincount(given, minlength=most) - np.bincount(gold, minlength=most)
    return float((given == gold).mean()), float(np.abs(apart).sum()) / (2 * len(gold))
