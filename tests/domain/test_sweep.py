"""Search ranges, objectives, and which trial is the better one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.store.specs import REQUEST
from unlearn_core.domain.errors import InvalidHyperparameterError, InvalidRequestError, NotFoundError
from unlearn_core.domain.results.metrics import DistanceMetrics, JobSeconds, RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweeps.objectives import (
    OBJECTIVES,
    objective_values,
    pareto_front,
    preferred_trial,
    validate_sweep,
)
from unlearn_core.domain.sweeps.search_space import SearchRange, suggested_range
from unlearn_core.domain.sweeps.sweep import MAX_TRIALS, SweepSpec, Trial, busy_minutes
from unlearn_core.methods import method, methods


def spec(**changes) -> SweepSpec:
    preset = next(iter(method("unsir").presets.values())).params
    settings = {
        "request": REQUEST,
        "method": "unsir",
        "params": preset.model_dump(),
        "ranges": [{"knob": "impair_lr", "low": 0.001, "high": 0.01, "log": True}],
        "objectives": ["forget", "retain"],
        "trials": 8,
    }
    return SweepSpec.model_validate(settings | changes)


def trial(number: int, forget: float | None, retain: float | None, *, state: RunState = RunState.DONE) -> Trial:
    metrics = RunMetrics(
        accuracy={"after": {"forget_val": forget, "retain_val": retain}}, seconds=JobSeconds(total=3.0, forget=2.0)
    )
    return Trial(number, number + 1, {}, {}, None, state, None, metrics, 100.0, 130.0)


def test_a_spec_survives_its_json() -> None:
    once = spec(ranges=[{"knob": "augment", "values": [False, True]}, {"knob": "batch", "low": 16, "high": 64}])
    assert SweepSpec.model_validate_json(once.model_dump_json()) == once


@pytest.mark.parametrize(
    "changes",
    [
        {"trials": None},
        {"minutes": 5},
        {"trials": 1},
        {"trials": MAX_TRIALS + 1},
        {"objectives": ["forget", "forget"]},
        {"objectives": ["test accuracy"]},
        {"ranges": []},
        {"ranges": [{"knob": "a", "low": 2, "high": 1}]},
        {"ranges": [{"knob": "a", "low": 0, "high": 1, "log": True}]},
        {"ranges": [{"knob": "a", "values": ["x"]}]},
        {"ranges": [{"knob": "a", "low": 0, "high": 1}, {"knob": "a", "low": 0, "high": 1}]},
        {"sampler": "magic"},
    ],
)
def test_nonsense_is_refused(changes) -> None:
    with pytest.raises(ValidationError):
        spec(**changes)


def test_every_hyperparameter_has_a_range_that_its_method_accepts() -> None:
    seen = 0
    for one in methods().values():
        knobs = next(iter(one.presets.values())).params
        for knob in one.params.hyperparameters().values():
            found = suggested_range(knob, getattr(knobs, knob.name))
            if found is None:
                assert knob.kind == "numbers"
                continue
            for level in found.grid_values():
                one.params.parse({knob.name: level})
            assert len(found.grid_values()) >= 2, knob
            seen += 1
    assert seen > 50


@given(
    low=st.floats(1e-6, 1.0),
    times=st.floats(1.5, 1e4),
    log=st.booleans(),
    whole=st.booleans(),
    points=st.integers(2, 24),
)
def test_levels_rise_and_stay_inside(low: float, times: float, log: bool, whole: bool, points: int) -> None:
    low, high = (float(round(low * 1e6)), float(round(low * times * 1e6) + 1)) if whole else (low, low * times)
    found = SearchRange(knob="k", low=low, high=high, log=log, whole=whole, points=points).grid_values()
    assert found == sorted(set(found))
    assert low <= found[0] and found[-1] <= high
    assert len(found) <= points
    assert all(isinstance(level, int) for level in found) or not whole


def test_levels_keep_to_the_raster() -> None:
    assert SearchRange(knob="k", low=0.0, high=1.0, step=0.05, points=4).grid_values() == [0.0, 0.35, 0.65, 1.0]
    assert SearchRange(knob="k", low=50, high=1000, step=50, whole=True, points=3).grid_values() == [50, 550, 1000]
    assert SearchRange(knob="k", low=1, high=3, step=1, whole=True, points=12).grid_values() == [1, 2, 3]
    assert SearchRange(knob="k", low=0.0, high=1.0, step=0.3).last_value == 0.9
    assert SearchRange(knob="k", values=("mse", "l1")).grid_values() == ["mse", "l1"]


def test_a_grid_ends_with_its_last_point() -> None:
    two = [{"knob": "impair_lr", "low": 0.001, "high": 0.01, "points": 3}, {"knob": "augment", "values": [False, True]}]
    assert spec(ranges=two, sampler="grid", trials=100).max_trials == 6
    assert spec(ranges=two, sampler="grid", trials=4).max_trials == 4
    assert spec(ranges=two, sampler="tpe", trials=100).max_trials == 100
    assert spec(ranges=two, sampler="tpe", trials=None, minutes=5).max_trials == MAX_TRIALS


def test_no_objective_reads_test_images() -> None:
    tested = RunMetrics(
        accuracy={"after": {"forget_test": 0.1, "retain_test": 0.9}},
        distance={"test": DistanceMetrics(before=0.4, after=0.2)},
        privacy=0.9,
    )
    assert {objective.read(tested) for objective in OBJECTIVES.values()} == {None}
    tuned = RunMetrics(
        accuracy={"after": {"forget_train": 0.1, "retain_val": 0.9}},
        distance={"val": DistanceMetrics(before=0.4, after=0.2)},
        privacy_val=0.8,
        seconds=JobSeconds(total=3.0, forget=2.0),
    )
    values = {name: objective.read(tuned) for name, objective in OBJECTIVES.items()}
    assert values == {"distance": 0.2, "retain": 0.9, "forget": 0.1, "privacy": 0.8, "seconds": 2.0}


def test_the_front_holds_what_nothing_beats() -> None:
    trials = [trial(0, 0.1, 0.8), trial(1, 0.0, 0.7), trial(2, 0.2, 0.75), trial(3, 0.5, 0.9), trial(4, None, 0.99)]
    trials += [trial(5, 0.0, 1.0, state=RunState.FAILED), trial(6, 0.0, 1.0, state=RunState.RUNNING)]
    assert [one.number for one in pareto_front(spec(), trials)] == [0, 1, 3]
    assert preferred_trial(spec(), trials) == trials[0], "neither end, where the one figure is the worst of the front"
    assert preferred_trial(spec(objectives=["retain"]), trials) == trials[4]
    assert preferred_trial(spec(objectives=["forget"]), trials) == trials[1]
    assert preferred_trial(spec(), trials[5:]) is None


def test_what_is_no_number_is_no_value() -> None:
    assert objective_values(spec(), trial(0, float("nan"), 0.5)) is None
    assert objective_values(spec(objectives=["seconds"]), trial(0, None, None)) == (2.0,)


def test_a_budget_counts_work_and_not_waiting() -> None:
    ended, works, waits = trial(0, 0, 1), trial(1, 0, 1), trial(2, 0, 1)
    works, waits = works._replace(finished=None), waits._replace(started=None, finished=None)
    assert busy_minutes([ended, works, waits], 190.0) == pytest.approx(90 / 60), "side by side"
    later = ended._replace(started=200.0, finished=230.0)
    assert busy_minutes([later, ended], 300.0) == pytest.approx((30 + 30) / 60), "one after another, with a pause"


def test_what_cannot_be_swept_is_said() -> None:
    able = method("unsir")
    validate_sweep(spec(), able, gold=False)
    with pytest.raises(InvalidRequestError, match="no retrained model for this request"):
        validate_sweep(spec(objectives=["distance"]), able, gold=False)
    validate_sweep(spec(objectives=["distance"]), able, gold=True)
    with pytest.raises(NotFoundError, match="impair_lr"):
        validate_sweep(spec(ranges=[{"knob": "speed", "low": 0, "high": 1}]), able, gold=True)
    with pytest.raises(InvalidHyperparameterError, match="takes a number from"):
        validate_sweep(spec(ranges=[{"knob": "impair_lr", "low": 0.001, "high": 7}]), able, gold=True)
    with pytest.raises(InvalidHyperparameterError, match="takes values"):
        validate_sweep(spec(ranges=[{"knob": "augment", "low": 0, "high": 1}]), able, gold=True)
    listed = spec(method="reinit", params={}, ranges=[{"knob": "epochs", "low": 1, "high": 2}])
    with pytest.raises(InvalidHyperparameterError, match="list of numbers"):
        validate_sweep(listed, method("reinit"), gold=True)
