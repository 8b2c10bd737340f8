"""Early stopping: which state of a model is kept, when a run ends, and that it is a part of its spec."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import nn

from unlearn_core.domain.results.course import CurvesResult, EarlyStop, ImageCounts, ModelState, TimingsResult
from unlearn_core.domain.results.explanations import SnapshotsResult
from unlearn_core.domain.results.found_settings import Goal
from unlearn_core.domain.stacking import why_specs_not_stackable
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import RunResult, unlearn
from unlearn_core.engine.tuning import early_stop
from unlearn_core.engine.tuning.find_settings import Judge
from unlearn_core.methods import methods, presets
from unlearn_core.store.files import reports

GOAL = Goal(forget_low=0.0, forget_high=0.02, retain_low=0.8)


class FakeJudge:
    """Gives a model, whose only weight counts its steps, the accuracies of that step."""

    goal, forget, retain = GOAL, np.arange(300), np.arange(1000)

    def __init__(self, accuracies: Sequence[tuple[float, float]]) -> None:
        self.accuracies_after = dict(enumerate(accuracies, 1))

    def accuracies(self, model: nn.Module) -> tuple[float, float]:
        return self.accuracies_after[int(next(model.parameters()))]


def trained(accuracies: Sequence[tuple[float, float]], *, loops: int = 1) -> tuple[int, EarlyStop]:
    """Train for a step per pair of accuracies, in so many loops; return the step that was kept, and the result."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    judge = FakeJudge(accuracies)
    tracker = early_stop.WatchingTracker(NullTracker(), model, cast(Judge, judge), len(accuracies))
    tracker.plan(before=2, train=len(accuracies))
    tracker.phase("before")
    assert list(tracker.iterate([1, 2])) == [1, 2]
    tracker.phase("train")
    for part in np.array_split(np.arange(len(accuracies)), loops):
        for _ in tracker.iterate(part):
            with torch.no_grad():
                model.weight += 1
    result = tracker.finish()
    return int(model.weight), result


def rising(start: float, steps: int) -> Iterator[tuple[float, float]]:
    yield from ((0.0, start + 0.01 * step) for step in range(steps))


def test_a_run_that_gets_better_makes_all_its_steps() -> None:
    kept, result = trained([*rising(0.8, 10)])
    assert kept == 10 == result.stopped and result.best == 9


def test_a_run_ends_when_three_states_are_no_better_and_keeps_the_best() -> None:
    kept, result = trained([(0.3, 0.9), (0.02, 0.82), (0.0, 0.88), (0.0, 0.84), (0.0, 0.84), (0.0, 0.83), (0.0, 0.9)])
    assert (kept, result.stopped, result.best) == (3, 6, 2)
    assert [state.step for state in result.states] == [1, 2, 3, 4, 5, 6]
    assert result.states[2] == ModelState(step=3, forget=0.0, retain=0.88) and result.reached


def test_of_equal_states_the_last_is_kept_and_is_no_reason_to_go_on() -> None:
    kept, result = trained([(0.0, 0.9)] * 8)
    assert (kept, result.stopped) == (4, 4)


def test_a_state_within_the_error_of_the_best_is_as_good_and_was_trained_longer() -> None:
    kept, _ = trained([(0.0, 0.88), (0.0, 0.87), (0.0, 0.78)])
    assert kept == 2, "the error of 88 % of 1,000 images is 1 point"
    kept, _ = trained([(0.02, 0.88), (0.1, 0.88)])
    assert kept == 1, "but not one that forgot less"


def test_a_state_that_reached_the_goal_once_ends_nothing() -> None:
    kept, result = trained([(0.0, 0.9), (0.0, 0.7), (0.0, 0.7), (0.0, 0.7), (0.0, 0.95)])
    assert (kept, result.stopped) == (5, 5)


def test_a_run_never_ends_before_the_goal_is_reached() -> None:
    kept, result = trained([(0.3, 0.9), *[(0.5, 0.9)] * 8])
    assert (kept, result.stopped) == (1, 9)
    assert result.planned == 9 and not result.reached


def test_forgetting_less_than_wanted_is_preferred_to_damage() -> None:
    kept, _ = trained([(0.1, 0.8), (0.0, 0.7)])
    assert kept == 1


def test_all_of_a_few_images_is_not_better_than_all_but_one() -> None:
    states = [ModelState(step=step, forget=0.0, retain=retain) for step, retain in enumerate((1.0, 38 / 39))]
    assert early_stop.choose(states, GOAL, 39) == 1
    assert early_stop.choose(states, GOAL, 10_000) == 0


def test_it_ends_all_loops_of_the_phase() -> None:
    kept, result = trained([(0.0, 0.9)] * 8, loops=4)
    assert (kept, result.stopped) == (4, 4)


def test_a_state_that_the_method_gives_the_model_itself_is_compared_too() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    judge = FakeJudge([(0.0, 0.9), (0.5, 0.9), (0.5, 0.9)])
    tracker = early_stop.WatchingTracker(NullTracker(), model, cast(Judge, judge), 1)
    tracker.plan(train=3)
    tracker.phase("train")
    for _ in tracker.iterate(range(3)):
        with torch.no_grad():
            model.weight += 1
    model.load_state_dict({"weight": torch.ones(1, 1)})  # as rewinding does
    result = tracker.finish()
    assert int(model.weight) == 1 and result.best == 1
    assert [state.step for state in result.states] == [3, 3]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return unlearn(
        run_spec("mlp-blobs", method="bad_teacher", classes=[0, 2]),
        device="cpu",
        data_dir=tmp_path_factory.mktemp("stop"),
    )


def test_a_run_keeps_the_state_that_it_reports(run: RunResult, tmp_path: Path) -> None:
    result, spec = run.report[CurvesResult].early_stop, run.report.spec
    assert result is not None and result.best is not None
    assert spec.params["early_stop"] is True
    assert result.images == ImageCounts(forget=300, retain=len(run.report.split.retain_val))
    assert 2 <= len(result.states) <= early_stop.MOST_LOOKS
    split, right = run.report.split, run.report.evaluations["after"].logits.argmax(1) == run.report.labels
    assert right[split.retain_val].mean() == pytest.approx(result.states[result.best].retain)
    assert run.report[TimingsResult].phases[-1].done == result.stopped <= result.planned
    again = unlearn(spec, device="cpu", data_dir=tmp_path)
    assert again.report.evaluations["after"].weights == run.report.evaluations["after"].weights
    assert run.run is not None
    assert reports.read(run.folder.parents[1], run.run)[CurvesResult].early_stop == result


def test_the_curve_ends_with_the_state_that_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_stop.WatchingTracker, "_look", _keep_the_first)
    report = unlearn(run_spec("mlp-blobs", method="finetune", classes=[1]), device="cpu", data_dir=tmp_path).report
    snapshots, result = report[SnapshotsResult], report[CurvesResult].early_stop
    assert result is not None and result.best == 0 and result.stopped > result.states[0].step
    kept = report.evaluations["after"].logits[snapshots.ids]
    np.testing.assert_allclose(snapshots.logits[-1], kept, atol=0.05)
    assert not np.allclose(snapshots.logits[-2], kept, atol=0.05)


def _keep_the_first(self: early_stop.WatchingTracker) -> None:
    self._states.append(ModelState(step=self._step, forget=0.0, retain=1.0))
    if not self._weights:
        self._best, self._weights = 0, {name: one.clone() for name, one in self._model.state_dict().items()}


def test_only_the_preset_auto_stops_early() -> None:
    can = {name for name, one in methods().items() if "early_stop" in one.params.hyperparameters()}
    assert {"finetune", "scrub", "unsir", "reinit"} <= can
    for name in can:
        for title, preset in presets(methods()[name], "mlp-blobs").items():
            sizes = (preset.params, *preset.by_request_size.values())
            assert {params.model_dump().get("early_stop", False) for params in sizes} == {title == "auto"}
    assert "early_stop" not in run_spec("resnet20", method="unsir", classes=["cat"]).model_dump_json()


def test_it_can_be_switched_off_and_on(tmp_path: Path) -> None:
    off = run_spec("mlp-blobs", method="finetune", classes=[1], overrides={"early_stop": False})
    assert unlearn(off, device="cpu", data_dir=tmp_path).report[CurvesResult].early_stop is None
    on = run_spec("mlp-blobs", method="finetune", classes=[1], preset="bundled", overrides={"early_stop": True})
    assert unlearn(on, device="cpu", data_dir=tmp_path).report[CurvesResult].early_stop is not None
    assert "stops early" in str(why_specs_not_stackable([on, on], {"finetune": frozenset({"lr"})}))


def test_without_validation_images_of_the_classes_nothing_is_compared() -> None:
    model = nn.Linear(1, 1)
    tracker = early_stop.WatchingTracker(NullTracker(), model, cast(Judge, FakeJudge([])), 0)
    tracker.plan(train=5)
    tracker.phase("train")
    assert list(tracker.iterate(range(5))) == [0, 1, 2, 3, 4]
    result = tracker.finish()
    assert (result.best, result.stopped, len(result.states)) == (None, 5, 0)
