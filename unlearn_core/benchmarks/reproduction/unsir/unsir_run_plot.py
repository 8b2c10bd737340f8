"""Plots a run of UNSIR that ships: its noise, the error on it, and accuracies along the run with and without noise."""

from pathlib import Path
from typing import Any

import numpy as np

from unlearn_core.benchmarks.reproduction.course_panel import FORGET, QUIET, add_course
from unlearn_core.benchmarks.svg_plots import write_svg
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.method_artifacts import NoiseErrors, NoiseImages
from unlearn_core.store.files import shipped_runs

RUNS = ("unsir-ship", "unsir-ship-no-noise")
"""The run with learned noise, and the same without noise."""
TILES = 8


def write_plot(path: Path) -> None:
    """Write noise images above three panels as SVG."""
    from matplotlib.figure import Figure

    reports = [shipped_runs.read_report(shipped_runs.named(name).id) for name in RUNS]
    figure: Any = Figure(figsize=(11, 5.6), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1, 2.6))
    _add_tiles(above, reports[0])
    errors, *courses = below.subplots(1, 3)
    _add_errors(errors, reports[0])
    for axis, report, title in zip(courses, reports, ("learned noise", "no noise"), strict=True):
        add_course(axis, report)
        axis.set_title(title)
    courses[1].sharey(courses[0])
    courses[0].legend(loc="lower left")
    write_svg(figure, path)


def _add_tiles(figure: Any, report: Report) -> None:
    """Add some noise images, enlarged without smoothing."""
    pixels = report[NoiseImages].pixels
    chosen = np.linspace(0, len(pixels) - 1, TILES).round().astype(int)
    for axis, place in zip(figure.subplots(1, TILES), chosen, strict=True):
        axis.imshow(pixels[place], interpolation="none", clip_on=False)
        axis.set_axis_off()
    figure.suptitle(f"Noise labelled “{report.forget_set_title}”", fontsize=11)


def _add_errors(axis: Any, report: Report) -> None:
    """Add the error of the original model on the noise while it is learned, and that of guessing."""
    axis.plot(report[NoiseErrors].errors, color=FORGET)
    guess = np.log(len(report.dataset.classes))
    axis.axhline(guess, color=QUIET, linestyle=":")
    axis.annotate("guessing", (0.98, guess), xycoords=("axes fraction", "data"), ha="right", va="bottom", color=QUIET)
    axis.set(title="learning the noise", xlabel="step", ylabel="error of the original on it (nats)", ylim=(0, None))
    axis.grid(alpha=0.3)
