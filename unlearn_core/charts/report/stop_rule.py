"""When was it done? The share of forgotten pictures still to be changed, step by step, and why it stopped."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, panels, percent_axis
from unlearn_core.charts.drawing.theme import Theme, line_style
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.report import Report

_WHAT = {"misclassify": "still named rightly", "relabel": "not yet called by their new label"}


def applies(report: Report) -> Literal[True] | str:
    """Only methods that watch the forgotten pictures for a sign to stop keep what they saw."""
    extras = report.parts.get("extras")
    if extras is not None and "stopped" in extras.arrays:
        return True
    return "This method does not watch the forgotten pictures while it works: it makes all its steps."


def remaining_share(report: Report) -> np.ndarray:
    """The share (0 to 1) of forgotten pictures still to be changed, before the first step and after each."""
    return report.parts["extras"].arrays["stopped"].astype(float)


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a step."""
    return build_table(
        reports,
        lambda report: [{"step": step, "left": share} for step, share in enumerate(remaining_share(report).tolist())],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """One line over the steps, with a dot where it ended."""
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        values = remaining_share(report).tolist()
        line = go.Scatter(
            name="left",
            x=list(range(len(values))),
            y=values,
            mode="lines+markers",
            line=line_style(theme, "forget", 2.5),
            marker={"size": [0] * (len(values) - 1) + [10], "color": theme.forget, "opacity": 1},
            hovertemplate=f"step %{{x}}<br>%{{y:.1%}} {_WHAT[_facts(report)['goal']]}<extra></extra>",
            cliponaxis=False,
        )
        drawn.add_trace(line, row=1, col=column)
    axis: dict[str, Any] = percent_axis(-0.03, 1.03)
    drawn.update_yaxes(showgrid=True, **axis)
    words = {_WHAT[_facts(report)["goal"]] for report in reports}
    drawn.update_yaxes(title_text=words.pop() if len(words) == 1 else "still to be changed", col=1)
    drawn.update_xaxes(title_text="steps", nticks=6, rangemode="tozero")
    return drawn


def _facts(report: Report) -> dict[str, Any]:
    return report.parts["extras"].facts["stopped"]


def summary(report: Report) -> str:
    """After how many steps it ended, with what, and why."""
    values, facts = remaining_share(report), _facts(report)
    steps, share = len(values) - 1, percent(float(values[-1]))
    what = f"{share} of the forgotten pictures are {_WHAT[facts['goal']]}"
    counted = _counted(steps)
    if facts["done"]:
        said = f"It stopped after {counted} of at most {facts['most']:,}, because its goal was reached: {what}."
    else:
        said = f"It made all {counted} that it was given and was not told to stop: {what}."
    return f"{said} {_gold(report)}"


def _gold(report: Report) -> str:
    """How many of the forgotten pictures gold, which never saw them, names rightly."""
    if "gold" not in report.evaluations:
        return NO_GOLD
    rows = report.split.forget_train
    right = report.evaluations["gold"].logits[rows].argmax(1) == report.labels[rows]
    return f"Gold, which never saw them, names {percent(float(right.mean()))} of them rightly."


def _counted(steps: int) -> str:
    return f"{steps:,} step{'' if steps == 1 else 's'}"


def alt_text(report: Report) -> str:
    """The share at the start, halfway and at the end."""
    values = remaining_share(report)
    at = sorted({0, (len(values) - 1) // 2, len(values) - 1})
    points = [f"{percent(float(values[step]))} after {_counted(step)}" for step in at]
    return f"Line of the share of forgotten pictures {_WHAT[_facts(report)['goal']]}: {', '.join(points)}."


CHART = Chart(
    id="stopped",
    title="Stopping rule",
    question="When did the method stop, and why?",
    caveat="The forgotten pictures themselves say when to stop, asked in eval mode after every step. That makes this "
    "line look better than forgetting is: pictures that barely fell over the border count as forgotten, and a little "
    "more training would bring them back. Of a large request a sample is asked until it is done, then all.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
