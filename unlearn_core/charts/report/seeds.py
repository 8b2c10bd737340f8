"""Accuracies of the same run from several seeds, with their mean and its interval: would another seed change it?"""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, panels, percent_axis
from unlearn_core.charts.drawing import seed_curves
from unlearn_core.charts.drawing.dumbbell import intervals, row_axis, row_heights, set_row_labels
from unlearn_core.charts.drawing.seed_statistics import (
    SeedInterval,
    applies,
    metric_values,
    seed_accuracies,
    seed_runs,
    t_interval,
)
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style, text_color, with_alpha
from unlearn_core.charts.drawing.wording import (
    MODEL_LABELS,
    SET_LABELS,
    capitalize,
    eval_forget_set,
    forget_set_label,
    number,
    percent,
    retain_test_label,
)
from unlearn_core.domain.report import Report
from unlearn_core.domain.split import set_label

_LIFT = 0.3
_GAP = 2 * "\N{NO-BREAK SPACE}"


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per metric and seed, and one for the mean over seeds with its 95 % t-interval."""

    def rows(report: Report) -> list[Row]:
        made: list[Row] = []
        for title, values in metric_values(report).items():
            own = seed_runs(report)
            for one, value in zip(own, values, strict=True):
                made.append({"metric": title, "of": f"seed {one.seed}", "run of the seed": one.run, "value": value})
            over = t_interval(values)
            mean = {"value": over.mean, "low": over.low, "high": over.high}
            made.append({"metric": title, "of": f"mean of {len(own)} seeds", "run of the seed": None, **mean})
        return made

    return build_table(reports, rows)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one row per set: a small dot per seed, their mean with its t-interval, and before and gold."""
    sets = [name for name in SET_LABELS if any(seed_accuracies(report, name) for report in reports)]
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        drawn.add_traces(_rows(report, row_heights(sets), theme), rows=1, cols=column)
    drawn.update_yaxes(**row_axis(set_row_labels(sets), theme, size=13, room=(0.5, 0.7)))
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.03, 1.03, max_ticks=3 if len(reports) > 1 else 5))
    drawn.update_xaxes(title_text="accuracy", row=1)
    return drawn


def _rows(report: Report, heights: dict[str, int], theme: Theme) -> list[go.Scatter]:
    known = {name: own for name in heights if (own := seed_accuracies(report, name))}
    over = {name: t_interval(own) for name, own in known.items()}
    each = go.Scatter(
        name="single seeds",
        x=[value for own in known.values() for value in own],
        y=[heights[name] for name, own in known.items() for _ in own],
        mode="markers",
        marker={"size": 7, "color": with_alpha(theme.after, 0.35), "line": {"width": 0}},
        customdata=[[own.seed, own.run] for _ in known for own in seed_runs(report)],
        hovertemplate="seed %{customdata[0]}, run %{customdata[1]}<br>%{x:.1%} correct<extra></extra>",
        cliponaxis=False,
    )
    mean = go.Scatter(
        name="mean over seeds",
        x=[one.mean for one in over.values()],
        y=[heights[name] + _LIFT for name in over],
        mode="markers",
        marker=marker_style(theme, "after", 9),
        error_x=intervals(
            # A share lies between 0 and 1, whatever the t distribution says.
            [(max(0.0, one.low), one.mean, min(1.0, one.high)) for one in over.values()],
            theme.after,
            thickness=2,
            cap=4,
        ),
        customdata=[[percent(one.low), percent(one.high), len(seed_runs(report))] for one in over.values()],
        hovertemplate="<b>mean of %{customdata[2]} seeds</b><br>%{x:.1%}<br>95 % t-interval %{customdata[0]} to "
        "%{customdata[1]}<extra></extra>",
        cliponaxis=False,
    )
    return [
        each,
        *(_beside(report, model, heights, theme) for model in _models(report)),
        mean,
        _labels(over, heights, theme),
    ]


def _labels(over: dict[str, SeedInterval], heights: dict[str, int], theme: Theme) -> go.Scatter:
    """Label each mean, at the end of its interval that is nearer to the middle."""
    left = [one.mean > 0.6 for one in over.values()]
    return go.Scatter(
        x=[max(0.0, one.low) if own else min(1.0, one.high) for own, one in zip(left, over.values(), strict=True)],
        y=[heights[name] + _LIFT for name in over],
        text=[f"{_GAP}{percent(one.mean)}{_GAP}" for one in over.values()],
        textposition=["middle left" if own else "middle right" for own in left],
        textfont={"size": SMALL_FONT, "color": text_color(theme, "after")},
        mode="text",
        cliponaxis=False,
        hoverinfo="skip",
    )


def _models(report: Report) -> list[str]:
    """Return before, and gold where all seeds have it."""
    return [m for m in ("before", "gold") if all(m in own.accuracy for own in seed_runs(report))]


def _beside(report: Report, model: str, heights: dict[str, int], theme: Theme) -> go.Scatter:
    own = seed_runs(report)[0].accuracy[model]
    known = {name: at for name, at in heights.items() if name in own}
    return go.Scatter(
        name=MODEL_LABELS[model],
        x=[own[name] for name in known],
        y=[at - _LIFT for at in known.values()],
        mode="markers",
        marker=marker_style(theme, model, 8),
        hovertemplate=f"<b>{MODEL_LABELS[model]}</b>, one model<br>%{{x:.1%}} correct<extra></extra>",
        cliponaxis=False,
    )


def summary(report: Report) -> str:
    """Describe the mean accuracies over seeds with their intervals, compared with gold."""
    own = seed_runs(report)
    forget, retain = (t_interval(seed_accuracies(report, name)) for name in (eval_forget_set(report), "retain_test"))
    gold = own[0].accuracy.get("gold")
    golds = [
        f" (retrained model: {percent(gold[name])})" if gold else ""
        for name in (eval_forget_set(report), "retain_test")
    ]
    said = (
        f"Over {len(own)} seeds, {percent(forget.mean)} of the {forget_set_label(report)} are classified correctly, "
        f"95 % t-interval {_span(forget)}{golds[0]}; of the {retain_test_label(report)}, "
        f"{percent(retain.mean)}, {_span(retain)}{golds[1]}. {_distance(report)}"
        f"These intervals are over seeds, not over images."
    )
    return said if gold else f"{said} {NO_GOLD}"


def _span(one: SeedInterval) -> str:
    if one.lowest == one.highest:
        return "the same for every seed"
    return f"{percent(max(0.0, one.low))} to {percent(min(1.0, one.high))}"


def _distance(report: Report) -> str:
    known = metric_values(report).get("distance to retrained, bits")
    if known is None:
        return ""
    one = t_interval(known)
    interval = f"{number(max(0.0, one.low), 3)} to {number(one.high, 3)}"
    return f"Distance to the retrained model: {number(one.mean, 3)} bits, {interval}. "


def alt_text(report: Report) -> str:
    """List the mean and the range of every set."""
    rows = [
        f"{capitalize(set_label(name))}: mean {percent(t_interval(own).mean)}, "
        f"from {percent(min(own))} to {percent(max(own))}."
        for name in SET_LABELS
        if (own := seed_accuracies(report, name))
    ]
    what = f"Dot chart of accuracies after forgetting {report.forget_set_title} from {len(seed_runs(report))} seeds."
    return f"{what} {' '.join(rows)}"


CHART = Chart(
    id="seeds",
    title="Variation over seeds",
    question="Would another seed change the result?",
    caveat="Only the method was repeated: there is one original and one retrained model, so the chart shows how much "
    "the randomness of the method matters on these images. The interval is for the mean over seeds (Student's t, 95 "
    "%) and wide where seeds are few; for the variation over images, see the intervals of the other charts. No single "
    "model is the mean.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Overview",
    order=10,
    optional=True,
    export_variants=True,
    is_compared=False,
)
_COURSE = replace(
    CHART,
    id="seeds-course",
    applies=seed_curves.needs_curves,
    figure=seed_curves.figure,
    summary=seed_curves.summary,
    alt_text=seed_curves.alt_text,
)
CHART = replace(
    CHART,
    variants={"Final accuracy": CHART, "Accuracy over time": _COURSE},
    former_variants={"Figures": "Final accuracy", "As it went": "Accuracy over time"},
)
