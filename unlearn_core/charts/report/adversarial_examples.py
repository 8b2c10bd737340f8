"""Do the adversarial pictures hold the borders? How often both nets call them what the attack meant them to be."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, build_table, panels, percent_axis
from unlearn_core.charts.drawing.heatmap_overlay import upscale
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import Report

MAX_ROWS = 12
"""Beyond so many targets only those that were held worst get a row of their own."""
_ROW = 22
"""Pixels a row."""


class TargetRow(NamedTuple):
    """Adversarial pictures of one target or several: how many, and the shares that each net calls by their target."""

    name: str
    images: int
    before: float
    after: float


class ImagePair(NamedTuple):
    """A forgotten picture and beside it the adversarial one made from it, as one image, with words on both."""

    image: np.ndarray
    caption: str


def applies(report: Report) -> Literal[True] | str:
    """Only methods that attack forgotten pictures keep what came of it."""
    extras = report.parts.get("extras")
    if extras is not None and "adversarial_answers" in extras.arrays:
        return True
    return "This run made no adversarial pictures: only L2UL does, where its guard uses them."


def target_rows(report: Report) -> list[TargetRow]:
    """All adversarial pictures, then a row a target in the data set's order; the last may stand for several."""
    answers = report.parts["extras"].arrays["adversarial_answers"].astype(int)
    every = _row("all", answers)
    each = [_row(name, answers[answers[:, 1] == at]) for at, name in enumerate(report.dataset.classes)]
    each = [row for row in each if row.images]
    if len(each) <= MAX_ROWS:
        return [every, *each]
    worst = sorted(each, key=lambda row: row.after)[: MAX_ROWS - 1]
    rest = [report.dataset.classes.index(row.name) for row in each if row not in worst]
    shown = [row for row in each if row in worst]
    return [every, *shown, _row(f"{len(rest)} others", answers[np.isin(answers[:, 1], rest)])]


def _row(name: str, predictions: np.ndarray) -> TargetRow:
    """`answers` (n, 4): true label, target, and what the nets before and after call the picture."""
    if not len(predictions):
        return TargetRow(name, 0, 0.0, 0.0)
    hits = predictions[:, 2:] == predictions[:, 1:2]
    return TargetRow(name, len(predictions), float(hits[:, 0].mean()), float(hits[:, 1].mean()))


def image_pairs(report: Report) -> list[ImagePair]:
    """The kept adversarial pictures, each beside its original, enlarged."""
    extras, names = report.parts["extras"], report.dataset.classes
    answers = extras.arrays["adversarial_answers"][extras.facts["adversarial_pictures"]["rows"]].tolist()
    sides = (extras.arrays["adversarial_originals"], extras.arrays["adversarial_pictures"])
    found = []
    for original, made, (label, target, before, after) in zip(*sides, answers, strict=True):
        missed = "" if before == target else f" (should be {names[target]})"
        words = f"{names[label]}, attacked: {names[before]}{missed}, after forgetting: {names[after]}"
        found.append(ImagePair(_side_by_side(original, made), words))
    return found


def _side_by_side(original: np.ndarray, adversarial: np.ndarray, gap: int = 8) -> np.ndarray:
    """Two pictures, enlarged, with see-through space between them: (H, W, 4) uint8."""
    parts = [upscale(part) for part in (original, adversarial)]
    solid = [np.dstack([part, np.full(part.shape[:2], 255, np.uint8)]) for part in parts]
    return np.hstack([solid[0], np.zeros((len(parts[0]), gap, 4), np.uint8), solid[1]])


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a target: pictures, and the share that each net calls by it."""
    return build_table(
        reports,
        lambda report: [
            {"target": row.name, "pictures": row.images, "before": row.before, "after": row.after}
            for row in target_rows(report)
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Dumbbells: a row a target, before hollow and after filled."""
    found = [target_rows(report) for report in reports]
    names = list(dict.fromkeys(row.name for each in found for row in each))
    drawn = panels(reports, theme, height=90 + _ROW * len(names))
    for column, each in enumerate(found, 1):
        for trace in _traces(each, names, theme):
            drawn.add_trace(trace, row=1, col=column)
    drawn.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=["<b>all</b>" if name == "all" else name for name in names],
        tickfont={"size": SMALL_FONT, "color": theme.ink},
        range=[len(names) - 0.4, -0.6],
    )
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.03, 1.03, max_ticks=3 if len(reports) > 1 else 6))
    drawn.update_xaxes(title_text="called by their target", row=1)
    return drawn


def _traces(each: Sequence[TargetRow], names: Sequence[str], theme: Theme) -> list[go.Scatter]:
    heights = [names.index(row.name) for row in each]
    ends: list[float | None] = [end for row in each for end in (row.before, row.after, None)]
    rods = go.Scatter(
        x=ends,
        y=[height for height in heights for _ in range(3)],
        mode="lines",
        line={"color": with_alpha(theme.before, 0.5), "width": 3},
        hoverinfo="skip",
    )
    dots = [
        go.Scatter(
            name=model,
            x=[getattr(row, model) for row in each],
            y=heights,
            mode="markers",
            marker=marker_style(theme, model, 9),
            customdata=[[row.name, f"{row.images:,}"] for row in each],
            hovertemplate=f"<b>%{{customdata[0]}}</b>, {model}<br>%{{x:.1%}} of %{{customdata[1]}} pictures"
            "<extra></extra>",
            cliponaxis=False,
        )
        for model in ("before", "after")
    ]
    return [rods, *dots]


def summary(report: Report) -> str:
    """How often the attack succeeded, how far it went, and what of it is left."""
    every, facts = target_rows(report)[0], report.parts["extras"].facts["adversarial_answers"]
    spent = f"{number(facts['length'], 2)} of at most {facts['radius']:g} away from its original"
    said = f"{percent(every.before)} of {every.images:,} adversarial pictures deceived the net before, each {spent}"
    if every.before < 0.5:
        said += ", so the guard learned many labels that the net never gave"
    kept = "so these borders held" if every.after > every.before - 0.05 else "so even these borders gave way"
    return f"{said}. After forgetting {percent(every.after)} are called by their target, {kept}."


def alt_text(report: Report) -> str:
    """Both shares of every target."""
    parts = [f"{row.name}: {percent(row.before)} before, {percent(row.after)} after" for row in target_rows(report)]
    return f"Dumbbells of how often adversarial pictures are called by their target. {'; '.join(parts)}."


CHART = Chart(
    id="adversarials",
    title="Adversarial examples",
    question="Do the adversarial images hold the decision boundary?",
    caveat="An adversarial picture is a forgotten one, changed until the net before forgetting called it something "
    "else; the method trained on it with that name. It stands in for kept pictures, which the method does not see, so "
    "what it holds says little about how well those fared: look at kept accuracy. Where the attack failed, the picture "
    "is used all the same.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
