"""The charts of a sweep: what each promises, in every state that a sweep can be in."""

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.charts.fake_sweeps import GOLD, KNOBS, swept, trial
from unlearn_core.charts import charts
from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import SweepChart, SweepData
from unlearn_core.charts.drawing.theme import DARK, LIGHT, TRANSPARENT, Theme
from unlearn_core.charts.sweep import (
    along_hyperparameter,
    contour,
    hyperparameter_importance,
    parallel,
    slices,
    tradeoff,
)
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweeps.objectives import objective_value
from unlearn_core.domain.sweeps.search_space import SearchRange
from unlearn_core.domain.sweeps.sweep import SweepFindings

MODULES = (tradeoff, hyperparameter_importance, along_hyperparameter, slices, contour, parallel)
CHARTS = [
    *(module.SWEEP_CHART for module in MODULES),
    tradeoff.colored_by("augment"),
    tradeoff.colored_by("repair_epochs", test=True),
    along_hyperparameter.along_hyperparameter("augment"),
    slices.for_hyperparameter("repair_epochs", "seconds"),
    slices.for_hyperparameter("augment", "distance"),
    contour.for_hyperparameters(("augment", "impair_lr"), "retain"),
]
STATES = {
    "three knobs": swept(),
    "one knob": swept(8, knobs=KNOBS[:1], findings=SweepFindings()),
    "one choice": swept(2, knobs=KNOBS[2:], findings=SweepFindings()),
    "without gold": swept(12, gold=False),
    "one objective": swept(12, objectives=["distance"]),
    "one trial": swept(1, findings=SweepFindings()),
    "all alike": SweepData(
        **{**vars(swept(8)), "trials": [trial(5, knobs=KNOBS)._replace(number=n, run=n) for n in range(8)]}
    ),
}
EMPTY = {
    "nothing yet": swept(0, findings=SweepFindings()),
    "all failed": SweepData(
        **{
            **vars(swept(3, findings=SweepFindings())),
            "trials": [trial(n, knobs=KNOBS, state=RunState.FAILED) for n in range(3)],
        }
    ),
    "all under way": SweepData(
        **{
            **vars(swept(3, findings=SweepFindings())),
            "trials": [trial(n, knobs=KNOBS, state=RunState.QUEUED) for n in range(3)],
        }
    ),
    "deleted": SweepData(
        **{**vars(swept(3, findings=SweepFindings())), "trials": [trial(n, knobs=KNOBS, state=None) for n in range(3)]}
    ),
}
every_chart = pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)


def knobs_are_there(chart: SweepChart, state: SweepData) -> bool:
    named = {one for one in ("augment", "repair_epochs", "impair_lr") if one in str(vars(chart)["figure"])}
    return named <= {one.knob for one in state.sweep.spec.ranges}


@pytest.mark.parametrize(
    ("chart", "state"),
    [
        pytest.param(chart, state, id=f"{chart.id}-{name}")
        for chart in CHARTS
        for name, state in STATES.items()
        if knobs_are_there(chart, state)
    ],
)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_it_is_drawn_said_and_tabled_or_says_why_not(chart: SweepChart, state: SweepData, theme: Theme) -> None:
    answer = chart.applies(state)
    if answer is not True:
        assert answer.endswith(".") and len(answer) > 20
        return
    figure = chart.figure(state, theme)
    text = figure.to_json() or ""
    layout = json.loads(text)["layout"]
    assert layout["template"]["layout"]["paper_bgcolor"] == TRANSPARENT
    assert not re.search(r"\b(NaN|Infinity)\b", text)
    assert "title" not in layout or not layout["title"].get("text"), "the title is the page's heading"
    sizes = [size for size in re.findall(r'"size":(\d+)', text.partition('"template"')[0]) if 0 < int(size) < 8]
    assert not sizes, "nothing is written or drawn too small to see"
    sentence = chart.summary(state)
    assert sentence.endswith(".") and re.search(r"\d", sentence), sentence
    assert "nan" not in sentence and "None" not in sentence, sentence
    assert len(chart.alt_text(state)) > 20
    frame = chart.table(state)
    assert isinstance(frame, pd.DataFrame) and len(frame)


@every_chart
@pytest.mark.parametrize("state", EMPTY)
def test_a_sweep_without_a_finished_trial_has_a_sentence(chart: SweepChart, state: str) -> None:
    answer = chart.applies(EMPTY[state])
    assert answer is not True
    assert answer.endswith(".")


def test_they_are_no_charts_of_a_report() -> None:
    assert not {module.SWEEP_CHART.id for module in MODULES} & {"accuracy", "layers"}
    assert all(not isinstance(chart, SweepChart) for chart in charts().values())


def test_every_point_leads_to_its_run() -> None:
    for chart in (
        tradeoff.SWEEP_CHART,
        along_hyperparameter.SWEEP_CHART,
        slices.SWEEP_CHART,
        contour.SWEEP_CHART,
    ):
        traces = json.loads(chart.figure(swept(), LIGHT).to_json() or "")["data"]
        hovered = {row[0]: hover_of(trace, row) for trace in traces for row in trace.get("customdata", [])}
        assert hovered.keys() == {one.run for one in swept().done}, chart.id
        for one in swept().done:
            lines = hovered[one.run].split("<br>")
            assert lines[0] == f"<b>Run {one.run}</b>, trial {one.number + 1}"
            for name, value in one.params.items():
                said = f"{swept().hyperparameter_title(name)}: {sweep_drawing.format_value(value)}"
                assert said in lines, (chart.id, lines)
            value = objective_value("retain", one.metrics)
            assert value is not None
            assert f"Retain accuracy: {sweep_drawing.format_objective('retain', value)}" in lines


def test_figures_of_many_trials_are_short() -> None:
    """A page has seven of them."""
    many = swept(256)
    for chart in CHARTS[:6]:
        assert len(chart.figure(many, LIGHT).to_json() or "") < 256 * 190, chart.id


def hover_of(trace: dict[str, Any], row: list[Any]) -> str:
    """What stands beside a point that is pointed at."""
    text = trace["hovertemplate"].removesuffix("<extra></extra>")
    return re.sub(r"%\{customdata\[(\d+)\]\}", lambda found: str(row[int(found[1])]), text)


def test_gold_is_a_star_and_the_front_holds_no_trial_that_another_beats() -> None:
    traces = json.loads(tradeoff.figure(swept(), LIGHT).to_json() or "")["data"]
    (star,) = [trace for trace in traces if trace.get("name") == "gold"]
    assert (star["marker"]["symbol"], star["x"], star["y"]) == ("star", [GOLD["forget_val"]], [GOLD["retain_val"]])
    leading = tradeoff.pareto_front(swept())
    points = [
        (
            sweep_drawing.trial_accuracy(one, "after", "forget") or 0,
            sweep_drawing.trial_accuracy(one, "after", "retain") or 0,
        )
        for one in leading
    ]
    assert points == sorted(points)
    assert [keep for _, keep in points] == sorted(keep for _, keep in points), (
        "a higher forget accuracy must come with a higher retain accuracy"
    )
    assert list(tradeoff.table(swept())["front"]).count(True) == len(leading)


def test_test_pictures_are_shown_and_choose_nothing() -> None:
    shown = tradeoff.colored_by("impair_lr", test=True)
    figure = json.loads(shown.figure(swept(), LIGHT).to_json() or "")
    assert not [trace for trace in figure["data"] if trace.get("mode") == "lines"], "no front is drawn on them"
    assert "not used to choose trials" in shown.summary(swept())
    best = swept().best
    assert best is not None
    changed = [one._replace(metrics=worse(one.metrics)) for one in swept().trials]
    other = SweepData(**{**vars(swept()), "trials": changed})
    assert other.best is not None and other.best.number == best.number


def worse(metrics: RunMetrics) -> RunMetrics:
    """The same metrics with the test figures turned upside down."""
    after = metrics.accuracy.get("after", {})
    turned = {name: value and (1 - value if name.endswith("test") else value) for name, value in after.items()}
    return metrics.updated(RunMetrics(accuracy={**metrics.accuracy, "after": turned}))


def test_the_scale_of_a_knob() -> None:
    rates = sweep_drawing.axis_scale(SearchRange(knob="k", low=0.0005, high=0.02, log=True))
    assert rates.tick_labels == ["0.0005", "0.001", "0.002", "0.005", "0.01", "0.02"]
    assert rates.position(0.001) == pytest.approx(-3)
    assert sweep_drawing.axis_scale(SearchRange(knob="k", low=1, high=20, whole=True, step=1)).tick_labels == [
        "5",
        "10",
        "15",
        "20",
    ]
    assert sweep_drawing.axis_scale(SearchRange(knob="k", low=0.0, high=1.0, step=0.05)).tick_labels == [
        "0",
        "0.2",
        "0.4",
        "0.6",
        "0.8",
        "1",
    ]
    named = sweep_drawing.axis_scale(SearchRange(knob="k", values=(False, True)))
    assert (named.tick_labels, named.position(True)) == (["off", "on"], 1)


def test_a_map_is_drawn_only_where_something_was_tried() -> None:
    axes, spans = [np.linspace(0, 1, 11)] * 2, [(0.0, 1.0)] * 2
    map_ = contour.smooth(np.array([[0.0, 0.0], [0.1, 0.0]]), np.array([1.0, 3.0]), axes, spans)
    assert 1 < map_[0, 0] < 2 < map_[0, 2] < 3
    assert np.isnan(map_[5:, 5:]).all()


def test_a_grid_of_trials_has_a_tile_for_each_pair_of_values() -> None:
    state = swept()
    names = ("augment", "impair_lr")
    pairs = [(on, lr) for on in (False, True) for lr in (0.002, 0.0005, 0.001)]
    tried = [
        trial._replace(params=trial.params | dict(zip(names, pair, strict=True)))
        for trial, pair in zip(state.done, [*pairs, pairs[0]], strict=False)
    ]
    assert len(tried) == 7, "the first pair is tried twice"
    gridded = replace(state, trials=tried)
    chart = contour.for_hyperparameters(names, "retain")
    tiles, points = chart.figure(gridded, LIGHT).data
    values = [objective_value("retain", trial.metrics) or 0 for trial in tried]
    order = [(x, y) for y in range(3) for x in range(2)]
    at = dict(zip(order, np.ravel(tiles.z), strict=True))
    assert at[0, 2] == pytest.approx((values[0] + values[6]) / 2) and at[1, 0] == pytest.approx(values[4])
    assert (points.x[1], points.y[1]) == (0, 0)
    assert "Each tile" in chart.summary(gridded) and "near trials" in chart.summary(state)
    assert "near trials" in chart.summary(replace(gridded, trials=tried[:5])), "one pair is missing"


def test_a_best_trial_at_the_end_of_a_range_is_said() -> None:
    state = swept()
    best = state.best
    assert best is not None
    numeric = next(one for one in state.sweep.spec.ranges if not one.is_choice)
    for value, is_said in ((numeric.low, True), (numeric.last_value, True), (None, False)):
        inside = {one.knob: -1 for one in state.sweep.spec.ranges if not one.is_choice}
        moved = best._replace(params=best.params | inside | ({} if value is None else {numeric.knob: value}))
        trials = [moved if one.number == best.number else one for one in state.trials]
        said = tradeoff.summary(replace(state, trials=trials))
        assert ("at an end of its range (" in said) is is_said
