"""The comparison of several runs: settings that differ, summary metrics side by side, and accuracy differences."""

from collections.abc import Mapping, Sequence
from functools import partial
from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from unlearn_core.charts.chart import report_labels
from unlearn_core.charts.drawing.wording import MODEL_LABELS, SET_LABELS, percent
from unlearn_core.charts.text.card import interval, signed
from unlearn_core.charts.text.forget_card import forget_card
from unlearn_core.charts.text.retain_card import retain_card
from unlearn_core.charts.text.score_words import SCORES
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.split import set_label
from unlearn_core.domain.verdicts.paired_comparison import MARGIN, Comparison, compare, compare_samples
from unlearn_core.domain.verdicts.report_verdicts import correct_predictions, is_judged
from unlearn_core.domain.verdicts.rule import Relation, relations

MISSING = "–"
RELATION_WORDS: Mapping[Relation, str] = {
    "equal": f"equal within {100 * MARGIN:.0f} points",
    "lost": f"lower by more than {100 * MARGIN:.0f} points",
    "lower": "lower by more than chance explains",
    "higher": "higher by more than chance explains",
    "unclear": "which may be chance",
}
"""What the rule says of a difference of accuracies."""


def mismatch_warning(reports: Sequence[Report]) -> str:
    """Return why these runs cannot be compared directly; "" where they can."""
    first = reports[0].spec.request
    if any(one.spec.request.dataset != first.dataset for one in reports):
        return "These runs use different data sets: their accuracies are on different images and cannot be ranked."
    if any(one.spec.request.classifier != first.classifier for one in reports):
        return "These runs started from different classifiers: compare each only with its own retrained model."
    if any(one.spec.request.forget != first.forget for one in reports):
        return "These runs have different forget sets: one may be harder to forget than another, whatever the method."
    if any(one.spec.start != reports[0].spec.start for one in reports):
        return "Some of these runs started from an earlier run and some from the classifier itself."
    return ""


def differing_settings(
    reports: Sequence[Report], titles: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, list[str]]]:
    """Return the settings that differ, each with one value per run; `titles` has every method's hyperparameter titles.

    Hyperparameters are matched by title, so the learning rates of two methods share a row. A method without one has a
    dash in its row.
    """
    rows: dict[str, list[str]] = {
        "Method": [one.method for one in reports],
        "Forget set": [one.forget_set_title for one in reports],
        "Classifier": [one.classifier.title for one in reports],
        "Seed": [str(one.spec.seed) for one in reports],
        "Started from": ["the classifier" if one.spec.start is None else f"run {one.spec.start}" for one in reports],
    }
    params = [
        {titles[one.spec.method].get(name, name): _format_value(value) for name, value in one.params.items()}
        for one in reports
    ]
    for title in dict.fromkeys(title for own in params for title in own):
        rows[title] = [own.get(title, MISSING) for own in params]
    return [(title, values) for title, values in rows.items() if len(set(values)) > 1]


def metrics_table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per metric and one column per run: the accuracies of all models, and other metrics."""
    rows: list[dict[str, str]] = []
    readers = {
        **_VERDICTS,
        **{set_label(name): partial(_accuracies, name=name) for name in SET_LABELS},
        **SCORES,
        **_OTHERS,
    }
    for title, read in readers.items():
        cells = [read(one) or MISSING for one in reports]
        if any(cell != MISSING for cell in cells):
            rows.append({"metric": title} | dict(zip(report_labels(reports), cells, strict=True)))
    return pd.DataFrame(rows)


def summary(first: Report, other: Report) -> str:
    """Describe the second run's accuracies after unlearning minus the first's, with intervals, and what they show.

    What the test images of the retain set show is said by `ranking_words`, which adjusts for all runs.
    """
    if first.spec.request.dataset != other.spec.request.dataset:
        return "different data set, so no difference is computed."
    found = accuracy_differences(first, other)
    parts = []
    for name in SET_LABELS:
        if name in found:
            one, relation = found[name]
            shown = "" if name == "retain_test" else f", {RELATION_WORDS[relation]}"
            parts.append(f"{set_label(name)}: {interval(one)}{shown}")
        elif (gap := difference_of_samples(first, other, name)) is not None:
            low, middle, high = (signed(100 * value) for value in gap)
            parts.append(f"{set_label(name)}: {middle} points ({low} to {high}), on different images")
    return ("; ".join(parts) or "the two runs have no set of images in common") + "."


def accuracy_differences(first: Report, other: Report) -> dict[str, tuple[Comparison, Relation]]:
    """Compare the second run's unlearned model with the first's on every set that both have, and on the same images.

    The p-values are adjusted for the number of sets.
    """
    if not (is_judged(first) and is_judged(other)):
        return {}
    compared: dict[str, Comparison] = {}
    for name in SET_LABELS:
        rows = [getattr(one.split, name) for one in (first, other)]
        if _is_evaluated(first, name) and _is_evaluated(other, name) and np.array_equal(*rows):
            compared[name] = compare(
                correct_predictions(other, "after", rows[1]), correct_predictions(first, "after", rows[0])
            )
    return dict(zip(compared, zip(compared.values(), relations(list(compared.values())), strict=True), strict=True))


def difference_of_samples(first: Report, other: Report, name: str) -> tuple[float, float, float] | None:
    """Return the second run's accuracy minus the first's on a set of other images, between the ends of its interval.

    Fractions, and a 90 % interval of two independent samples (Agresti & Caffo 2000); None without images or outputs.
    """
    if not all(is_judged(one) and _is_evaluated(one, name) for one in (first, other)):
        return None
    ours, theirs = (correct_predictions(one, "after", getattr(one.split, name)) for one in (first, other))
    found = compare_samples(theirs, ours)
    return found.low, found.difference, found.high


def _is_evaluated(report: Report, name: str) -> bool:
    """Whether a set has images, and the unlearned model's outputs on all of them are there: shipped runs lack some."""
    rows = getattr(report.split, name)
    return len(rows) > 0 and report.evaluations["after"].covers(rows)


def _accuracies(report: Report, *, name: str) -> str:
    """Format the accuracies on a set: "90.5 → 0.0 % (0.0–0.4) · retrained 0.0 %"."""
    result = report.get(AccuracyResult)
    before, after, gold = (result.scores.get(model, {}).get(name) if result else None for model in MODELS)
    if not before or not after or not after.total:
        return MISSING
    beside = f" · {MODEL_LABELS['gold']} {percent(gold.accuracy)}" if gold else " · not retrained"
    interval = f"({100 * after.low:.1f}–{100 * after.high:.1f})"
    return f"{100 * before.accuracy:.1f} → {percent(after.accuracy)} {interval}{beside}"


def _distance(report: Report) -> str:
    result = report.get(DistanceResult)
    overall = result.overall.get("test") if result else None
    return f"{overall.after:.3f} bits" if overall and not isnan(overall.after) else MISSING


def _privacy(report: Report) -> str:
    result = report.get(MembershipResult)
    return f"{result.privacy['after']:.2f}" if result and result.privacy else MISSING


def _seconds(report: Report) -> str:
    timings = report.get(TimingsResult)
    return f"{timings.seconds.forget:.1f} s on {timings.device}" if timings else MISSING


def _format_value(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


_VERDICTS = {
    "verdict on the forget set": lambda report: forget_card(report).title,
    "verdict on the retain set": lambda report: retain_card(report).title,
}
_OTHERS = {
    "distance to retrained model, after": _distance,
    "privacy, after (1 is like retrained)": _privacy,
    "unlearning time": _seconds,
}
