"""Time of each phase of a run, then of its measurements, in seconds and in order."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, Row, build_table, needs, panels
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, with_alpha
from unlearn_core.charts.drawing.wording import percent, seconds
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import TimingsResult

_SHOWN = 0.01
"""Segments that are neither a phase nor a measurement are left out below this share of the total."""


class TimeSegment(NamedTuple):
    """A segment of a run: its start and duration in seconds, and its optimiser steps if it is a phase."""

    name: str
    start: float
    seconds: float
    steps: int | None
    is_forgetting: bool


def time_segments(report: Report) -> list[TimeSegment]:
    """Return the segments of a run in order; unaccounted time becomes a segment "other"."""
    timings = report[TimingsResult]
    spent = timings.seconds
    segments: list[tuple[str, float, int | None, bool]] = []
    if spent.load > _SHOWN * spent.total:
        segments.append(("loading", spent.load, None, False))
    segments += [(phase.name, phase.seconds, phase.steps, True) for phase in timings.phases]
    between = spent.forget - sum(phase.seconds for phase in timings.phases)
    if between > _SHOWN * spent.total:
        segments.append(("between phases", between, None, True))
    segments += [("evaluation", spent.evaluate, None, False), ("other measurements", spent.probes, None, False)]
    rest = spent.total - spent.load - spent.forget - spent.evaluate - spent.probes
    if rest > _SHOWN * spent.total:
        segments.append(("other", rest, None, False))
    found, at = [], 0.0
    for name, length, steps, forgetting in segments:
        found.append(TimeSegment(name, at, length, steps, forgetting))
        at += length
    return found


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per segment."""

    def rows(report: Report) -> list[Row]:
        return [
            {"segment": segment.name, "steps": segment.steps, "start": segment.start, "seconds": segment.seconds}
            for segment in time_segments(report)
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw bars that start where the previous one ended: unlearning in the accent, measurements in grey."""
    found = [time_segments(report) for report in reports]
    most = max(len(pieces) for pieces in found)
    end = max(pieces[-1].start + pieces[-1].seconds for pieces in found)
    drawn = panels(reports, theme, height=70 + 30 * most, shared_y=False)
    for column, pieces in enumerate(found, 1):
        rows = list(range(len(pieces)))
        drawn.add_trace(
            go.Bar(
                x=[piece.seconds for piece in pieces],
                y=rows,
                base=[piece.start for piece in pieces],
                orientation="h",
                width=0.62,
                marker={
                    "color": [theme.after if piece.is_forgetting else with_alpha(theme.before, 0.6) for piece in pieces]
                },
                customdata=[[piece.name, seconds(piece.seconds), _steps(piece)] for piece in pieces],
                hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}%{customdata[2]}<extra></extra>",
            ),
            row=1,
            col=column,
        )
        for row, piece in enumerate(pieces):
            ends = piece.start + piece.seconds
            before = ends > 0.8 * end
            drawn.add_annotation(
                text=seconds(piece.seconds),
                x=piece.start if before else ends,
                y=row,
                xanchor="right" if before else "left",
                xshift=-5 if before else 5,
                row=1,
                col=column,
            )
        drawn.update_yaxes(tickvals=rows, ticktext=[piece.name for piece in pieces], row=1, col=column)
    drawn.update_yaxes(range=[most - 0.45, -0.55], tickfont={"size": SMALL_FONT + 1, "color": theme.ink})
    drawn.update_xaxes(range=[0, end * 1.02], showgrid=True, nticks=6, ticksuffix=" s")
    return drawn


def _steps(segment: TimeSegment) -> str:
    return "" if segment.steps is None else f", {segment.steps:,} steps"


def summary(report: Report) -> str:
    """Describe the total, the share of unlearning, and the throughput."""
    timings = report[TimingsResult]
    spent, where = timings.seconds, timings.device
    share = spent.forget / spent.total if spent.total else 0.0
    said = f"{seconds(spent.total)} in total on {where}: {seconds(spent.forget)} unlearning ({percent(share, 0)})"
    if timings.phases:
        longest = max(timings.phases, key=lambda phase: phase.seconds)
        said += f", most of it in {longest.name} ({seconds(longest.seconds)})"
    if timings.images and spent.forget:
        said += f". {timings.images:,} images were processed, {timings.images / spent.forget:,.0f} per second"
    return f"{said}."


def alt_text(report: Report) -> str:
    """List every segment with its seconds."""
    rows = [f"{segment.name} {seconds(segment.seconds)}" for segment in time_segments(report)]
    return f"Bars of where the time went, one after the other: {', '.join(rows)}."


CHART = Chart(
    id="timing",
    title="Time per phase",
    question="Where did the time go?",
    caveat="Measured on this machine, together with whatever else was running. Preparing noise, importance, masks and "
    "teachers counts as unlearning, since the method needs them. The first run after a start is slower. The speed-up "
    "over retraining depends as much on the training recipe as on the method.",
    applies=needs(TimingsResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=250,
    section="How it went",
    order=30,
)
