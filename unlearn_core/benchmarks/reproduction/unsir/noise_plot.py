"""Plots what UNSIR's noise does: what is left of a class, and what is retained, against the learning rate."""

from collections.abc import Sequence
from pathlib import Path

from unlearn_core.benchmarks.svg_plots import write_svg
from unlearn_core.charts.measured.noise_levels import KIND_LABELS, KINDS, NoiseLevel, Row, noise_levels

STYLES = {"learned": ("#2563EB", "o", "-"), "random": ("#C2410C", "s", "--"), "none": ("#566070", "^", ":")}
"""Colour, marker and line of each kind of noise."""


def write_plot(path: Path, rows: Sequence[Row]) -> None:
    """Write the two panels as SVG, means over classes with standard errors."""
    from matplotlib.figure import Figure

    found = noise_levels(rows)
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, column in zip(axes, ("forget_train", "retain_test"), strict=True):
        for kind in KINDS:
            colour, marker, line = STYLES[kind]
            every = [level.estimate(column, kind) for level in found]
            axis.errorbar(
                [level.rate * _shift(kind) for level in found],
                [one.value for one in every],
                yerr=[one.error for one in every],
                color=colour,
                marker=marker,
                linestyle=line,
                capsize=3,
                label=KIND_LABELS[kind],
            )
        axis.set(xscale="log", xlabel="learning rate of impair and repair")
        axis.set_xticks([level.rate for level in found], [f"{level.rate:g}" for level in found])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set(ylabel="left of the class, training images (%)", ylim=(0, None))
    axes[1].set(ylabel="retain set, test images (%)")
    _add_gold(axes[1], found)
    axes[0].legend()
    write_svg(figure, path)


def _shift(kind: str) -> float:
    """Return the factor by which a kind's points stand aside, so that their error bars do not hide each other."""
    return 1 + 0.015 * (KINDS.index(kind) - 1)


def _add_gold(axis: object, found: Sequence[NoiseLevel]) -> None:
    gold = found[0].estimate("retain_test_gold", "none").value
    axis.axhline(gold, color="#B7791F", linewidth=1)  # pyright: ignore[reportAttributeAccessIssue]
    axis.annotate("retrained", (1, gold), xycoords=("axes fraction", "data"), ha="right", va="bottom")  # pyright: ignore
