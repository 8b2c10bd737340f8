"""Plots what L2UL retains against what is left of 16 images, one panel per safeguard with its goals."""

from pathlib import Path
from typing import Any

from unlearn_core.benchmarks.reproduction.l2ul.l2ul_comparisons import MIN_DRAWS
from unlearn_core.benchmarks.svg_plots import write_svg
from unlearn_core.charts.measured.equal_forgetting import IMAGES
from unlearn_core.charts.measured.l2ul_courses import GOALS, GUARDS, Courses, frontier, setting_name

STYLES = {"nearest": ("#2563EB", "o", "-"), "relabel": ("#C2410C", "s", "--"), "misclassify": ("#566070", "^", ":")}
"""Colour, marker and line of each goal."""


def write_plot(path: Path, courses: Courses) -> None:
    """Write the panels as SVG, means over draws with standard errors; a setting with few draws has no line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4), layout="constrained")
    axes = figure.subplots(1, len(GUARDS), sharey=True)
    for axis, (guard, title) in zip(axes, GUARDS.items(), strict=True):
        for goal in GOALS:
            draws = courses.get((setting_name(goal, guard), IMAGES), {})
            if len(draws) >= MIN_DRAWS:
                _add_line(axis, goal, frontier(draws))
        axis.set(title=title, xlabel="left of the forget images (%)", xlim=(104, -4))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("retain set, test images (%)")
    if axes[0].has_data():
        axes[0].legend(title="goal")
    write_svg(figure, path)


def _add_line(axis: Any, goal: str, levels: Any) -> None:
    colour, marker, line = STYLES[goal]
    axis.errorbar(
        [100 * level for level in levels],
        [one.value for one in levels.values()],
        yerr=[one.error or 0 for one in levels.values()],
        color=colour,
        marker=marker,
        linestyle=line,
        capsize=3,
        label=GOALS[goal],
    )
