"""What all charts of a sweep share: one table of its trials, the scale of a knob, and what such a chart is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, log10
from typing import Any, Literal, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain import objectives
from unlearn_core.domain.objectives import OBJECTIVES
from unlearn_core.domain.params import HyperparameterInfo
from unlearn_core.domain.run import RunState
from unlearn_core.domain.search_space import SearchRange
from unlearn_core.domain.sweep import Sweep, Trial

NONE_YET = "No trial is done yet: the first point appears as soon as one is."
_SETS = {"forget": ("forget_val", "forget_train"), "retain": ("retain_val",)}
_TEST = {"forget": ("forget_test", "forget_train"), "retain": ("retain_test",)}


@dataclass(frozen=True, kw_only=True)
class SweepData:
    """A sweep with its trials, and what a chart needs to name them. `knobs` are the method's, by name."""

    sweep: Sweep
    trials: Sequence[Trial]
    hyperparameters: Mapping[str, HyperparameterInfo]
    method: str
    forgotten: str

    @cached_property
    def done(self) -> list[Trial]:
        """The trials that came through."""
        return [trial for trial in self.trials if trial.state is RunState.DONE]

    @cached_property
    def best(self) -> Trial | None:
        """The trial that one would take."""
        return objectives.preferred_trial(self.sweep.spec, self.trials)

    def search_range(self, hyperparameter: str) -> SearchRange:
        """What is tried of a knob."""
        return next(one for one in self.sweep.spec.ranges if one.knob == hyperparameter)

    def hyperparameter_title(self, hyperparameter: str) -> str:
        """What a knob is called: "Impair rate"."""
        return self.hyperparameters[hyperparameter].title if hyperparameter in self.hyperparameters else hyperparameter


@dataclass(frozen=True, kw_only=True)
class SweepChart:
    """One question about a sweep. `applies` is True, or says why there is nothing to draw; the rest only then."""

    id: str
    title: str
    caveat: str
    applies: Callable[[SweepData], Literal[True] | str]
    table: Callable[[SweepData], pd.DataFrame]
    figure: Callable[[SweepData, Theme], go.Figure]
    summary: Callable[[SweepData], str]
    alt_text: Callable[[SweepData], str]


class AxisScale(NamedTuple):
    """Where the values of a knob lie on an axis, and which marks it has: `place` gives a number for a value."""

    position: Callable[[Any], float]
    tick_values: list[float]
    tick_labels: list[str]


def trials_table(sweep_data: SweepData) -> pd.DataFrame:
    """One row a trial: its knobs, how it ended, and its figures, as fractions; those of test pictures come last."""
    return pd.DataFrame([_row(sweep_data, trial) for trial in sweep_data.trials])


def _row(sweep_data: SweepData, trial: Trial) -> dict[str, Any]:
    knobs = {one.knob: trial.params.get(one.knob) for one in sweep_data.sweep.spec.ranges}
    read = trial.state is RunState.DONE
    figures = {name: objectives.objective_value(name, trial.headline) if read else None for name in OBJECTIVES}
    test = {f"{side}_test": trial_accuracy(trial, "after", side, test=True) if read else None for side in _TEST}
    return {"trial": trial.number, "run": trial.run, "outcome": trial.status, **knobs, **figures, **test}


def trial_accuracy(
    trial: Trial, model: str, side: Literal["forget", "retain"] | str, *, test: bool = False
) -> float | None:
    """A model's accuracy (0 to 1) beside this trial, on validation or test pictures of either side.

    Where single pictures are forgotten there are no others of them, and it is that on the forgotten ones themselves.
    """
    known = (trial.headline.get("accuracy") or {}).get(model) or {}
    names = (_TEST if test else _SETS)[side]
    return next((known[name] for name in names if known.get(name) is not None), None)


def baseline_accuracy(sweep_data: SweepData, model: str, side: str, *, test: bool = False) -> float | None:
    """The accuracy of before or gold, which every trial of a sweep has beside it; None where none has."""
    found = (trial_accuracy(trial, model, side, test=test) for trial in reversed(sweep_data.done))
    return next((one for one in found if one is not None), None)


def axis_scale(search_range: SearchRange) -> AxisScale:
    """How a knob lies on an axis: choices side by side, rates over decades, everything else as it is."""
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


def colorbar(title: str, theme: Theme, **ticks: Any) -> dict[str, Any]:
    """The bar that says what a colour means: above the figure, so that it takes no width on a telephone."""
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
    """A knob's value as people write it: "0.002", "1,000", "on"."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


def format_objective(objective: str, value: float) -> str:
    """An objective's figure in words: "12.3 %", "0.041 bits", "4.2 s"."""
    if OBJECTIVES[objective].is_fraction:
        return percent(value)
    unit = {"distance": " bits", "seconds": " s"}.get(objective, "")
    return number(value, {"distance": 3, "privacy": 2}.get(objective, 1)) + unit


def hover_text(sweep_data: SweepData, trial: Trial) -> str:
    """What a point says when one points at it: its run, its knobs, its figures."""
    lines = [f"<b>Run {trial.run}</b>, trial {trial.number + 1}"]
    lines += [f"{sweep_data.hyperparameter_title(name)}: {format_value(value)}" for name, value in trial.params.items()]
    for name in dict.fromkeys((*sweep_data.sweep.spec.objectives, "forget", "retain")):
        value = objectives.objective_value(name, trial.headline)
        if value is not None:
            lines.append(f"{OBJECTIVES[name].title}: {format_objective(name, value)}")
    return "<br>".join(lines)


def needs_finished_trial(sweep_data: SweepData) -> Literal[True] | str:
    """The `applies` of a chart that takes one finished trial."""
    return True if sweep_data.done else NONE_YET
