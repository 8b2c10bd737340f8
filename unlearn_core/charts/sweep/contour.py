"""How do two knobs work together? One figure over both, guessed only near where something was tried."""

from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import SweepChart, Swept, figure_said, hover, said
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.domain import objectives
from unlearn_core.domain.objectives import OBJECTIVES
from unlearn_core.domain.sweep import Trial

HEIGHT = 420
FEWEST = 6
"""Trials under which a surface would be invention."""
GRID = 40
REACH = 0.22
"""How far from the nearest trial the surface goes on, as a share of either range."""
WIDTH = 0.12
"""Width of the Gaussian weights by which the surface is smoothed, in the same unit."""


def applies(swept: Swept, *, objective: str | None = None) -> Literal[True] | str:
    """Whether two knobs were swept in enough trials."""
    if len(swept.sweep.spec.ranges) < 2:
        return "One knob is swept: it takes two to see how they work together."
    found = len(_known(swept, objective or swept.sweep.spec.objectives[0]))
    return True if found >= FEWEST else f"It takes {FEWEST} finished trials with this figure, and there are {found}."


def figure(
    swept: Swept, theme: Theme, *, pair: tuple[str, str] | None = None, objective: str | None = None
) -> go.Figure:
    """A surface over two knobs, the brighter the better, with the trials it rests on as points."""
    x_knob, y_knob = pair or _first_two(swept)
    name = objective or swept.sweep.spec.objectives[0]
    known, scales = _known(swept, name), [sweep_drawing.scale(swept.range(knob)) for knob in (x_knob, y_knob)]
    spans = [_span(swept, knob) for knob in (x_knob, y_knob)]
    points = np.array(
        [[scale.place(t.params[k]) for scale, k in zip(scales, (x_knob, y_knob), strict=True)] for t, _ in known]
    )
    values = np.array([value for _, value in known])
    axes = [np.linspace(low, high, GRID) for low, high in spans]
    share = OBJECTIVES[name].share
    drawn = go.Figure()
    drawn.update_layout(template=theme.template, height=HEIGHT, clickmode="event+select", margin={"t": 66, "r": 8})
    drawn.add_heatmap(
        x=axes[0],
        y=axes[1],
        z=smoothed(points, values, axes, spans),
        colorscale="Viridis",
        reversescale=OBJECTIVES[name].lower,
        zmin=float(values.min()),
        zmax=float(values.max()) if np.ptp(values) else float(values.min()) + 1e-9,
        zsmooth="best",
        hoverinfo="skip",
        colorbar=sweep_drawing.bar(OBJECTIVES[name].title, theme, tickformat=".0%" if share else None, nticks=6),
    )
    drawn.add_scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        marker={"size": 9, "color": theme.page, "line": {"color": theme.ink, "width": 1.5}},
        customdata=[trial.run for trial, _ in known],
        text=[hover(swept, trial) for trial, _ in known],
        hovertemplate="%{text}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
        cliponaxis=False,
    )
    for axis, knob, scale, span in zip("xy", (x_knob, y_knob), scales, spans, strict=True):
        layout: dict[str, Any] = {"tickvals": scale.marks, "ticktext": scale.names, "title_text": swept.title(knob)}
        drawn.update_layout({f"{axis}axis": layout | {"range": list(span)}})
    return drawn


def smoothed(points: np.ndarray, values: np.ndarray, axes: list[np.ndarray], spans: list[tuple[float, float]]) -> Any:
    """The weighted mean of values (n,) at points (n, 2) on a grid; nothing where no point is near.

    Gaussian weights over both axes, each counted as a share of its span (Nadaraya 1964, Watson 1964).
    """
    wide = np.array([high - low for low, high in spans])
    grid = np.stack(np.meshgrid(*axes), -1)
    far = np.linalg.norm((grid[:, :, None, :] - points[None, None]) / wide, axis=-1)
    weights = np.exp(-0.5 * (far / WIDTH) ** 2)
    mean = (weights * values).sum(-1) / np.maximum(weights.sum(-1), 1e-12)
    return np.where(far.min(-1) <= REACH, mean, np.nan)


def sentence(swept: Swept, *, pair: tuple[str, str] | None = None, objective: str | None = None) -> str:
    """Where the best trial lies on both knobs."""
    knobs, name = pair or _first_two(swept), objective or swept.sweep.spec.objectives[0]
    pick = min if OBJECTIVES[name].lower else max
    trial, value = pick(_known(swept, name), key=lambda one: one[1])
    where = " and ".join(f"{swept.title(knob).lower()} {said(trial.params[knob])}" for knob in knobs)
    return f"The best trial, {figure_said(name, value)}, has {where}. Colour only where a trial is near."


def alt(swept: Swept, *, pair: tuple[str, str] | None = None, objective: str | None = None) -> str:
    """The same in words."""
    return "Map over two knobs. " + sentence(swept, pair=pair, objective=objective)


def frame(swept: Swept) -> pd.DataFrame:
    """One row a trial, as every chart of a sweep has it."""
    return sweep_drawing.frame(swept)


def about(pair: tuple[str, str], objective: str) -> SweepChart:
    """The same chart about these two knobs and this objective."""
    which: dict[str, Any] = {"pair": pair, "objective": objective}
    return replace(
        SWEEP_CHART,
        applies=partial(applies, objective=objective),
        figure=partial(figure, **which),
        sentence=partial(sentence, **which),
        alt=partial(alt, **which),
    )


def _first_two(swept: Swept) -> tuple[str, str]:
    one, other, *_ = swept.sweep.spec.ranges
    return one.knob, other.knob


def _known(swept: Swept, name: str) -> list[tuple[Trial, float]]:
    found = ((trial, objectives.value(name, trial.headline)) for trial in swept.done)
    return [(trial, value) for trial, value in found if value is not None]


def _span(swept: Swept, knob: str) -> tuple[float, float]:
    one, scale = swept.range(knob), sweep_drawing.scale(swept.range(knob))
    ends = [scale.place(value) for value in (one.values if one.is_choice else (one.low, one.top))]
    room = 0.5 if one.is_choice else 0.0
    return min(ends) - room, max(ends) + room


SWEEP_CHART = SweepChart(
    id="contour",
    title="How do two knobs work together?",
    caveat="Between the points the colour is a weighted mean of the trials nearby, which is a guess; where none is "
    "near nothing is drawn. All other knobs had whatever values they had.",
    applies=applies,
    frame=frame,
    figure=figure,
    sentence=sentence,
    alt=alt,
)
