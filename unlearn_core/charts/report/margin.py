"""Margin of the true class on test images of the retain set, as densities: how clearly the rest is classified."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, needs_images
from unlearn_core.charts.drawing import density
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import (
    MODEL_LABELS,
    capitalize,
    number,
    percent,
    retain_test_label,
)
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import LogitsResult


def margins(report: Report) -> dict[str, np.ndarray]:
    """Return the margin of the true class over the best other class on retained test images, by model."""
    return density.values_in_set(report, report[LogitsResult].margin, "retain_test")


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw the densities of the margin; below zero the prediction is wrong."""
    drawn = density.draw_densities(
        reports, theme, values=margins, axis="margin of the true class (logits), retain set, test", reference=0.0
    )
    for column in range(1, len(reports) + 1):
        for words, side, shift in (("wrong", "right", -5), ("correct", "left", 5)):
            drawn.add_annotation(
                text=words,
                x=0,
                y=1,
                yref="y domain",
                yanchor="top",
                xanchor=side,
                xshift=shift,
                font={"color": theme.quiet},
                row=1,
                col=column,
            )
    return drawn


def summary(report: Report) -> str:
    """Describe how the median margin and the share of wrong predictions changed."""
    found = margins(report)
    middle, wrong = density.medians(found), {model: float((part < 0).mean()) for model, part in found.items()}
    said = (
        f"On {len(found['after']):,} {retain_test_label(report)}, the median margin went from "
        f"{number(middle['before'])} to {number(middle['after'])}; {percent(wrong['after'])} are below "
        "zero, so misclassified"
    )
    if "gold" not in found:
        return f"{said}. {NO_GOLD}"
    return f"{said}. Retrained model: {number(middle['gold'])} and {percent(wrong['gold'])}."


def alt_text(report: Report) -> str:
    """Describe the medians and shares of wrong predictions in numbers."""
    found = margins(report)
    rows = [
        f"{capitalize(MODEL_LABELS[model])}: median {number(middle)}, "
        f"{percent(float((found[model] < 0).mean()))} below zero."
        for model, middle in density.medians(found).items()
    ]
    return f"Densities of the margin of the true class on test images of the retain set. {' '.join(rows)}"


CHART = Chart(
    id="margin",
    title="Margin on the retain set",
    question="How clearly is the rest classified correctly?",
    caveat="A narrow margin is still a correct prediction: the whole curve may shift while the accuracy stays the "
    "same. Logits have no fixed scale, so longer training gives larger margins without better predictions. Compare "
    "with the retrained model.",
    applies=needs_images(LogitsResult, "test images of the retain set", "retain_test"),
    table=density.quantile_table(margins),
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Inside",
    order=40,
)
