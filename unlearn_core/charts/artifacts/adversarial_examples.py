"""Adversarial examples of L2UL: the share of them predicted as their target class, before and after."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, build_table, list_axis, needs, panels, percent_axis
from unlearn_core.charts.drawing.dumbbell import connectors
from unlearn_core.charts.drawing.heatmap_overlay import upscale
from unlearn_core.charts.drawing.theme import Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.method_artifacts import AdversarialImages, AdversarialOriginals, AdversarialPredictions

MAX_ROWS = 12
"""With more targets than this, only those with the lowest shares get a row of their own."""
_ROW = 22
"""Height of a row in pixels."""
_GRAY = 127
"""The pixel value that stands for no change."""


class TargetRow(NamedTuple):
    """Adversarial images of one or several targets: their number, and the shares predicted as their target."""

    name: str
    images: int
    before: float
    after: float


class ImagePair(NamedTuple):
    """A forget image, the adversarial image made from it and their difference, side by side, with a caption."""

    image: np.ndarray
    caption: str


def target_rows(report: Report) -> list[TargetRow]:
    """Return a row for all adversarial images, then one per target in class order; the last may combine several."""
    predictions = report[AdversarialPredictions].classes.astype(int)
    every = _row("all", predictions)
    each = [_row(name, predictions[predictions[:, 1] == at]) for at, name in enumerate(report.dataset.classes)]
    each = [row for row in each if row.images]
    if len(each) <= MAX_ROWS:
        return [every, *each]
    worst = sorted(each, key=lambda row: row.after)[: MAX_ROWS - 1]
    rest = [report.dataset.classes.index(row.name) for row in each if row not in worst]
    shown = [row for row in each if row in worst]
    return [every, *shown, _row(f"{len(rest)} others", predictions[np.isin(predictions[:, 1], rest)])]


def _row(name: str, predictions: np.ndarray) -> TargetRow:
    """`predictions` (n, 4): true label, target, and the classes predicted before and after."""
    if not len(predictions):
        return TargetRow(name, 0, 0.0, 0.0)
    hits = predictions[:, 2:] == predictions[:, 1:2]
    return TargetRow(name, len(predictions), float(hits[:, 0].mean()), float(hits[:, 1].mean()))


def image_pairs(report: Report) -> list[ImagePair]:
    """Return the stored adversarial images, each between its original and what was changed, enlarged."""
    images, names = report[AdversarialImages], report.dataset.classes
    classes = report[AdversarialPredictions].classes[images.rows].tolist()
    sides = (report[AdversarialOriginals].pixels, images.pixels, amplified_changes(report))
    found = []
    for *parts, (label, target, before, after) in zip(*sides, classes, strict=True):
        missed = "" if before == target else f" (target: {names[target]})"
        words = f"{names[label]}, attacked: {names[before]}{missed}, after unlearning: {names[after]}"
        found.append(ImagePair(_side_by_side(parts), words))
    return found


def change_gain(report: Report) -> float:
    """Return by how much changes are amplified: the largest change of a pixel value just fits on its side of grey."""
    shift = report[AdversarialImages].pixels.astype(int) - report[AdversarialOriginals].pixels
    return _GRAY / max(1, int(np.abs(shift).max()))


def amplified_changes(report: Report) -> np.ndarray:
    """Return adversarial minus original image (n, H, W, 3) uint8, amplified; grey is no change."""
    shift = report[AdversarialImages].pixels.astype(int) - report[AdversarialOriginals].pixels
    return (_GRAY + change_gain(report) * shift).round().astype(np.uint8)


def _side_by_side(images: Sequence[np.ndarray], gap: int = 8) -> np.ndarray:
    """Return enlarged images with transparent gaps between them: (H, W, 4) uint8."""
    first, *others = (np.dstack([part, np.full(part.shape[:2], 255, np.uint8)]) for part in map(upscale, images))
    space = np.zeros((len(first), gap, 4), np.uint8)
    return np.hstack([first, *(part for other in others for part in (space, other))])


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per target: images, and the shares predicted as the target."""
    return build_table(
        reports,
        lambda report: [
            {"target": row.name, "images": row.images, "before": row.before, "after": row.after}
            for row in target_rows(report)
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw dumbbells: one row per target, before hollow and after filled."""
    found = [target_rows(report) for report in reports]
    names = list(dict.fromkeys(row.name for each in found for row in each))
    drawn = panels(reports, theme, height=90 + _ROW * len(names))
    for column, each in enumerate(found, 1):
        drawn.add_traces(_traces(each, names, theme), rows=1, cols=column)
    drawn.update_yaxes(**list_axis(["<b>all</b>" if name == "all" else name for name in names], theme))
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.03, 1.03, max_ticks=3 if len(reports) > 1 else 6))
    drawn.update_xaxes(title_text="predicted as their target", row=1)
    return drawn


def _traces(each: Sequence[TargetRow], names: Sequence[str], theme: Theme) -> list[go.Scatter]:
    heights = [names.index(row.name) for row in each]
    rods = connectors([(row.before, row.after, at) for row, at in zip(each, heights, strict=True)], theme)
    rods.update(line={"color": with_alpha(theme.before, 0.5), "width": 3})
    dots = [
        go.Scatter(
            name=model,
            x=[getattr(row, model) for row in each],
            y=heights,
            mode="markers",
            marker=marker_style(theme, model, 9),
            customdata=[[row.name, f"{row.images:,}"] for row in each],
            hovertemplate=f"<b>%{{customdata[0]}}</b>, {model}<br>%{{x:.1%}} of %{{customdata[1]}} images"
            "<extra></extra>",
            cliponaxis=False,
        )
        for model in ("before", "after")
    ]
    return [rods, *dots]


def summary(report: Report) -> str:
    """Describe how often the attack succeeded, the size of the perturbations, and how much of it remains."""
    every, attack = target_rows(report)[0], report[AdversarialPredictions]
    distance = f"{number(attack.mean_distance, 2)} of at most {attack.radius:g} away from the original image"
    said = (
        f"{percent(every.before)} of {every.images:,} adversarial images deceived the original model, each {distance}"
    )
    if every.before < 0.5:
        said += ", so the guard trained on many labels that the model had not predicted"
    result = "the decision boundary held" if every.after > every.before - 0.05 else "the decision boundary moved"
    return f"{said}. After unlearning, {percent(every.after)} are predicted as their target: {result}."


def alt_text(report: Report) -> str:
    """List both shares of every target."""
    parts = [f"{row.name}: {percent(row.before)} before, {percent(row.after)} after" for row in target_rows(report)]
    return f"Dumbbell chart of the share of adversarial images predicted as their target. {'; '.join(parts)}."


CHART = Chart(
    id="adversarials",
    title="Predictions on adversarial examples",
    question="Does the decision boundary hold?",
    caveat="An adversarial image is a forget image, changed until the original model predicted another class; the "
    "method trained on it with that class as its label. It replaces retained images, which the method does not use, "
    "so it says little about the accuracy on those: look at the retain accuracy. Images for which the attack failed "
    "are used all the same.",
    applies=needs(
        AdversarialPredictions,
        otherwise="This run made no adversarial images: only L2UL does, if its guard uses them.",
    ),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="How it went",
    order=60,
    optional=True,
    is_compared=False,
)
