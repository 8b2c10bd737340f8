"""What two to four runs have in common and what not: their settings, and their figures beside one another."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from unlearn_core.charts.chart import names
from unlearn_core.charts.words import number, percent
from unlearn_core.domain.report import MODELS, Report

SETS = {
    "forget_train": "forgotten, trained on",
    "forget_test": "forgotten, unseen",
    "retain_train": "kept, trained on",
    "retain_test": "kept, unseen",
}
ABSENT = "–"
SURE = 1.96
"""Standard errors on either side of a difference, for an interval of 95 %."""


def warning(reports: Sequence[Report]) -> str:
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


def settings(reports: Sequence[Report], titles: Mapping[str, Mapping[str, str]]) -> list[tuple[str, list[str]]]:
    """What differs between the runs, each with one value a run; `titles` names the knobs of every method.

    Knobs of methods are compared by what they are called, so that two methods' learning rates stand in one row.
    """
    rows: dict[str, list[str]] = {
        "Method": [one.method for one in reports],
        "Forgotten": [one.forgotten for one in reports],
        "Classifier": [one.classifier.title for one in reports],
        "Seed": [str(one.spec.seed) for one in reports],
        "Begun from": ["the classifier" if one.spec.start is None else f"run {one.spec.start}" for one in reports],
    }
    knobs = [
        {titles[one.spec.method].get(name, name): _said(value) for name, value in one.spec.params.items()}
        for one in reports
    ]
    for title in dict.fromkeys(title for own in knobs for title in own):
        rows[title] = [own.get(title, ABSENT) for own in knobs]
    return [(title, values) for title, values in rows.items() if len(set(values)) > 1]


def figures(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a measure and model, one column a run; accuracies with their 95 % intervals."""
    rows: list[dict[str, str]] = []
    for name, title in SETS.items():
        for model in MODELS:
            cells = [_accuracy(one, model, name) for one in reports]
            if any(cell != ABSENT for cell in cells):
                rows.append({"what": title, "model": model} | dict(zip(names(reports), cells, strict=True)))
    for title, read in _OTHERS.items():
        cells = [read(one) for one in reports]
        if any(cell != ABSENT for cell in cells):
            rows.append({"what": title, "model": "after"} | dict(zip(names(reports), cells, strict=True)))
    return pd.DataFrame(rows)


def sentence(first: Report, other: Report) -> str:
    """How far the second run's accuracies after forgetting are from the first's, with intervals."""
    if first.spec.request.dataset != other.spec.request.dataset:
        return "on another data set, so no difference is computed."
    parts = []
    for name, title in SETS.items():
        found = difference(first, other, name)
        if found is not None:
            gap, half = (100 * value for value in found)
            parts.append(f"{title} {'+' if gap > 0 else ''}{number(gap)} ± {number(half)} points")
    said = "; ".join(parts) or "no set of pictures is common to both"
    return f"{said}. In front the difference, behind ± its 95 % interval, picture by picture where both saw the same."


def difference(first: Report, other: Report, name: str) -> tuple[float, float] | None:
    """The second run's accuracy after forgetting less the first's on a set, and half of its 95 % interval (fractions).

    Where both are asked the same pictures the two nets are compared picture by picture (the interval of paired
    proportions), which is narrower than that of two independent samples.
    """
    rows = [getattr(one.split, name) for one in (first, other)]
    if not len(rows[0]) or not len(rows[1]):
        return None
    right = [_right(one, own) for one, own in zip((first, other), rows, strict=True)]
    gap = float(right[1].mean() - right[0].mean())
    if np.array_equal(rows[0], rows[1]):
        return gap, SURE * float((right[1] - right[0]).std() / np.sqrt(len(rows[0])))
    return gap, SURE * float(np.sqrt(sum(own.var() / len(own) for own in right)))


def _right(report: Report, rows: np.ndarray) -> np.ndarray:
    answers = report.evaluations["after"].logits[rows].argmax(1)
    return (answers == report.labels[rows]).astype(float)


def _accuracy(report: Report, model: str, name: str) -> str:
    score = report.parts["accuracy"].facts.get(model, {}).get(name) if "accuracy" in report.parts else None
    if not score or score["accuracy"] is None:
        return ABSENT
    return f"{percent(score['accuracy'])} ({100 * score['low']:.1f}–{100 * score['high']:.1f})"


def _distance(report: Report) -> str:
    known = report.parts["distance"].facts["distance"].get("test") if "distance" in report.parts else None
    return f"{known['after']:.3f} bits" if known and known["after"] is not None else ABSENT


def _privacy(report: Report) -> str:
    known = report.parts["membership"].facts.get("privacy", {}) if "membership" in report.parts else {}
    return f"{known['after']:.2f}" if "after" in known else ABSENT


def _seconds(report: Report) -> str:
    known = report.parts["timings"].facts if "timings" in report.parts else None
    return f"{known['seconds']['forget']:.1f} s on {known['device']}" if known else ABSENT


def _said(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


_OTHERS = {
    "distance to gold": _distance,
    "privacy, 1 is like gold": _privacy,
    "time to forget": _seconds,
}
