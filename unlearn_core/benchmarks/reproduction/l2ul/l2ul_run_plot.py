"""Plots a run of L2UL that ships: forget images with their adversarial copies, and what is left and retained."""

from pathlib import Path
from typing import Any

import numpy as np

from unlearn_core.benchmarks.reproduction.course_panel import add_course
from unlearn_core.benchmarks.svg_plots import write_svg
from unlearn_core.charts.artifacts.adversarial_examples import amplified_changes, change_gain
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.method_artifacts import AdversarialImages, AdversarialOriginals, AdversarialPredictions
from unlearn_core.store.files import shipped_runs

RUN = "l2ul-16"
TILES = 6


def write_plot(path: Path) -> None:
    """Write the images above the course of the run as SVG."""
    from matplotlib.figure import Figure

    report = shipped_runs.read_report(shipped_runs.named(RUN).id)
    figure: Any = Figure(figsize=(9, 7.2), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1.3, 1))
    _add_images(above, report)
    axis = below.subplots()
    add_course(axis, report)
    axis.legend(loc="center right")
    write_svg(figure, path)


def _add_images(figure: Any, report: Report) -> None:
    """Add some forget images, below each its adversarial copy and what was changed, enlarged without smoothing."""
    images, names = report[AdversarialImages], report.dataset.classes
    chosen = np.linspace(0, len(images.pixels) - 1, TILES).round().astype(int)
    predicted = report[AdversarialPredictions].classes[images.rows]
    rows = (report[AdversarialOriginals].pixels, images.pixels, amplified_changes(report))
    axes = figure.subplots(len(rows), TILES)
    for column, place in enumerate(chosen):
        label, _, before, _ = (names[number] for number in predicted[place])
        titles = (label, f"predicted: {before}", "")
        for axis, pixels, title in zip(axes[:, column], rows, titles, strict=True):
            axis.imshow(pixels[place], interpolation="none", clip_on=False)
            axis.set_title(title, fontsize=9)
            axis.set(xticks=[], yticks=[])
    names = ("forget image", "adversarial", f"change × {change_gain(report):.0f}")
    for axis, name in zip(axes[:, 0], names, strict=True):
        axis.set_ylabel(name, fontsize=9)
