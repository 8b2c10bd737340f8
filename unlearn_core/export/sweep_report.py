"""A sweep as a report tells it: what was tried, its charts, every trial; the best trial's own report follows."""

from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import SweepChart, SweepData, format_value
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.sweep import (
    along_hyperparameter,
    contour,
    hyperparameter_importance,
    parallel,
    slices,
    tradeoff,
)
from unlearn_core.domain.objectives import OBJECTIVES
from unlearn_core.export.extra_sections import ExtraSection, ReportFigure
from unlearn_core.export.figures import escape_json


def sweep_section(sweep_data: SweepData) -> ExtraSection:
    """What stands before the best trial's report: the question, how it was looked for, charts, and all trials."""
    spec = sweep_data.sweep.spec
    knobs = [one.knob for one in spec.ranges]
    shown = [tradeoff.SWEEP_CHART, *(along_hyperparameter.along_hyperparameter(knob) for knob in knobs)]
    if len(knobs) > 1:
        first = [slices.for_hyperparameter(knob, spec.objectives[0]) for knob in knobs]
        shown += [hyperparameter_importance.SWEEP_CHART, parallel.SWEEP_CHART, *first, contour.SWEEP_CHART]
    plates = tuple(_plate(one, sweep_data) for one in shown if one.applies(sweep_data) is True)
    return ExtraSection(
        title=_title(sweep_data), words=_words(sweep_data), trials=sweep_drawing.trials_table(sweep_data), plates=plates
    )


def _title(sweep_data: SweepData) -> str:
    ranges = sweep_data.sweep.spec.ranges
    if len(ranges) == 1:
        return f"What does {sweep_data.hyperparameter_title(ranges[0].knob).lower()} do?"
    return f"What does it cost to forget {sweep_data.forgotten}?"


def _words(sweep_data: SweepData) -> str:
    """How it was looked for and what was found, in some sentences."""
    spec, best = sweep_data.sweep.spec, sweep_data.best
    ranges = [
        f"{sweep_data.hyperparameter_title(one.knob).lower()} ({', '.join(map(format_value, one.values))})"
        if one.is_choice
        else f"{sweep_data.hyperparameter_title(one.knob).lower()} (from {format_value(one.low)} to {format_value(one.last_value)})"
        for one in spec.ranges
    ]
    aims = " and ".join(OBJECTIVES[name].title.lower() for name in spec.objectives)
    words = (
        f"{len(sweep_data.trials)} runs of {sweep_data.method}, of which {len(sweep_data.done)} came through, differ in "
        f"{'; '.join(ranges)}. They aim at {aims}, read from training and validation pictures; figures of test "
        "pictures are shown and took no part in the choice."
    )
    return words if best is None else f"{words} The best of them is run {best.run}, whose report follows the charts."


def _plate(sweep_chart: SweepChart, sweep_data: SweepData) -> ReportFigure:
    figure = sweep_chart.figure(sweep_data, LIGHT)
    return ReportFigure(
        id=f"sweep-{sweep_chart.id}",
        title=sweep_chart.title,
        figure=escape_json(str(figure.to_json())),
        height=int(figure.layout.height),  # pyright: ignore[reportAttributeAccessIssue]
        summaries=(sweep_chart.summary(sweep_data),),
        caveat=sweep_chart.caveat,
        alt_text=sweep_chart.alt_text(sweep_data),
    )
