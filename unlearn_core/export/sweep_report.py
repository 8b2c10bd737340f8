"""The section about a sweep in an HTML report: settings, charts and all trials; the best run's report follows."""

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
from unlearn_core.domain.sweeps.objectives import OBJECTIVES
from unlearn_core.domain.sweeps.search_space import SearchRange
from unlearn_core.domain.sweeps.sweep import trial_name
from unlearn_core.export.extra_sections import ExtraSection, ReportFigure
from unlearn_core.export.figures import escape_json


def sweep_section(sweep_data: SweepData) -> ExtraSection:
    """The content before the best trial's report: heading, lead text, charts and all trials."""
    spec = sweep_data.sweep.spec
    params = [one.knob for one in spec.ranges]
    shown = [tradeoff.SWEEP_CHART, *(along_hyperparameter.along_hyperparameter(own) for own in params)]
    if len(params) > 1:
        first = [slices.for_hyperparameter(own, spec.objectives[0]) for own in params]
        shown += [hyperparameter_importance.SWEEP_CHART, parallel.SWEEP_CHART, *first, contour.SWEEP_CHART]
    figures = tuple(_figure(one, sweep_data) for one in shown if one.applies(sweep_data) is True)
    return ExtraSection(
        title=sweep_data.title(),
        words=_words(sweep_data),
        trials=sweep_drawing.trials_table(sweep_data),
        figures=figures,
    )


def _words(sweep_data: SweepData) -> str:
    """What was swept, by which objectives, and the best run, in a few sentences."""
    spec, best = sweep_data.sweep.spec, sweep_data.best
    ranges = [f"{sweep_data.hyperparameter_title(one.knob).lower()} ({_span(one)})" for one in spec.ranges]
    aims = " and ".join(OBJECTIVES[name].title.lower() for name in spec.objectives)
    words = (
        f"{len(sweep_data.trials)} runs of {sweep_data.method}, of which {len(sweep_data.done)} finished, differ in "
        f"{'; '.join(ranges)}. Objectives: {aims}, on training and validation images. Metrics on test images are shown "
        "but not used to choose trials."
    )
    return words if best is None else f"{words} The best is {trial_name(best)}; its report follows the charts."


def _span(search_range: SearchRange) -> str:
    if search_range.is_choice:
        return ", ".join(map(format_value, search_range.values))
    return f"{format_value(search_range.low)} to {format_value(search_range.last_value)}"


def _figure(sweep_chart: SweepChart, sweep_data: SweepData) -> ReportFigure:
    figure = sweep_chart.figure(sweep_data, LIGHT)
    return ReportFigure(
        id=f"sweep-{sweep_chart.id}",
        title=sweep_chart.title,
        question=sweep_chart.question,
        figure=escape_json(str(figure.to_json())),
        height=int(figure.layout.height),  # pyright: ignore[reportAttributeAccessIssue]
        summaries=(sweep_chart.summary(sweep_data),),
        caveat=sweep_chart.caveat,
        alt_text=sweep_chart.alt_text(sweep_data),
    )
