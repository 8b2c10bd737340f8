"""A sweep as a report tells it: what was tried, its charts, every trial; the best trial's own report follows."""

from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import SweepChart, Swept, said
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
from unlearn_core.export.extra_sections import Plate, Side
from unlearn_core.export.figures import embedded


def side(swept: Swept) -> Side:
    """What stands before the best trial's report: the question, how it was looked for, charts, and all trials."""
    spec = swept.sweep.spec
    knobs = [one.knob for one in spec.ranges]
    shown = [tradeoff.SWEEP_CHART, *(along_hyperparameter.along(knob) for knob in knobs)]
    if len(knobs) > 1:
        first = [slices.about(knob, spec.objectives[0]) for knob in knobs]
        shown += [hyperparameter_importance.SWEEP_CHART, parallel.SWEEP_CHART, *first, contour.SWEEP_CHART]
    plates = tuple(_plate(one, swept) for one in shown if one.applies(swept) is True)
    return Side(title=_title(swept), words=_words(swept), trials=sweep_drawing.frame(swept), plates=plates)


def _title(swept: Swept) -> str:
    ranges = swept.sweep.spec.ranges
    if len(ranges) == 1:
        return f"What does {swept.title(ranges[0].knob).lower()} do?"
    return f"What does it cost to forget {swept.forgotten}?"


def _words(swept: Swept) -> str:
    """How it was looked for and what was found, in some sentences."""
    spec, best = swept.sweep.spec, swept.best
    ranges = [
        f"{swept.title(one.knob).lower()} ({', '.join(map(said, one.values))})"
        if one.is_choice
        else f"{swept.title(one.knob).lower()} (from {said(one.low)} to {said(one.top)})"
        for one in spec.ranges
    ]
    aims = " and ".join(OBJECTIVES[name].title.lower() for name in spec.objectives)
    words = (
        f"{len(swept.trials)} runs of {swept.method}, of which {len(swept.done)} came through, differ in "
        f"{'; '.join(ranges)}. They aim at {aims}, read from training and validation pictures; figures of test "
        "pictures are shown and took no part in the choice."
    )
    return words if best is None else f"{words} The best of them is run {best.run}, whose report follows the charts."


def _plate(one: SweepChart, swept: Swept) -> Plate:
    figure = one.figure(swept, LIGHT)
    return Plate(
        id=f"sweep-{one.id}",
        title=one.title,
        figure=embedded(str(figure.to_json())),
        height=int(figure.layout.height),  # pyright: ignore[reportAttributeAccessIssue]
        sentences=(one.sentence(swept),),
        caveat=one.caveat,
        alt=one.alt(swept),
    )
