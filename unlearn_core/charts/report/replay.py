"""What happened on the way? One slider moves answers, certainty and heat maps of a few pictures through the run."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs, report_names
from unlearn_core.charts.drawing.heatmap_strip import HeatmapStrip
from unlearn_core.charts.drawing.replay_panel import HEIGHT, MAPS, FrameUpdate, PanelLayout, draw_panel, phase_segments
from unlearn_core.charts.drawing.snapshots import Snapshot, SnapshotSeries, snapshot_series
from unlearn_core.charts.drawing.theme import SMALL_FONT, TRANSPARENT, Theme
from unlearn_core.charts.drawing.wording import is_class_request, join_names, percent, retain_set_label
from unlearn_core.domain.report import Report

HEADER_HEIGHT = 92
"""Pixels above the blocks, which the slider takes."""
MAX_CLASS_ROWS = 13
"""How many places the slider has where several runs share it."""
OLD_REPORT = "This run was made before the lab kept what is shown here. Run it again to see it."


def applies(report: Report) -> Literal[True] | str:
    """Whether moments were kept, by a release that kept all that is drawn."""
    answer = needs("snapshots")(report)
    if answer is not True:
        return answer
    return True if "shown" in report.parts["snapshots"].arrays else OLD_REPORT


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a moment, and one of gold: accuracies by set, the true class's median logit, the commonest answer."""

    def rows(report: Report) -> list[dict[str, Any]]:
        found = snapshot_series(report)
        sights = [*found.snapshots, *([found.gold] if found.gold else [])]
        return [_row(report, sight) for sight in sights]

    return build_table(reports, rows)


def _row(report: Report, snapshot: Snapshot) -> dict[str, Any]:
    most = int(snapshot.shares.argmax())
    logit = {"true class's logit": float(np.median(snapshot.true_logit)) if len(snapshot.true_logit) else None}
    answer = {"mostly called": report.dataset.classes[most], "share": float(snapshot.shares[most])}
    return {"phase": snapshot.phase, "step": max(0, snapshot.step)} | snapshot.accuracy | logit | answer


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """A block a report under one slider, which stands at the end; several runs share it by how far they are."""
    found = [snapshot_series(report) for report in reports]
    drawn = go.Figure(layout={"template": theme.template, "barmode": "overlay"})
    changes = []
    for number, (report, own) in enumerate(zip(reports, found, strict=True)):
        place = PanelLayout(number, len(reports))
        maps = HeatmapStrip(report, own) if report.parts["snapshots"].arrays["maps"].size else None
        changes.append(draw_panel(drawn, own, maps, classes=report.dataset.classes, layout=place, theme=theme))
        if maps is None:
            _note(drawn, report.parts["snapshots"].facts["no_maps"], PanelLayout(number, len(reports)).y(MAPS), theme)
    if len(reports) > 1:
        _draw_names(drawn, reports, theme)
        labels = [f"{percent(share, 0)} of the way" for share in np.linspace(0, 1, MAX_CLASS_ROWS)]
        stops = [[round(share * (len(each) - 1)) for each in changes] for share in np.linspace(0, 1, MAX_CLASS_ROWS)]
    else:
        labels = _labels(found[0].snapshots)
        stops = [[place] for place in range(len(labels))]
    steps = [
        _step(label, [each[at] for each, at in zip(changes, stop, strict=True)])
        for label, stop in zip(labels, stops, strict=True)
    ]
    drawn.update_layout(
        height=HEADER_HEIGHT + HEIGHT * len(reports), margin={"t": HEADER_HEIGHT}, sliders=[_slider(steps, theme)]
    )
    return drawn


def _note(figure: go.Figure, text: str, y: float, theme: Theme) -> None:
    font = {"size": SMALL_FONT, "color": theme.quiet}
    figure.add_annotation(text=text, x=0, y=y, xref="paper", yref="paper", xanchor="left", yanchor="top", font=font)


def _draw_names(figure: go.Figure, reports: Sequence[Report], theme: Theme) -> None:
    for number, name in enumerate(report_names(reports)):
        where = {"x": 1, "y": PanelLayout(number, len(reports)).y(4), "xanchor": "right", "yanchor": "top"}
        font = {"size": 14, "color": theme.ink}
        figure.add_annotation(text=f"<b>{name}</b>", xref="paper", yref="paper", font=font, **where)


def _labels(moments: Sequence[Snapshot]) -> list[str]:
    """What each place of the slider is called: the start, then the phase and how many steps were made."""
    last = moments[-1].step
    labels = [f"{moment.phase} · step {moment.step:,} of {last:,}" for moment in moments]
    return ["before the first step", *labels[1:-1], f"after all {last:,} steps"][: len(moments)]


def _step(label: str, changes: Sequence[FrameUpdate]) -> dict[str, Any]:
    traces = {number: each for change in changes for number, each in change.traces.items()}
    layout = {path: value for change in changes for path, value in change.layout.items()}
    moved = {way: [each[way] for each in traces.values()] for way in "xy"}
    return {"label": label, "method": "update", "args": [moved, layout, list(traces)]}


def _slider(steps: list[dict[str, Any]], theme: Theme) -> dict[str, Any]:
    return {
        "active": len(steps) - 1,
        "steps": steps,
        "x": 0,
        "len": 1,
        "y": 1,
        "yanchor": "bottom",
        "pad": {"t": 0, "b": 0, "l": 0, "r": 0},
        "currentvalue": {"xanchor": "left", "offset": 10, "font": {"size": 14, "color": theme.ink}},
        "font": {
            "size": SMALL_FONT,
            "color": TRANSPARENT,
        },  # The words of all steps would not fit; the one that counts is above.
        "bgcolor": theme.after,
        "activebgcolor": theme.after,
        "bordercolor": theme.before,
        "borderwidth": 1,
        "tickcolor": theme.before,
        "ticklen": 5,
        "minorticklen": 5,
    }


def summary(report: Report) -> str:
    """Where forgotten and kept pictures began and ended, in which phase most was forgotten, beside gold."""
    found = snapshot_series(report)
    first, last = found.snapshots[0], found.snapshots[-1]
    if "forget" not in first.accuracy:
        return f"No forgotten picture was watched over {len(found.snapshots)} moments. {_beside(found, 'retain')}"
    what = report.forget_set_title if is_class_request(report) else "the forgotten pictures"
    said = (
        f"{percent(first.accuracy['forget'], 0)} of {found.image_counts['forget']} watched pictures of {what} "
        if is_class_request(report)
        else f"{percent(first.accuracy['forget'], 0)} of {found.image_counts['forget']} forgotten pictures "
    )
    said += f"were named rightly at the start and {percent(last.accuracy['forget'], 0)} at the end"
    said += _most_in(found, "forget", -1) + _beside(found, "forget")
    if "retain" in first.accuracy:
        low = min(found.snapshots, key=lambda moment: moment.accuracy["retain"])
        dip = low.accuracy["retain"] < min(first.accuracy["retain"], last.accuracy["retain"]) - 0.02
        said += f" {retain_set_label(report).capitalize()} went from {percent(first.accuracy['retain'], 0)}"
        said += f" by way of {percent(low.accuracy['retain'], 0)} ({low.phase})" if dip else ""
        said += f" to {percent(last.accuracy['retain'], 0)}" + _beside(found, "retain")
    return said if found.gold else f"{said} {NO_GOLD}"


def _beside(series: SnapshotSeries, side: str) -> str:
    """Gold's figure for the same pictures, and the end of the sentence."""
    if series.gold is None or side not in series.gold.accuracy:
        return "."
    return f"; gold names {percent(series.gold.accuracy[side], 0)} of the same rightly."


def _most_in(series: SnapshotSeries, side: str, sign: int) -> str:
    """The phase that moved an accuracy most, where it moved at all and there was more than one phase."""
    accuracies = [moment.accuracy[side] for moment in series.snapshots]
    moved: dict[str, float] = {}
    for name, begin, end in phase_segments([moment.phase for moment in series.snapshots]):
        moved[name] = moved.get(name, 0.0) + accuracies[end] - accuracies[max(0, begin - 1)]
    most = max(moved, key=lambda name: sign * moved[name])
    worth = len(moved) > 1 and sign * moved[most] > 0.02
    return f" (most of it in {most})" if worth else ""


def alt_text(report: Report) -> str:
    """Both accuracies and the commonest answer at the end of every phase, and gold's."""
    found, classes = snapshot_series(report), report.dataset.classes
    stretches = phase_segments([moment.phase for moment in found.snapshots])
    stops = [("at the start", found.snapshots[0])] + [
        (f"after {name}", found.snapshots[end]) for name, _, end in stretches
    ]
    stops += [("gold", found.gold)] if found.gold else []
    said = []
    for name, sight in stops:
        shares = [
            f"{side} {percent(sight.accuracy[side], 0)}" for side in ("forget", "retain") if side in sight.accuracy
        ]
        most = int(sight.shares.argmax())
        said.append(f"{name}: {join_names(shares)}, forgotten ones mostly called {classes[most]}")
    shown = len(report.parts["snapshots"].arrays["shown"])
    return (
        f"A slider over {len(found.snapshots)} moments of the run moves a line of accuracies, bars of answers, a density "
        f"of logits and heat maps of {shown} pictures. Accuracies: {'; '.join(said)}."
    )


CHART = Chart(
    id="replay",
    title="Replay of the run",
    question="What happened on the way?",
    caveat="A few fixed pictures were asked now and then while the method worked: forgotten training pictures and "
    "validation pictures, never test pictures, in the precision of training. They show the course, with steps as "
    "coarse as one picture; what counts is measured on all pictures at the end. Each picture's heat maps share one "
    "scale over all moments and gold, and are asked for its own class. Gold did not come this way: its marks say where "
    "the way should end, not how.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=HEADER_HEIGHT + HEIGHT,
)
