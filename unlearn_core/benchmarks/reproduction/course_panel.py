"""The panel with the accuracies along a run that ships, for the pages on the three works."""

from typing import Any

from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import CurvesResult

FORGET, RETAIN, QUIET = "#C2410C", "#0F766E", "#566070"
NAMED_WIDTH = 0.05
"""The share of a run's steps that a phase must have for its name to have room."""


def add_course(axis: Any, report: Report) -> None:
    """Add the accuracies on a few images along the run."""
    curves = report[CurvesResult]
    for values, colour, line, label in (
        (curves.retain, RETAIN, "-", "retain set"),
        (curves.forget, FORGET, "--", "forget set"),
    ):
        axis.plot(curves.steps, 100 * values, color=colour, linestyle=line, label=label)
    ends = [*(phase.first_step for phase in curves.phases[1:]), int(curves.steps[-1])]
    for phase, end in zip(curves.phases, ends, strict=True):
        axis.axvline(phase.first_step, color=QUIET, linewidth=0.8, linestyle=":")
        axis.annotate(
            phase.name if end - phase.first_step >= NAMED_WIDTH * curves.steps[-1] else "",
            (phase.first_step, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -12),
            fontsize=9,
            textcoords="offset points",
            color=QUIET,
        )
    axis.set(xlabel="step of the run", ylabel="accuracy (%)", ylim=(-2, 112))
    axis.grid(alpha=0.3)
