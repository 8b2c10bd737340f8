"""Can it be brought back? How soon after, gold and a fresh net name the forgotten pictures again when taught a few."""

from collections.abc import Sequence
from math import inf
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, panels, percent_axis, spread_labels
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import Report

PART = "relearn"
OFFER_TEXT = (
    "Whether it can be brought back has not been measured for this run: that is done when somebody asks for it."
)
FRESH = "fresh"


class RelearnCurve(NamedTuple):
    """A model's mean over the draws at each step, the spread of the draws, and where the kept ones are known."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_sane: np.ndarray


def applies(report: Report) -> Literal[True] | str:
    """True, or why there is nothing to draw: it costs too much to be measured unasked."""
    return True if PART in report.parts else report.missing.get(PART, OFFER_TEXT)


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """One row a model, draw and step: both accuracies (0 to 1)."""

    def rows(report: Report) -> list[dict[str, Any]]:
        arrays = report.parts[PART].arrays
        return [
            {"model": model, "draw": draw, "step": step, "forget": float(forget), "keep": float(keep)}
            for model in _models(report)
            for draw, both in enumerate(zip(arrays[model], arrays[f"{model}_keep"], strict=True), 1)
            for step, forget, keep in zip(_steps(report), *both, strict=True)
        ]

    return build_table(reports, rows)


def _steps(report: Report) -> list[int]:
    """The steps after which the nets were asked; an older report may have asked after others."""
    return report.parts[PART].arrays["step"].astype(int).tolist()


def _last(report: Report) -> int:
    return _steps(report)[-1]


def _models(report: Report) -> dict[str, Any]:
    return report.parts[PART].facts["models"]


def _line(report: Report, model: str) -> RelearnCurve:
    part = report.parts[PART]
    forget, keep = part.arrays[model], part.arrays[f"{model}_keep"].mean(0)
    return RelearnCurve(forget.mean(0), forget.min(0), forget.max(0), keep >= part.facts["floor"] - 1e-9)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """A line a model over the steps, a band for its draws, and the original's accuracy as the ceiling."""
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        here: dict[str, Any] = {"row": 1, "col": column}
        for trace in _ceiling_lines(report, theme):
            drawn.add_trace(trace, **here)
        for model in reversed(list(_models(report))):
            for trace in _traces(report, model, theme):
                drawn.add_trace(trace, **here)
        for label in _labels(report, theme):
            drawn.add_annotation(**label, **here)
    last = max(_last(report) for report in reports)
    shown = [step for step in (0, 1, 2, 4, 8, 16, 32, 64) if step <= last]
    drawn.update_xaxes(
        range=[-0.05, _at(last) * 1.42], tickvals=[_at(step) for step in shown], ticktext=[str(step) for step in shown]
    )
    drawn.update_xaxes(title_text="steps of teaching (logarithmic)", row=1)
    drawn.update_yaxes(showgrid=True, **percent_axis(-0.03, 1.06))
    return drawn


def _ceiling_lines(report: Report, theme: Theme) -> list[go.Scatter]:
    """The original's accuracy as a line, and thinner under it the share of it that counts as brought back."""
    facts = report.parts[PART].facts
    lines = (("before", facts["ceiling"], 2.0), ("counts as brought back", facts["target"], 1.0))
    return [
        go.Scatter(
            name=name,
            x=[0, _at(_last(report))],
            y=[height, height],
            mode="lines",
            line={"color": theme.before, "width": width},
            hovertemplate=f"<b>{name}</b>: %{{y:.0%}}<extra></extra>",
        )
        for name, height, width in lines
    ]


def _at(step: int) -> float:
    """Where a step lies on the axis: logarithmic, with a place for none."""
    return float(np.log1p(step))


def _traces(report: Report, model: str, theme: Theme) -> list[go.Scatter]:
    line, colour = _line(report, model), _line_color(theme, model)
    steps = _steps(report)
    at = [_at(step) for step in steps]
    hint = "<b>%{fullData.name}</b> after %{customdata} steps: %{y:.0%}<extra></extra>"
    band = go.Scatter(
        x=[*at, *reversed(at)],
        y=[*line.high.tolist(), *line.low[::-1].tolist()],
        fill="toself",
        fillcolor=with_alpha(colour, 0.13),
        line={"width": 0},
        hoverinfo="skip",
        name=f"draws of {model}",
        mode="lines",
    )
    guessing = go.Scatter(
        x=at, y=line.mean.tolist(), mode="lines", line={"color": with_alpha(colour, 0.5), "width": 1}, hoverinfo="skip"
    )
    known = go.Scatter(
        name=model if model != FRESH else "fresh net",
        x=at,
        y=[float(value) if sane else None for value, sane in zip(line.mean, line.is_sane, strict=True)],
        mode="lines+markers",
        line={"color": colour, "width": 2.5, "dash": {"gold": "dot", FRESH: "dash"}.get(model, "solid")},
        marker={"color": colour, "size": 6} if model == FRESH else marker_style(theme, model, 6),
        customdata=steps,
        hovertemplate=hint,
        connectgaps=False,
    )
    return [band, guessing, known]


def _line_color(theme: Theme, model: str) -> str:
    return theme.quiet if model == FRESH else getattr(theme, model)


def _labels(report: Report, theme: Theme) -> list[dict[str, Any]]:
    """What each line is, behind its end, and the ceiling's name over its line."""
    facts, own = report.parts[PART].facts, _models(report)
    ends = {model: float(_line(report, model).mean[-1]) for model in own}
    texts = {model: f"{'fresh net' if model == FRESH else model}, {_count(one['time'])}" for model, one in own.items()}
    heights = spread_labels([*ends.values(), facts["ceiling"]], 0.085)
    names = [*texts.values(), f"before {percent(facts['ceiling'], 0)}"]
    inks = [theme.after if model == "after" else theme.quiet if model == FRESH else theme.ink for model in own]
    return [
        {
            "text": text,
            "x": _at(_last(report)),
            "y": height,
            "xanchor": "left",
            "xshift": 8,
            "font": {"size": SMALL_FONT, "color": ink},
        }
        for text, height, ink in zip(names, heights, [*inks, theme.ink], strict=True)
    ]


def _count(time: int | None) -> str:
    return "never" if time is None else "at once" if time == 0 else f"step {time}"


def summary(report: Report) -> str:
    """How soon after is back beside gold, and what that says."""
    facts, own = report.parts[PART].facts, _models(report)
    after, gold, last = own["after"], own.get("gold"), _last(report)
    if gold is None:
        said = f"{_back(after, last)}. {NO_GOLD}"
    else:
        said = f"{_back(after, last)} where gold {_takes(gold, last)}: {_verdict(after, gold)}"
        said += "." if facts["index"] is None else f" (anamnesis index {number(facts['index'], 2)})."
    return f"{said} A net that knows nothing {_takes(own[FRESH], last)}. {_who(report)}"


def _back(one: dict[str, Any], last: int) -> str:
    if one["time"] is None:
        return f"Not back within {last} steps"
    if one["time"] == 0:
        return "Back before the first step"
    return f"Back in {one['time']} step{'' if one['time'] == 1 else 's'}"


def _takes(one: dict[str, Any], last: int) -> str:
    if one["time"] is None:
        return f"is not there within {last}"
    return "needs none" if one["time"] == 0 else f"takes {one['time']}"


def _verdict(after: dict[str, Any], gold: dict[str, Any]) -> str:
    """What two sets of times say; where the draws overlap, nothing is claimed."""
    both = ([*one["times"], one["time"]] for one in (after, gold))
    ours, theirs = ([inf if time is None else time for time in times] for times in both)
    if after["time"] is None and gold["time"] is None:
        return "neither comes back, so no difference is seen"
    if max(ours) < min(theirs):
        return "something was left"
    if min(ours) > max(theirs):
        return "it is harder to teach than a net that never saw them, so forgetting did damage"
    return "the draws overlap, so no difference to a net that never saw them is seen"


def _who(report: Report) -> str:
    """Who was taught and who was asked."""
    facts = report.parts[PART].facts
    count, taught, goal = facts["asked"]["pictures"], facts["taught"], percent(facts["target"], 0)
    if facts["asked"]["set"] == "taught":
        return (
            f"Taught and asked about the same {'picture' if count == 1 else f'{count} pictures'}, for want of others."
        )
    which = {"forget_val": "unseen pictures", "forget_train": "forgotten pictures that were not taught"}
    return f"Taught {taught}, asked about {count} {which[facts['asked']['set']]}; back means that {goal} are named."


def alt_text(report: Report) -> str:
    """Where each line begins, when it is back, and where it ends."""
    lines = {model: _line(report, model).mean for model in _models(report)}
    told = [
        f"{'a fresh net' if model == FRESH else model} from {percent(mean[0], 0)} to {percent(mean[-1], 0)}, "
        f"back: {_count(_models(report)[model]['time'])}"
        for model, mean in lines.items()
    ]
    return (
        f"Lines of the accuracy on forgotten pictures over {_last(report)} steps of teaching; {'; '.join(told)}; "
        f"before stands at {percent(report.parts[PART].facts['ceiling'], 0)}."
    )


CHART = Chart(
    id="relearn",
    title="Relearn time",
    question="How fast can it be relearned?",
    caveat="Copies of the nets are taught a few forgotten training pictures again, beside kept ones, all by the same "
    "lessons. What comes back sooner than in gold was not gone, whatever the accuracy said; what comes no sooner is "
    "not thereby proven gone, for another way of teaching may find it. Far later than gold means damage. A step "
    "counts only while the kept pictures are still named half as well as before: thin lines are nets that call "
    "everything alike. The time depends on rate and batch, so only the comparison with gold means anything; bands are "
    "the lowest and highest of three draws.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
