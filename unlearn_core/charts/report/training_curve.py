"""Forget and retain accuracy during the run, over its phases; also the chart of a run in progress."""

from collections.abc import Sequence
from math import floor, log10

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs, panels
from unlearn_core.charts.drawing.phase_bands import (
    AccuracyCurves,
    LineLabels,
    PhaseSpan,
    draw_curves,
    phase_spans,
    set_axes,
)
from unlearn_core.charts.drawing.theme import PlotlyDict, Theme
from unlearn_core.charts.drawing.wording import capitalize, is_class_request, percent, retain_set_label, seconds
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import CurvesResult
from unlearn_core.domain.run import CurvePoint, Phase

LIVE_HEIGHT = 330
"""The height of the chart of a run in progress, in pixels."""


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per point: step, seconds, phase and both accuracies."""

    def rows(report: Report) -> list[dict]:
        curves = report[CurvesResult]
        return [
            {"step": int(step), "seconds": float(at), "phase": _phase_at(report, float(at))}
            | {"forget": float(forget), "retain": float(retain)}
            for step, at, forget, retain in zip(curves.steps, curves.seconds, curves.forget, curves.retain, strict=True)
        ]

    return build_table(reports, rows)


def _phase_at(report: Report, at: float) -> str:
    begun = [phase.name for phase in report[CurvesResult].phases if phase.start <= at]
    return begun[-1] if begun else ""


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw the curves of finished runs on common scales."""
    drawn = panels(reports, theme)
    ends = []
    for column, report in enumerate(reports, 1):
        phases = report[CurvesResult].phases
        bands = [PhaseSpan(phase.name, phase.start, phase.end, planned=False) for phase in phases]
        lines = _lines(report)
        ends.append(max([band.end for band in bands] + [lines.seconds[-1]]))
        what = report.forget_set_title if is_class_request(report) else "forget images"
        names = LineLabels(what, retain_set_label(report).removeprefix("the "))
        draw_curves(drawn, lines, bands, line_labels=names, end=ends[-1], theme=theme, column=column)
        kept = _kept_at(report)
        if kept is not None:
            here: PlotlyDict = {"row": 1, "col": column}
            line = {"color": theme.after, "width": 2, "dash": "dash"}
            drawn.add_vline(x=kept, line=line, annotation_text="kept", annotation_position="bottom right", **here)
    return set_axes(drawn, max(ends))


def _kept_at(report: Report) -> float | None:
    """Return the seconds at which the model had the state that early stopping kept; None if that is the last one."""
    curves = report[CurvesResult]
    stop = curves.early_stop
    if stop is None or stop.best is None or stop.best == len(stop.states) - 1:
        return None
    step = curves.phases[-1].first_step + stop.states[stop.best].step
    return float(np.interp(step, curves.steps, curves.seconds))


def _lines(report: Report) -> AccuracyCurves:
    curves = report[CurvesResult]
    return AccuracyCurves(curves.seconds.tolist(), curves.forget.tolist(), curves.retain.tolist())


def live_figure(
    points: Sequence[CurvePoint],
    phases: Sequence[Phase],
    line_labels: tuple[str, str],
    theme: Theme,
    *,
    expected: float | None = None,
) -> go.Figure:
    """Draw the curve of a run in progress, with the phases that are still planned in grey.

    `phases` are in order; `line_labels` name the forget set and the retain set. The length of a phase that has not
    begun is extrapolated from the pace so far; without a pace, all phases share the `expected` seconds by their steps.
    """
    bands = phase_spans(phases, expected=expected)
    lines = AccuracyCurves(*([getattr(point, name) for point in points] for name in AccuracyCurves._fields))
    end = max([band.end for band in bands] + [*lines.seconds]) if bands or points else 1.0
    end = _rounded_up(end)
    drawn = make_subplots(rows=1, cols=1)
    drawn.update_layout(template=theme.template, height=LIVE_HEIGHT)
    draw_curves(drawn, lines, bands, line_labels=LineLabels(*line_labels), end=end, theme=theme)
    set_axes(drawn, end)
    if not any(phase.seconds for phase in phases) and expected is None:
        drawn.update_xaxes(showticklabels=False)  # There is no estimate of the duration yet.
    return drawn


def _rounded_up(seconds: float) -> float:
    """The next of 1, 1.5, 2, 3, 5, 7 and 10 times a power of ten: estimates vary, and the axis should stay."""
    power = 10.0 ** floor(log10(seconds)) if seconds > 0 else 1.0
    return next(power * factor for factor in (1, 1.5, 2, 3, 5, 7, 10) if power * factor >= seconds * (1 - 1e-9))


def summary(report: Report) -> str:
    """Describe how both accuracies changed, and when half was forgotten."""
    lines, images = _lines(report), report[CurvesResult].images
    what = capitalize(report.forget_set_title if is_class_request(report) else "the forget images")
    said = f"{what} went from {percent(lines.forget[0], 0)} to {percent(lines.forget[-1], 0)}"
    halved = [at for at, value in zip(lines.seconds, lines.forget, strict=True) if value <= lines.forget[0] / 2]
    if halved and lines.forget[0]:
        phase = _phase_at(report, halved[0])
        said += f", half of it lost after {seconds(halved[0])}" + (f" ({phase})" if phase else "")
    if images.retain:
        low = min(lines.retain)
        dip = f" via {percent(low, 0)}" if low < min(lines.retain[0], lines.retain[-1]) - 0.02 else ""
        said += f"; {retain_set_label(report)} from {percent(lines.retain[0], 0)}{dip} to"
        said += f" {percent(lines.retain[-1], 0)}."
    else:
        said += f". There are no validation images of {retain_set_label(report)}, so these have no line."
    said += f" Estimated on {images.forget} and {images.retain} fixed images; the final results use all images."
    return " ".join([said, *_stopped(report), _gold(report)])


def _stopped(report: Report) -> list[str]:
    """Say what early stopping did, if it was on: how many steps were made, and which state was kept."""
    stop = report[CurvesResult].early_stop
    if stop is None:
        return []
    if stop.best is None:
        return ["Early stopping had no validation images of these classes to compare, so all steps were made."]
    state = stop.states[stop.best]
    made = f"ended after {stop.stopped:,} of" if stop.stopped < stop.planned else "made all its"
    kept = "its last state was kept" if state.step == stop.stopped else f"the state after {state.step:,} was kept"
    why = "reaches the goal as well as any" if stop.reached else "came closest to the goal"
    images = f"{stop.images.forget} forget images and {stop.images.retain} retained ones"
    return [
        f"{capitalize(report[CurvesResult].phases[-1].name)} {made} {stop.planned:,} steps, and {kept}, "
        f"which {why} on {images} ({percent(state.forget)} and {percent(state.retain)}), none of them test images."
    ]


def _gold(report: Report) -> str:
    """Return gold's accuracies on all images of the sets that the fixed ones are from."""
    if "gold" not in report.evaluations:
        return NO_GOLD
    right = report.evaluations["gold"].logits.argmax(1) == report.labels
    split = report.split
    forget, retain = split.forget_val if len(split.forget_val) else split.forget_train, split.retain_val
    accuracies = (percent(float(right[rows].mean()), 0) for rows in (forget, retain) if len(rows))
    return f"Retrained model, on all of them: {' and '.join(accuracies)}."


def alt_text(report: Report) -> str:
    """List both accuracies at the end of each phase."""
    lines = _lines(report)
    stops = []
    for phase in report[CurvesResult].phases:
        at = int(np.searchsorted(lines.seconds, phase.end, side="right")) - 1
        shown = f"forget {percent(lines.forget[at], 0)}, retain {percent(lines.retain[at], 0)}"
        stops.append(f"after {phase.name} ({seconds(phase.end)}): {shown}")
    start = f"at the start: forget {percent(lines.forget[0], 0)}, retain {percent(lines.retain[0], 0)}"
    return f"Lines of two accuracies over time; {'; '.join([start, *stops])}."


CHART = Chart(
    id="curve",
    title="Accuracy during unlearning",
    question="How did both accuracies change during the run?",
    caveat="A few fixed images are evaluated at intervals while the method runs, in the precision of training. They "
    "show the course, in steps as coarse as one image; the final results are measured on all images at the end. The "
    "fixed images are validation images; where single images are forgotten, some of these stand for the forget set.",
    applies=needs(CurvesResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="How it went",
    order=20,
)
