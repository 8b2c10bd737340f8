"""Stopping rule: the share of forget images not yet at the goal after each step, and why the method stopped."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs, panels, percent_axis
from unlearn_core.charts.drawing.theme import PlotlyDict, Theme, line_style
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.method_artifacts import StopRule

_WHAT = {"misclassify": "still classified correctly", "relabel": "not yet predicted as their new label"}


def remaining_share(report: Report) -> np.ndarray:
    """Return the share (0 to 1) of forget images not yet at the goal, before the first step and after each."""
    return report[StopRule].remaining.astype(float)


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per step."""
    return build_table(
        reports,
        lambda report: [
            {"step": step, "remaining": share} for step, share in enumerate(remaining_share(report).tolist())
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one line over the steps, with a dot at its end."""
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        values = remaining_share(report).tolist()
        line = go.Scatter(
            name="remaining",
            x=list(range(len(values))),
            y=values,
            mode="lines+markers",
            line=line_style(theme, "forget", 2.5),
            marker={"size": [0] * (len(values) - 1) + [10], "color": theme.forget, "opacity": 1},
            hovertemplate=f"step %{{x}}<br>%{{y:.1%}} {_WHAT[report[StopRule].goal]}<extra></extra>",
            cliponaxis=False,
        )
        drawn.add_trace(line, row=1, col=column)
    axis: PlotlyDict = percent_axis(-0.03, 1.03)
    drawn.update_yaxes(showgrid=True, **axis)
    words = {_WHAT[report[StopRule].goal] for report in reports}
    drawn.update_yaxes(title_text=words.pop() if len(words) == 1 else "not yet at the goal", col=1)
    drawn.update_xaxes(title_text="steps", nticks=6, rangemode="tozero")
    return drawn


def summary(report: Report) -> str:
    """Describe after how many steps it stopped, with which share, and why."""
    values, rule = remaining_share(report), report[StopRule]
    steps, share = len(values) - 1, percent(float(values[-1]))
    what = f"{share} of the forget images are {_WHAT[rule.goal]}"
    counted = _step_count(steps)
    if rule.done:
        said = f"It stopped after {counted} of at most {rule.max_steps:,} because it reached its goal: {what}."
    else:
        said = f"It ran all {counted} without reaching its goal: {what}."
    return f"{said} {_gold(report)}"


def _gold(report: Report) -> str:
    """Return the accuracy of gold on the forget images."""
    if "gold" not in report.evaluations:
        return NO_GOLD
    rows = report.split.forget_train
    right = report.evaluations["gold"].logits[rows].argmax(1) == report.labels[rows]
    return f"The retrained model, which was not trained on them, classifies {percent(float(right.mean()))} correctly."


def _step_count(steps: int) -> str:
    return f"{steps:,} step{'' if steps == 1 else 's'}"


def alt_text(report: Report) -> str:
    """List the share at the start, halfway and at the end."""
    values = remaining_share(report)
    at = sorted({0, (len(values) - 1) // 2, len(values) - 1})
    points = [f"{percent(float(values[step]))} after {_step_count(step)}" for step in at]
    return f"Line of the share of forget images {_WHAT[report[StopRule].goal]}: {', '.join(points)}."


CHART = Chart(
    id="stopped",
    title="Stopping rule",
    question="When did the method stop, and why?",
    caveat="The forget images themselves decide when to stop: they are evaluated in eval mode after every step. This "
    "makes forgetting look better than it is: images that barely crossed the decision boundary count as forgotten, "
    "and a little more training would recover them. For a large request a sample is evaluated until it reaches the "
    "goal, then all.",
    applies=needs(StopRule, otherwise="This method has no stopping rule on the forget images: it runs all its steps."),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="How it went",
    order=40,
    optional=True,
    is_compared=False,
)
