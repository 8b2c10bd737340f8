"""Relearn time: how fast after, gold and a fresh model classify forget images correctly when fine-tuned on a few."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, needs, panels, percent_axis, spread_labels
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, marker_style, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, number, percent
from unlearn_core.charts.text.claims import relearning_direction
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import RelearnResult, RelearnTimes

OFFER_TEXT = "The relearn time has not been measured for this run: it is only measured on request."
FRESH = "fresh"
_LABELS = MODEL_LABELS | {FRESH: "fresh model"}


class RelearnCurve(NamedTuple):
    """A model's forget accuracy at each step (mean, lowest, highest draw), and where its retain accuracy suffices."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_sane: np.ndarray


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model, draw and step: both accuracies (0 to 1)."""

    def rows(report: Report) -> list[Row]:
        result = report[RelearnResult]
        return [
            {"model": _LABELS[model], "draw": draw, "step": step, "forget": float(forget), "retain": float(retain)}
            for model in result.models
            for draw, both in enumerate(zip(result.forget[model], result.retain[model], strict=True), 1)
            for step, forget, retain in zip(_steps(report), *both, strict=True)
        ]

    return build_table(reports, rows)


def _steps(report: Report) -> list[int]:
    """Return the steps after which the models were evaluated; they differ in older reports."""
    return report[RelearnResult].steps.astype(int).tolist()


def _last(report: Report) -> int:
    return _steps(report)[-1]


def _line(report: Report, model: str) -> RelearnCurve:
    result = report[RelearnResult]
    forget, retain = result.forget[model], result.retain[model].mean(0)
    return RelearnCurve(forget.mean(0), forget.min(0), forget.max(0), retain >= result.floor - 1e-9)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw a line per model over the steps, a band for its draws, and the original model's accuracy as the ceiling."""
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        here: PlotlyDict = {"row": 1, "col": column}
        for trace in _ceiling_lines(report, theme):
            drawn.add_trace(trace, **here)
        for model in reversed(list(report[RelearnResult].models)):
            for trace in _traces(report, model, theme):
                drawn.add_trace(trace, **here)
        for label in _labels(report, theme):
            drawn.add_annotation(**label, **here)
    last = max(_last(report) for report in reports)
    shown = [step for step in (0, 1, 2, 4, 8, 16, 32, 64) if step <= last]
    drawn.update_xaxes(
        range=[-0.05, _at(last) * 1.62], tickvals=[_at(step) for step in shown], ticktext=[str(step) for step in shown]
    )
    drawn.update_xaxes(title_text="fine-tuning steps (log scale)", row=1)
    drawn.update_yaxes(showgrid=True, **percent_axis(-0.03, 1.06))
    return drawn


def _ceiling_lines(report: Report, theme: Theme) -> list[go.Scatter]:
    """Return the original model's accuracy as a line, and a thinner line at the accuracy that counts as relearned."""
    result = report[RelearnResult]
    lines = (("before", result.ceiling, 2.0), ("counts as relearned", result.target, 1.0))
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
    """Return the position of a step on the axis: logarithmic, with a place for zero."""
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
        name=f"draws, {_LABELS[model]}",
        mode="lines",
    )
    below_floor = go.Scatter(
        x=at, y=line.mean.tolist(), mode="lines", line={"color": with_alpha(colour, 0.5), "width": 1}, hoverinfo="skip"
    )
    known = go.Scatter(
        name=_LABELS[model],
        x=at,
        y=[float(value) if sane else None for value, sane in zip(line.mean, line.is_sane, strict=True)],
        mode="lines+markers",
        line={"color": colour, "width": 2.5, "dash": {"gold": "dot", FRESH: "dash"}.get(model, "solid")},
        marker={"color": colour, "size": 6} if model == FRESH else marker_style(theme, model, 6),
        customdata=steps,
        hovertemplate=hint,
        connectgaps=False,
    )
    return [band, below_floor, known]


def _line_color(theme: Theme, model: str) -> str:
    return theme.quiet if model == FRESH else getattr(theme, model)


def _labels(report: Report, theme: Theme) -> list[PlotlyDict]:
    """Label each line at its end, and the ceiling."""
    result = report[RelearnResult]
    ends = [float(_line(report, model).mean[-1]) for model in result.models]
    texts = [f"{_LABELS[model]}, {_step_text(times.time)}" for model, times in result.models.items()]
    heights = spread_labels([*ends, result.ceiling], 0.085)
    names = [*texts, f"before {percent(result.ceiling, 0)}"]
    inks = [
        theme.after if model == "after" else theme.quiet if model == FRESH else theme.ink for model in result.models
    ]
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


def _step_text(time: int | None) -> str:
    return "never" if time is None else "at once" if time == 0 else f"step {time}"


def summary(report: Report) -> str:
    """Compare the relearn time of after with gold's and with a fresh model's."""
    result, last = report[RelearnResult], _last(report)
    after, gold, fresh = result.models["after"], result.models.get("gold"), result.models[FRESH]
    if gold is None:
        said = f"{_back(after, last)}. {NO_GOLD}"
    else:
        said = f"{_back(after, last)}; the retrained model {_takes(gold, last)}: {_verdict(after, gold)}"
        said += "." if result.index is None else f" (anamnesis index {number(result.index, 2)})."
    return f"{said} A fresh model {_takes(fresh, last)}. {_setup(result)}"


def _back(times: RelearnTimes, last: int) -> str:
    if times.time is None:
        return f"Not relearned within {last} steps"
    if times.time == 0:
        return "Relearned before the first step"
    return f"Relearned in {times.time} step{'' if times.time == 1 else 's'}"


def _takes(times: RelearnTimes, last: int) -> str:
    if times.time is None:
        return f"does not get there within {last}"
    return "needs none" if times.time == 0 else f"takes {times.time}"


def _verdict(after: RelearnTimes, gold: RelearnTimes) -> str:
    """Compare two sets of times in words."""
    if after.time is None and gold.time is None:
        return "neither relearns, so no difference is visible"
    direction = relearning_direction(after, gold)
    if direction == "left":
        return "some information was left"
    if direction == "beyond":
        return "it learns more slowly than a model that was not trained on them, so unlearning did damage"
    return "the draws overlap, so no difference to a model that was not trained on them is visible"


def _setup(result: RelearnResult) -> str:
    """Say which images the models were fine-tuned and evaluated on."""
    count, taught, goal = result.evaluated.forget, result.num_taught, percent(result.target, 0)
    if result.evaluated.set == "taught":
        images = "the same image" if count == 1 else f"the same {count} images"
        return f"Fine-tuned and evaluated on {images}, as there are no others."
    kind = {"forget_val": "validation images", "forget_train": "other forget images"}[result.evaluated.set]
    images = "forget image" if taught == 1 else "forget images"
    return f"Fine-tuned on {taught} {images}, evaluated on {count} {kind}; relearned means {goal} accuracy."


def alt_text(report: Report) -> str:
    """Describe where each line begins and ends, and when it reaches the target."""
    result = report[RelearnResult]
    lines = {model: _line(report, model).mean for model in result.models}
    told = [
        f"{_LABELS[model]} from {percent(mean[0], 0)} to {percent(mean[-1], 0)}, "
        f"relearned: {_step_text(result.models[model].time)}"
        for model, mean in lines.items()
    ]
    return (
        f"Lines of the accuracy on forget images over {_last(report)} fine-tuning steps; {'; '.join(told)}; "
        f"before unlearning it was {percent(result.ceiling, 0)}."
    )


CHART = Chart(
    id="relearn",
    title="Relearn time",
    question="How fast can the forget set be relearned?",
    caveat="Copies of the models are fine-tuned on a few training images of the forget set, together with retained "
    "images, all in the same way. What is relearned faster than in the retrained model was not gone, whatever the "
    "accuracy said. What is relearned no faster is not proven gone: other fine-tuning may recover it. Much slower "
    "than the retrained model means damage. A step counts only while the retain accuracy is at least half of that "
    "before: thin lines are models that predict one class for everything. The time depends on learning rate and batch "
    "size, so only the comparison with the retrained model is meaningful. Bands are the lowest and highest of three "
    "draws.",
    applies=needs(RelearnResult, otherwise=OFFER_TEXT),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Privacy",
    order=20,
)
