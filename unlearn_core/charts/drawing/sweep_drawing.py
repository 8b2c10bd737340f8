"""The types SweepChart and SweepData, and helpers of all sweep charts: trial table, hyperparameter scales, labels."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, log10
from typing import Any, Literal, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.params import HyperparameterInfo
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweeps import objectives
from unlearn_core.domain.sweeps.objectives import OBJECTIVES
from unlearn_core.domain.sweeps.search_space import SearchRange
from unlearn_core.domain.sweeps.sweep import Sweep, Trial

NONE_YET = "No trial has finished yet. The first point appears as soon as one has."
_SETS = {"forget": ("forget_val", "forget_train"), "retain": ("retain_val",)}
_TEST = {"forget": ("forget_test", "forget_train"), "retain": ("retain_test",)}


@dataclass(frozen=True, kw_only=True)
class SweepData:
    """A sweep with its trials and what charts need to label them; `hyperparameters` are the method's, by name."""

    sweep: Sweep
    trials: Sequence[Trial]
    hyperparameters: Mapping[str, HyperparameterInfo]
    method: str
    forgotten: str
    version: str = ""
    """A checksum of the sweep and its trials, under which pages keep what is drawn from them."""

    @cached_property
    def done(self) -> list[Trial]:
        """The finished trials."""
        return [trial for trial in self.trials if trial.state is RunState.DONE]

    @cached_property
    def best(self) -> Trial | None:
        """The recommended trial."""
        return objectives.preferred_trial(self.sweep.spec, self.trials)

    def search_range(self, hyperparameter: str) -> SearchRange:
        """The search range of a hyperparameter."""
        return next(one for one in self.sweep.spec.ranges if one.knob == hyperparameter)

    def hyperparameter_title(self, hyperparameter: str) -> str:
        """The title of a hyperparameter, such as "Impair: learning rate"."""
        return self.hyperparameters[hyperparameter].title if hyperparameter in self.hyperparameters else hyperparameter

    def title(self, mark: Callable[[str], str] = str) -> str:
        """What the sweep asks; `mark` formats the hyperparameter or forget set that it names."""
        ranges = self.sweep.spec.ranges
        if len(ranges) == 1:
            return f"Effect of {mark(self.hyperparameter_title(ranges[0].knob).lower())}"
        return f"What does it cost to forget {mark(self.forgotten)}?"


@dataclass(frozen=True, kw_only=True)
class SweepChart:
    """One question about a sweep. `applies` is True, or the reason why there is nothing to draw."""

    id: str
    title: str
    """The heading: a noun phrase that names what is shown."""
    question: str
    """The subtitle: the question that the chart answers."""
    caveat: str
    applies: Callable[[SweepData], Literal[True] | str]
    table: Callable[[SweepData], pd.DataFrame]
    figure: Callable[[SweepData, Theme], go.Figure]
    summary: Callable[[SweepData], str]
    alt_text: Callable[[SweepData], str]


class AxisScale(NamedTuple):
    """The scale of a hyperparameter on an axis, and its ticks: `position` maps a value to a number."""

    position: Callable[[Any], float]
    tick_values: list[float]
    tick_labels: list[str]


def trials_table(sweep_data: SweepData) -> pd.DataFrame:
    """One row per trial: its hyperparameters, outcome and metrics, as fractions; those on test images come last."""
    return pd.DataFrame([_row(sweep_data, trial) for trial in sweep_data.trials])


def _row(sweep_data: SweepData, trial: Trial) -> dict[str, object]:
    params = {one.knob: trial.params.get(one.knob) for one in sweep_data.sweep.spec.ranges}
    read = trial.state is RunState.DONE
    figures = {name: objectives.objective_value(name, trial.metrics) if read else None for name in OBJECTIVES}
    test = {f"{side}_test": trial_accuracy(trial, "after", side, test=True) if read else None for side in _TEST}
    shown = trial.metrics.verdict if read else None
    verdict = {f"verdict_{side}": getattr(shown, side) if shown else None for side in _TEST}
    return {"trial": trial.number, "run": trial.run, "outcome": trial.status, **params, **figures, **test, **verdict}


def trial_accuracy(
    trial: Trial, model: str, side: Literal["forget", "retain"] | str, *, test: bool = False
) -> float | None:
    """A model's accuracy (0 to 1) in this trial, on validation or test images of either side.

    For requests to forget single images it is the accuracy on the forget images themselves.
    """
    return trial.metrics.first_accuracy(model, *(_TEST if test else _SETS)[side])


def baseline_accuracy(sweep_data: SweepData, model: str, side: str, *, test: bool = False) -> float | None:
    """The accuracy of before or gold, which is the same for all trials; None where no trial has it."""
    found = (trial_accuracy(trial, model, side, test=test) for trial in reversed(sweep_data.done))
    return next((one for one in found if one is not None), None)


def axis_scale(search_range: SearchRange) -> AxisScale:
    """The axis scale of a hyperparameter: choices evenly spaced, rates logarithmic, everything else linear."""
    if search_range.is_choice:
        return AxisScale(
            search_range.values.index,
            [float(place) for place in range(len(search_range.values))],
            [format_value(v) for v in search_range.values],
        )
    assert search_range.low is not None
    if search_range.log:
        decades = range(floor(log10(search_range.low)) - 1, ceil(log10(search_range.last_value)) + 1)
        steps = (1, 2, 5) if search_range.last_value / search_range.low < 200 else (1,)
        stops = [step * 10.0**decade for decade in decades for step in steps]
        inside = [stop for stop in stops if search_range.low * 0.999 <= stop <= search_range.last_value * 1.001] or [
            search_range.low,
            search_range.last_value,
        ]
        return AxisScale(log10, [log10(stop) for stop in inside], [format_value(stop) for stop in inside])
    rough = (search_range.last_value - search_range.low) / 5
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * size for size in (1, 2, 5, 10) if unit * size >= rough)
    step = max(step, 1.0) if search_range.whole else step
    stops = [
        place * step
        for place in range(ceil(search_range.low / step - 1e-9), floor(search_range.last_value / step + 1e-9) + 1)
    ]
    return AxisScale(float, stops, [format_value(float(f"{stop:.6g}")) for stop in stops])


COLORBAR_ROOM = 106
"""Pixels above a figure with such a colour bar; with fewer, Plotly finds that out by drawing the figure twice."""


def colorbar(title: str, theme: Theme, **ticks: Any) -> PlotlyDict:
    """A colour bar above the figure, so that it takes no width on a phone."""
    return {
        "title": {"text": title, "font": {"size": SMALL_FONT, "color": theme.quiet}, "side": "top"},
        "tickfont": {"size": SMALL_FONT, "color": theme.quiet},
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "xpad": 0,
        "y": 1.01,
        "yanchor": "bottom",
        "len": 0.8,
        "thickness": 8,
        "outlinewidth": 0,
        **ticks,
    }


def format_value(value: Any) -> str:
    """A hyperparameter's value as text: "0.002", "1,000", "on"."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


def format_objective(objective: str, value: float) -> str:
    """An objective's value with its unit: "12.3 %", "0.041 bits", "4.2 s"."""
    if OBJECTIVES[objective].is_fraction:
        return percent(value)
    return number(value, {"distance": 3, "privacy": 2}.get(objective, 1)) + _unit(objective)


def _unit(objective: str) -> str:
    if OBJECTIVES[objective].is_fraction:
        return "\N{NO-BREAK SPACE}%"
    return {"distance": " bits", "seconds": " s"}.get(objective, "")


def hover(sweep_data: SweepData, trials: Sequence[Trial]) -> PlotlyDict:
    """Run, hyperparameters and objectives of each point, as keyword arguments of its trace.

    Several figures on a page have hundreds of points each: the words, which all points share, are sent once.
    """
    params = [one.knob for one in sweep_data.sweep.spec.ranges]
    aims = list(dict.fromkeys((*sweep_data.sweep.spec.objectives, "forget", "retain")))
    words = ["<b>Run %{customdata[0]}</b>, trial %{customdata[1]}"]
    words += [f"{sweep_data.hyperparameter_title(name)}: %{{customdata[{at}]}}" for at, name in enumerate(params, 2)]
    words += [
        f"{OBJECTIVES[name].title}: %{{customdata[{at}]}}{_unit(name)}" for at, name in enumerate(aims, 2 + len(params))
    ]
    rows = [
        [trial.run, trial.number + 1]
        + [format_value(trial.params[name]) for name in params]
        + [_hovered(name, trial) for name in aims]
        for trial in trials
    ]
    return {"customdata": rows, "hovertemplate": "<br>".join(words) + "<extra></extra>"}


def _hovered(objective: str, trial: Trial) -> str:
    value = objectives.objective_value(objective, trial.metrics)
    return "–" if value is None else format_objective(objective, value).removesuffix(_unit(objective))


def compact(values: Iterable[float]) -> list[float]:
    """Coordinates with five digits: finer than a pixel, and a third as long as JSON."""
    return [float(f"{value:.5g}") for value in values]


def needs_finished_trial(sweep_data: SweepData) -> Literal[True] | str:
    """The `applies` of a chart that needs one finished trial."""
    return True if sweep_data.done else NONE_YET
