"""What does this knob do? Both accuracies along its range, with gold, and where the preset stands."""

from dataclasses import replace
from functools import partial
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import HEIGHT, percent_axis
from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import SweepChart, Swept, accuracy, hover, needs_done, said, yardstick
from unlearn_core.charts.drawing.theme import SMALL, Theme, stroke, words_in
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.sweep import Trial

NAMES = {"retain": "kept ones", "forget": "forgotten ones"}


def applies(swept: Swept) -> Literal[True] | str:
    """Whether a trial is done that has accuracies."""
    answer = needs_done(swept)
    if answer is not True or any(accuracy(trial, "after", "retain") is not None for trial in swept.done):
        return answer
    return "No trial has accuracies on validation pictures, so there is nothing to draw."


def figure(swept: Swept, theme: Theme, *, knob: str | None = None) -> go.Figure:
    """A point a trial and side; a line through them where nothing else was turned."""
    knob = knob or swept.sweep.spec.ranges[0].knob
    scale, alone = sweep_drawing.scale(swept.range(knob)), len(swept.sweep.spec.ranges) == 1
    drawn = go.Figure()
    drawn.update_layout(template=theme.template, height=HEIGHT, clickmode="event+select", margin={"t": 18, "r": 8})
    trials = sorted(swept.done, key=lambda trial: scale.place(trial.params[knob]))
    for side in NAMES:
        own = [(trial, value) for trial in trials if (value := accuracy(trial, "after", side)) is not None]
        drawn.add_scatter(
            name=NAMES[side],
            x=[scale.place(trial.params[knob]) for trial, _ in own],
            y=[value for _, value in own],
            mode="lines+markers" if alone and not swept.range(knob).is_choice else "markers",
            line=stroke(theme, side, 2.5),
            marker={
                "color": getattr(theme, side),
                "size": 8,
                "symbol": "circle" if side == "retain" else "diamond-tall",
            },
            customdata=[trial.run for trial, _ in own],
            text=[hover(swept, trial) for trial, _ in own],
            hovertemplate="%{text}<extra></extra>",
            unselected={"marker": {"opacity": 1}},
            cliponaxis=False,
        )
        gold = yardstick(swept, "gold", side)
        if gold is not None:
            drawn.add_hline(gold, line={"color": theme.gold, "width": 1.5, "dash": "dot"})
    _label(drawn, swept, theme, trials, knob=knob)
    _mark_preset(drawn, swept, theme, knob=knob)
    ends = [scale.place(value) for value in _ends(swept, knob)]
    room = (max(ends) - min(ends)) * 0.04 if not swept.range(knob).is_choice else 0.5
    drawn.update_yaxes(showgrid=True, **percent_axis(-0.03, 1.12, most=6))
    drawn.update_xaxes(
        range=[min(ends) - room, max(ends) + room],
        tickvals=scale.marks,
        ticktext=scale.names,
        title_text=_axis_title(swept, knob),
    )
    return drawn


def sentence(swept: Swept, *, knob: str | None = None) -> str:
    """From where to where both accuracies go along the knob, and gold's."""
    knob = knob or swept.sweep.spec.ranges[0].knob
    scale = sweep_drawing.scale(swept.range(knob))
    trials = sorted(swept.done, key=lambda trial: scale.place(trial.params[knob]))
    parts = []
    for side, name in NAMES.items():
        own = [value for trial in trials if (value := accuracy(trial, "after", side)) is not None]
        gold = yardstick(swept, "gold", side)
        held = f" (gold {percent(gold)})" if gold is not None else ""
        if len(own) > 1:
            way = "from" if len(swept.sweep.spec.ranges) == 1 else "between"
            ends = (own[0], own[-1]) if way == "from" else (min(own), max(own))
            parts.append(f"{name} {way} {percent(ends[0])} {'to' if way == 'from' else 'and'} {percent(ends[1])}{held}")
        elif own:
            parts.append(f"{name} {percent(own[0])}{held}")
    first, last = trials[0].params[knob], trials[-1].params[knob]
    span = f"from {said(first)} to {said(last)}" if len(trials) > 1 else f"at {said(first)}"
    others = "" if len(swept.sweep.spec.ranges) == 1 else " The other knobs were turned too, so points scatter."
    return f"{swept.title(knob)} {span}: right are {', '.join(parts)}.{others}"


def alt(swept: Swept, *, knob: str | None = None) -> str:
    """The same in words."""
    return "Accuracies along a knob. " + sentence(swept, knob=knob)


def along(knob: str) -> SweepChart:
    """The same chart about this knob."""
    parts = {
        "figure": partial(figure, knob=knob),
        "sentence": partial(sentence, knob=knob),
        "alt": partial(alt, knob=knob),
    }
    return replace(SWEEP_CHART, id=f"along-{knob}", **parts)


def frame(swept: Swept) -> pd.DataFrame:
    """One row a trial, as every chart of a sweep has it."""
    return sweep_drawing.frame(swept)


def _ends(swept: Swept, knob: str) -> list:
    one = swept.range(knob)
    return list(one.values) if one.is_choice else [one.low, one.top]


def _axis_title(swept: Swept, knob: str) -> str:
    unit = swept.knobs[knob].unit if knob in swept.knobs else ""
    return swept.title(knob) + (f", {unit}" if unit else "")


def _label(drawn: go.Figure, swept: Swept, theme: Theme, trials: list[Trial], *, knob: str) -> None:
    """Names both sides at the left end of their points, clear of those nearby, and gold at the right."""
    scale = sweep_drawing.scale(swept.range(knob))
    places = [scale.place(trial.params[knob]) for trial in trials]
    near = [trial for trial, at in zip(trials, places, strict=True) if at <= places[0] + (places[-1] - places[0]) / 3]
    heights = {side: [v for trial in near if (v := accuracy(trial, "after", side)) is not None] for side in NAMES}
    upper = max(heights, key=lambda side: max(heights[side], default=0.0))
    for side, own in heights.items():
        if own:
            drawn.add_annotation(
                text=NAMES[side],
                x=places[0],
                y=max(own) if side == upper else min(own),
                xanchor="left",
                yshift=15 if side == upper else -15,
                font={"color": words_in(theme, side), "size": SMALL + 1},
            )
    golds = [gold for side in NAMES if (gold := yardstick(swept, "gold", side)) is not None]
    if golds:
        drawn.add_annotation(text="gold", x=1, xref="paper", xanchor="right", y=max(golds), yshift=9)


def _mark_preset(drawn: go.Figure, swept: Swept, theme: Theme, *, knob: str) -> None:
    """A thin line where the knob stood before it was swept."""
    one, value = swept.range(knob), swept.sweep.spec.params.get(knob)
    inside = value in one.values if one.is_choice else value is not None and (one.low or 0) <= value <= one.top
    if not inside:
        return
    x = sweep_drawing.scale(one).place(value)
    drawn.add_vline(x, line={"color": theme.quiet, "width": 1, "dash": "dash"})
    drawn.add_annotation(
        text="as it stood", x=x, y=1, yref="paper", yanchor="bottom", font={"color": theme.quiet, "size": SMALL}
    )


SWEEP_CHART = SweepChart(
    id="along",
    title="What does this knob do?",
    caveat="Validation pictures, one seed a point. A line joins neighbouring trials and promises nothing between them. "
    "Where other knobs were turned as well, what looks like chance may be their doing.",
    applies=applies,
    frame=frame,
    figure=figure,
    sentence=sentence,
    alt=alt,
)
