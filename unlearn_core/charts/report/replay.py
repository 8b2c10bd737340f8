"""Replay of the run: one slider moves predictions, logits and heat maps of a few images through its snapshots."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, needs, report_labels
from unlearn_core.charts.drawing.replay_maps import HeatmapStrip, RegionStrip, region_strip
from unlearn_core.charts.drawing.replay_panel import (
    HEIGHT,
    MAPS,
    SHORT_HEIGHT,
    FrameUpdate,
    PanelLayout,
    draw_panel,
    phase_segments,
)
from unlearn_core.charts.drawing.snapshots import Snapshot, SnapshotSeries, snapshot_series
from unlearn_core.charts.drawing.theme import SMALL_FONT, TRANSPARENT, PlotlyDict, Theme
from unlearn_core.charts.drawing.wording import (
    MODEL_LABELS,
    capitalize,
    is_class_request,
    join_words,
    percent,
    retain_set_label,
)
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import SnapshotsResult
from unlearn_core.domain.split import set_label

HEADER_HEIGHT = 92
"""The height of the slider above the panels, in pixels."""
SHARED_POSITIONS = 13
"""The number of slider positions where several runs share the slider."""
OLD_REPORT = "This run was made by an earlier release, which did not record what is shown here. Run it again to see it."


def applies(report: Report) -> Literal[True] | str:
    """Return True if snapshots were recorded by a release that stored all that is drawn, else the reason."""
    if SnapshotsResult.part in report.parts and SnapshotsResult not in report:
        return OLD_REPORT
    return needs(SnapshotsResult)(report)


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per snapshot and one of gold: accuracies, median true-class logit, commonest prediction."""

    def rows(report: Report) -> list[Row]:
        found = snapshot_series(report)
        snapshots = [*found.snapshots, *([found.gold] if found.gold else [])]
        return [_row(report, snapshot) for snapshot in snapshots]

    return build_table(reports, rows)


def _row(report: Report, snapshot: Snapshot) -> Row:
    most = int(snapshot.shares.argmax())
    logit = {"true-class logit": float(np.median(snapshot.true_logit)) if len(snapshot.true_logit) else None}
    prediction = {"most predicted class": report.dataset.classes[most], "share": float(snapshot.shares[most])}
    phase = MODEL_LABELS.get(snapshot.phase, snapshot.phase)
    accuracy = {set_label(name) if "_" in name else f"{name} set": share for name, share in snapshot.accuracy.items()}
    return {"phase": phase, "step": max(0, snapshot.step)} | accuracy | logit | prediction


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one panel per report below one slider, which is at the end; several runs share it by their progress."""
    found = [snapshot_series(report) for report in reports]
    drawn = go.Figure(layout={"template": theme.template, "barmode": "overlay"})
    changes = []
    strips = [_maps(report, own) for report, own in zip(reports, found, strict=True)]
    height = HEIGHT if any(strips) else SHORT_HEIGHT
    for number, (report, own, maps) in enumerate(zip(reports, found, strips, strict=True)):
        place = PanelLayout(number, len(reports), height)
        changes.append(draw_panel(drawn, own, maps, classes=report.dataset.classes, layout=place, theme=theme))
        if maps is None:
            _note(drawn, report[SnapshotsResult].no_maps, place.y(MAPS), theme)
    if len(reports) > 1:
        _draw_names(drawn, reports, theme, height)
        labels = [f"{percent(share, 0)} of the run" for share in np.linspace(0, 1, SHARED_POSITIONS)]
        stops = [[round(share * (len(each) - 1)) for each in changes] for share in np.linspace(0, 1, SHARED_POSITIONS)]
    else:
        labels = _labels(found[0].snapshots)
        stops = [[place] for place in range(len(labels))]
    steps = [
        _step(label, [each[at] for each, at in zip(changes, stop, strict=True)])
        for label, stop in zip(labels, stops, strict=True)
    ]
    drawn.update_layout(
        height=HEADER_HEIGHT + height * len(reports), margin={"t": HEADER_HEIGHT}, sliders=[_slider(steps, theme)]
    )
    return drawn


def _maps(report: Report, series: SnapshotSeries) -> HeatmapStrip | RegionStrip | None:
    """The maps below the plots: heat maps of images, or the decision regions of points."""
    return HeatmapStrip(report, series) if report[SnapshotsResult].maps.size else region_strip(report)


def _note(figure: go.Figure, text: str, y: float, theme: Theme) -> None:
    font = {"size": SMALL_FONT, "color": theme.quiet}
    figure.add_annotation(text=text, x=0, y=y, xref="paper", yref="paper", xanchor="left", yanchor="top", font=font)


def _draw_names(figure: go.Figure, reports: Sequence[Report], theme: Theme, height: int) -> None:
    for number, name in enumerate(report_labels(reports)):
        where = {"x": 1, "y": PanelLayout(number, len(reports), height).y(4), "xanchor": "right", "yanchor": "top"}
        font = {"size": 14, "color": theme.ink}
        figure.add_annotation(text=f"<b>{name}</b>", xref="paper", yref="paper", font=font, **where)


def _labels(snapshots: Sequence[Snapshot]) -> list[str]:
    """Return the labels of the slider positions: the start, then the phase and the number of steps, then the end."""
    last = snapshots[-1].step
    labels = [f"{snapshot.phase} · step {snapshot.step:,} of {last:,}" for snapshot in snapshots]
    return ["before the first step", *labels[1:-1], f"after all {last:,} steps"][: len(snapshots)]


def _step(label: str, changes: Sequence[FrameUpdate]) -> PlotlyDict:
    traces = {number: each for change in changes for number, each in change.traces.items()}
    layout = {path: value for change in changes for path, value in change.layout.items()}
    moved = {way: [each[way] for each in traces.values()] for way in "xy"}
    return {"label": label, "method": "update", "args": [moved, layout, list(traces)]}


def _slider(steps: list[PlotlyDict], theme: Theme) -> PlotlyDict:
    return {
        "active": len(steps) - 1,
        "steps": steps,
        "x": 0,
        "len": 1,
        "y": 1,
        "yanchor": "bottom",
        "pad": {"t": 0, "b": 0, "l": 0, "r": 0},
        "currentvalue": {"xanchor": "left", "offset": 10, "font": {"size": 14, "color": theme.ink}},
        # The labels of all steps would not fit; the current one is shown above the slider.
        "font": {"size": SMALL_FONT, "color": TRANSPARENT},
        "bgcolor": theme.after,
        "activebgcolor": theme.after,
        "bordercolor": theme.before,
        "borderwidth": 1,
        "tickcolor": theme.before,
        "ticklen": 5,
        "minorticklen": 5,
    }


def summary(report: Report) -> str:
    """Describe how both accuracies changed and in which phase most was forgotten, compared with gold."""
    found = snapshot_series(report)
    first, last = found.snapshots[0], found.snapshots[-1]
    if "forget" not in first.accuracy:
        return f"No forget image was tracked over {len(found.snapshots)} snapshots."
    what = report.forget_set_title if is_class_request(report) else "the forget images"
    said = (
        f"{percent(first.accuracy['forget'], 0)} of {found.image_counts['forget']} tracked images of {what} "
        if is_class_request(report)
        else f"{percent(first.accuracy['forget'], 0)} of {found.image_counts['forget']} forget images "
    )
    said += f"were classified correctly at the start and {percent(last.accuracy['forget'], 0)} at the end"
    said += _most_in(found, "forget", -1) + _gold_text(found, "forget")
    if "retain" in first.accuracy:
        low = min(found.snapshots, key=lambda snapshot: snapshot.accuracy["retain"])
        dip = low.accuracy["retain"] < min(first.accuracy["retain"], last.accuracy["retain"]) - 0.02
        said += f" {capitalize(retain_set_label(report))} went from {percent(first.accuracy['retain'], 0)}"
        said += f" via {percent(low.accuracy['retain'], 0)} ({low.phase})" if dip else ""
        said += f" to {percent(last.accuracy['retain'], 0)}" + _gold_text(found, "retain")
    return said if found.gold else f"{said} {NO_GOLD}"


def _gold_text(series: SnapshotSeries, side: str) -> str:
    """Return gold's accuracy on the same images, with the end of the sentence."""
    if series.gold is None or side not in series.gold.accuracy:
        return "."
    return f"; retrained model: {percent(series.gold.accuracy[side], 0)} of the same images."


def _most_in(series: SnapshotSeries, side: str, sign: int) -> str:
    """Name the phase that changed an accuracy most, if it changed and there was more than one phase."""
    accuracies = [snapshot.accuracy[side] for snapshot in series.snapshots]
    moved: dict[str, float] = {}
    for name, begin, end in phase_segments([snapshot.phase for snapshot in series.snapshots]):
        moved[name] = moved.get(name, 0.0) + accuracies[end] - accuracies[max(0, begin - 1)]
    most = max(moved, key=lambda name: sign * moved[name])
    worth = len(moved) > 1 and sign * moved[most] > 0.02
    return f" (most of it in {most})" if worth else ""


def alt_text(report: Report) -> str:
    """List both accuracies and the commonest prediction at the end of every phase, and gold's."""
    found, classes = snapshot_series(report), report.dataset.classes
    phases = phase_segments([snapshot.phase for snapshot in found.snapshots])
    stops = [("at the start", found.snapshots[0])] + [
        (f"after {name}", found.snapshots[end]) for name, _, end in phases
    ]
    stops += [(MODEL_LABELS["gold"], found.gold)] if found.gold else []
    said = []
    for name, snapshot in stops:
        accuracy = snapshot.accuracy
        shares = [f"{side} {percent(accuracy[side], 0)}" for side in ("forget", "retain") if side in accuracy]
        most = int(snapshot.shares.argmax())
        said.append(f"{name}: {join_words(shares)}, forget images mostly predicted as {classes[most]}")
    recorded = report[SnapshotsResult]
    maps = f" and heat maps of {len(recorded.shown)} images" if recorded.maps.size else ""
    maps = maps if recorded.regions is None else " and a map of decision regions"
    return (
        f"A slider over {len(found.snapshots)} snapshots of the run moves a line of accuracies, bars of predictions, a "
        f"density of logits{maps}. Accuracies: {'; '.join(said)}."
    )


CHART = Chart(
    id="replay",
    title="Replay of the run",
    question="What happened during unlearning?",
    caveat="A few fixed images were evaluated at intervals while the method ran: training images of the forget set "
    "and validation images, never test images, in the precision of training. They show the course, in steps as coarse "
    "as one image; the final results are measured on all images at the end. The heat maps of an image share one scale "
    "over all snapshots and the retrained model, and explain its true class. A data set of points has maps of its "
    "decision regions instead, with the points of the final report. The retrained model was not made this "
    "way: its marks show where the run should end, not how.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=HEADER_HEIGHT + HEIGHT,
    section="How it went",
    order=10,
    is_compared=False,
)
