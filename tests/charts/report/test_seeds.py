"""Means over seeds by hand and against scipy, and what is said where seeds agree."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy import stats

from tests.charts.fake_reports import made_up_report
from unlearn_core.charts.drawing import seed_curves
from unlearn_core.charts.drawing.seed_statistics import SINGLE_SEED, applies, seed_accuracies, t_interval
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.report import seeds
from unlearn_core.charts.text import verdict
from unlearn_core.domain.report import Report, stored
from unlearn_core.domain.results.course import SeedRun, SeedsResult
from unlearn_core.domain.results.result import ReportPart

REPORT = made_up_report()
RESULT = REPORT[SeedsResult]


def changed(**after: float) -> Report:
    """The report with these accuracies after forgetting, the same from every seed."""
    runs = [
        run.model_copy(update={"accuracy": {**run.accuracy, "after": {**run.accuracy["after"], **after}}})
        for run in RESULT.runs
    ]
    return REPORT.with_result(RESULT.model_copy(update={"runs": runs}))


def traces(figure: go.Figure) -> dict[str, Any]:
    """A figure's traces by name."""
    return {trace.name: trace for trace in cast("Any", figure.data)}


def test_the_interval_is_students() -> None:
    values = [0.81, 0.84, 0.79, 0.86, 0.80]
    own = t_interval(values)
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (own.mean, own.low, own.high) == pytest.approx((0.82, low, high))
    assert (own.lowest, own.highest) == (0.79, 0.86)


def test_two_seeds_are_the_least_and_say_little() -> None:
    own = t_interval([0.0, 0.01])
    assert own.high - own.low == pytest.approx(2 * 12.706 * 0.005, rel=1e-3)


def test_one_seed_is_told_to_be_one() -> None:
    bare = replace(REPORT, parts={})
    assert applies(bare) == seeds.CHART.applies(bare) == SINGLE_SEED
    assert seed_curves.needs_curves(bare) == SINGLE_SEED


def test_the_table_has_every_seed_and_the_mean() -> None:
    table = seeds.CHART.table([REPORT])
    own: Any = table[table["metric"] == "accuracy, retain set, test"]
    assert list(own["of"]) == ["seed 0", "seed 1", "seed 2", "seed 3", "mean of 4 seeds"]
    assert own["value"].iloc[-1] == pytest.approx(np.mean(seed_accuracies(REPORT, "retain_test")))
    assert own["low"].iloc[-1] < own["value"].iloc[-1] < own["high"].iloc[-1]
    assert {"distance to retrained, bits", "privacy (1: like retrained)", "seconds to forget"} < set(table["metric"])


def test_a_figure_that_one_seed_lacks_is_left_out() -> None:
    first, *others = RESULT.runs
    runs = [first.model_copy(update={"privacy": None}), *others]
    lacking = replace(REPORT, parts=stored(RESULT.model_copy(update={"runs": runs})))
    assert "privacy (1: like retrained)" not in set(seeds.CHART.table([lacking])["metric"])


def test_intervals_stay_within_what_shares_can_be() -> None:
    mean = traces(seeds.CHART.figure([REPORT], LIGHT))["mean over seeds"]
    at, up, down = (np.array(values) for values in (mean.x, mean.error_x.array, mean.error_x.arrayminus))
    assert (at + up <= 1).all()
    assert (at - down >= 0).all()


def test_seeds_that_agree_are_said_to() -> None:
    said = seeds.CHART.summary(changed(forget_test=0.0))
    assert "0.0\N{NO-BREAK SPACE}% of the test images of cat are classified correctly" in said
    assert "the same for every seed" in said
    assert "over seeds, not over images" in said


def test_the_band_goes_from_the_lowest_to_the_highest_seed() -> None:
    steps = np.array([0.0, 10.0])
    lines = {"forget": ([1.0, 0.0], [0.8, 0.2]), "retain": ([0.9, 0.9], [0.9, 0.7])}
    curves = {side: {str(n): np.array(own) for n, own in enumerate(both)} for side, both in lines.items()}
    result = SeedsResult(runs=RESULT.runs[:2], steps={"0": steps, "1": steps}, **curves)
    report = replace(REPORT, parts=stored(result))
    drawn = traces(seed_curves.figure([report], LIGHT))
    assert drawn["forget, mean"].y[0] == pytest.approx(0.9)
    assert drawn["forget, mean"].y[-1] == pytest.approx(0.1)
    assert sorted({drawn["forget, all seeds"].y[0], drawn["forget, all seeds"].y[-1]}) == [0.8, 1.0]
    assert "differ by at most 20.0 points and by 20.0 at the end" in seed_curves.summary(report)


def test_a_seed_that_ended_early_stays_where_it_ended() -> None:
    names = ("steps", "forget", "retain")
    cut = {name: {**getattr(RESULT, name), "0": getattr(RESULT, name)["0"][:5]} for name in names}
    short = replace(REPORT, parts=stored(RESULT.model_copy(update=cut)))
    line = traces(seed_curves.figure([short], LIGHT))["retain, mean"]
    assert line.x[-1] == RESULT.steps["1"][-1]
    lost = {name: {place: own for place, own in getattr(RESULT, name).items() if place != "0"} for name in names}
    lacking = replace(REPORT, parts=stored(RESULT.model_copy(update=lost)))
    assert "Not every seed" in str(seed_curves.needs_curves(lacking))


def test_a_damaged_result_is_said_to_be_damaged() -> None:
    damaged = replace(REPORT, parts={"seeds": ReportPart({}, {})})
    assert "damaged" in str(applies(damaged))
    assert "One seed" in verdict.caveats(
        replace(damaged, parts={**damaged.parts, "accuracy": REPORT.parts["accuracy"]})
    )


def test_sets_without_images_that_former_releases_stored_are_left_out() -> None:
    facts = {"run": 1, "seed": 0, "accuracy": {"after": {"forget_test": None, "retain_test": 0.5}}}
    run = SeedRun.model_validate(facts | {"distance": None, "privacy": None, "seconds": None})
    assert run.accuracy == {"after": {"retain_test": 0.5}}


def test_the_verdict_counts_the_seeds() -> None:
    assert "4 seeds" in verdict.caveats(REPORT)
    assert "One seed" in verdict.caveats(replace(REPORT, parts={"accuracy": REPORT.parts["accuracy"]}))
