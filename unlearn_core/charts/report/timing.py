"""Where did the time go? Seconds of each phase, then of measuring, one after the other."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import Chart, build_table, needs, panels
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, with_alpha
from unlearn_core.charts.drawing.wording import percent, seconds
from unlearn_core.domain.report import Report

_SHOWN = 0.01
"""What takes less than this share of the whole, and is neither a phase nor a measurement, is left out."""


class TimeSegment(NamedTuple):
    """A piece of a run: when it began and how long it took, in seconds; optimiser steps if it is a phase."""

    name: str
    start: float
    seconds: float
    steps: int | None
    is_forgetting: bool


def time_segments(report: Report) -> list[TimeSegment]:
    """Everything that a run spent time on, in order; what is not accounted for is named as such."""
    facts = report.parts["timings"].facts
    spent = facts["seconds"]
    load = spent.get("load", 0.0)
    pieces: list[tuple[str, float, int | None, bool]] = []
    if load > _SHOWN * spent["total"]:
        pieces.append(("loading", load, None, False))
    pieces += [(phase["name"], phase["seconds"], phase["steps"], True) for phase in facts["phases"]]
    between = spent["forget"] - sum(phase["seconds"] for phase in facts["phases"])
    if between > _SHOWN * spent["total"]:
        pieces.append(("between phases", between, None, True))
    pieces += [("evaluating", spent["evaluate"], None, False), ("other measures", spent["probes"], None, False)]
    rest = spent["total"] - load - spent["forget"] - spent["evaluate"] - spent["probes"]
    if rest > _SHOWN * spent["total"]:
        pieces.append(("other", rest, None, False))
    found, at = [], 0.0
    for name, length, steps, forgetting in pieces:
        found.append(TimeSegment(name, at, length, steps, forgetting))
        at += length
    return found


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a stretch of time."""

    def rows(report: Report) -> list[dict[str, Any]]:
        return [
            {"stretch": piece.name, "steps": piece.steps, "start": piece.start, "seconds": piece.seconds}
            for piece in time_segments(report)
        ]

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Bars that begin where the one above ended: forgetting in the accent, measuring in grey."""
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
    """The whole, the share of forgetting, and the pace."""
    facts = report.parts["timings"].facts
    spent = facts["seconds"]
    share = spent["forget"] / spent["total"] if spent["total"] else 0.0
    where = facts["device"]
    said = f"{seconds(spent['total'])} in all on {where}: {seconds(spent['forget'])} forgetting ({percent(share, 0)})"
    if facts["phases"]:
        longest = max(facts["phases"], key=lambda phase: phase["seconds"])
        said += f", of which {longest['name']} took most ({seconds(longest['seconds'])})"
    if facts["pictures"] and spent["forget"]:
        pace = facts["pictures"] / spent["forget"]
        said += f". {facts['pictures']:,} pictures went through the net, {pace:,.0f} a second"
    return f"{said}."


def alt_text(report: Report) -> str:
    """Every stretch with its seconds."""
    rows = [f"{piece.name} {seconds(piece.seconds)}" for piece in time_segments(report)]
    return f"Bars of where the time went, one after the other: {', '.join(rows)}."


CHART = Chart(
    id="timing",
    title="Time per phase",
    question="Where did the time go?",
    caveat="Measured on this machine, with whatever else ran there. Noise, importance, masks and teachers are counted "
    "as forgetting, since the method cannot do without them. The first run after a start is slower. How much "
    "faster this is than retraining depends as much on the retraining's recipe as on the method.",
    applies=needs("timings"),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    height=250,
)
