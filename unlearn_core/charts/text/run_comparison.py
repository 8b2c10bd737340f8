"""What two to four runs have in common and what not: their settings, and their figures beside one another."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from unlearn_core.charts.chart import report_names
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import MODELS, Report

SET_LABELS = {
    "forget_train": "forgotten, trained on",
    "forget_test": "forgotten, unseen",
    "retain_train": "kept, trained on",
    "retain_test": "kept, unseen",
}
MISSING = "–"
Z_95 = 1.96
"""Standard errors on either side of a difference, for an interval of 95 %."""


def mismatch_warning(reports: Sequence[Report]) -> str:
    """Why these runs answer different questions; "" where they do not."""
    first = reports[0].spec.request
    if any(one.spec.request.dataset != first.dataset for one in reports):
        return (
            "These runs are on different data sets: their accuracies are of different pictures, and cannot be ranked."
        )
    if any(one.spec.request.classifier != first.classifier for one in reports):
        return "These runs began from different classifiers: compare each with its own gold, not with the others."
    if any(one.spec.request.forget != first.forget for one in reports):
        return "These runs forgot different things: what is easy for one may be hard for another, whatever the method."
    if any(one.spec.start != reports[0].spec.start for one in reports):
        return "Some of these runs began from an earlier run and some from the classifier itself."
    return ""


def differing_settings(
    reports: Sequence[Report], titles: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, list[str]]]:
    """What differs between the runs, each with one value a run; `titles` names the knobs of every method.

    Knobs are compared by what they are called, so that two methods' learning rates stand in one row; what only some
    of the methods have is left out, as there is nothing to hold it against.
    """
    rows: dict[str, list[str]] = {
        "Method": [one.method for one in reports],
        "Forgotten": [one.forget_set_title for one in reports],
        "Classifier": [one.classifier.title for one in reports],
        "Seed": [str(one.spec.seed) for one in reports],
        "Begun from": ["the classifier" if one.spec.start is None else f"run {one.spec.start}" for one in reports],
    }
    knobs = [
        {titles[one.spec.method].get(name, name): _format_value(value) for name, value in one.spec.params.items()}
        for one in reports
    ]
    for title in (title for title in knobs[0] if all(title in own for own in knobs)):
        rows[title] = [own[title] for own in knobs]
    return [(title, values) for title, values in rows.items() if len(set(values)) > 1]


def metrics_table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a measure, one column a run: accuracies before, after with its 95 % interval, and of gold, and others."""
    rows: list[dict[str, str]] = []
    readers = {title: partial(_accuracies, name=name) for name, title in SET_LABELS.items()} | _OTHERS
    for title, read in readers.items():
        cells = [read(one) for one in reports]
        if any(cell != MISSING for cell in cells):
            rows.append({"what": title} | dict(zip(report_names(reports), cells, strict=True)))
    return pd.DataFrame(rows)


def summary(first: Report, other: Report) -> str:
    """How far the second run's accuracies after forgetting are from the first's, with intervals."""
    if first.spec.request.dataset != other.spec.request.dataset:
        return "on another data set, so no difference is computed."
    parts = []
    for name, title in SET_LABELS.items():
        found = accuracy_difference(first, other, name)
        if found is not None:
            gap, half = (100 * value for value in found)
            parts.append(f"{title} {'+' if gap > 0 else ''}{number(gap)} ± {number(half)} points")
    return ("; ".join(parts) or "no set of pictures is common to both") + "."


def accuracy_difference(first: Report, other: Report, name: str) -> tuple[float, float] | None:
    """The second run's accuracy after forgetting less the first's on a set, and half of its 95 % interval (fractions).

    Where both are asked the same pictures the two nets are compared picture by picture, which is narrower than two
    independent samples. Two made-up pictures, one right and one wrong, are added to each side for the interval alone:
    without them two nets that are never wrong would differ by nothing with certainty, however few pictures were asked
    (Agresti & Min 2005 for pairs; Agresti & Caffo 2000 for independent samples).
    """
    rows = [getattr(one.split, name) for one in (first, other)]
    if not len(rows[0]) or not len(rows[1]):
        return None
    ours, theirs = (_correct(one, own) for one, own in zip((first, other), rows, strict=True))
    gap = float(theirs.mean() - ours.mean())
    if np.array_equal(*rows):
        changed, count = theirs - ours, len(ours) + 2
        # Half a picture more in each of the four cells of the table of right and wrong.
        spread = (changed != 0).sum() + 1 - changed.sum() ** 2 / count
        return gap, Z_95 * float(np.sqrt(spread)) / count
    shares = [((own.sum() + 1) / (len(own) + 2), len(own) + 2) for own in (ours, theirs)]
    return gap, Z_95 * float(np.sqrt(sum(share * (1 - share) / count for share, count in shares)))


def _correct(report: Report, rows: np.ndarray) -> np.ndarray:
    answers = report.evaluations["after"].logits[rows].argmax(1)
    return (answers == report.labels[rows]).astype(float)


def _accuracies(report: Report, *, name: str) -> str:
    """The three models' accuracies on a set: "90.5 → 0.0 % (0.0–0.4) · gold 0.0 %"."""
    facts = report.parts["accuracy"].facts if "accuracy" in report.parts else {}
    before, after, gold = (facts.get(model, {}).get(name) for model in MODELS)
    if not after or after["accuracy"] is None:
        return MISSING
    beside = f" · gold {percent(gold['accuracy'])}" if gold else " · no gold"
    interval = f"({100 * after['low']:.1f}–{100 * after['high']:.1f})"
    return f"{100 * before['accuracy']:.1f} → {percent(after['accuracy'])} {interval}{beside}"


def _distance(report: Report) -> str:
    known = report.parts["distance"].facts["distance"].get("test") if "distance" in report.parts else None
    return f"{known['after']:.3f} bits" if known and known["after"] is not None else MISSING


def _privacy(report: Report) -> str:
    known = report.parts["membership"].facts.get("privacy", {}) if "membership" in report.parts else {}
    return f"{known['after']:.2f}" if "after" in known else MISSING


def _seconds(report: Report) -> str:
    known = report.parts["timings"].facts if "timings" in report.parts else None
    return f"{known['seconds']['forget']:.1f} s on {known['device']}" if known else MISSING


def _format_value(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


_OTHERS = {
    "distance to gold, after": _distance,
    "privacy after, 1 is like gold": _privacy,
    "time to forget": _seconds,
}
