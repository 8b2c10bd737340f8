"""The search for hyperparameters: a part of one run, at most half as costly, and judged without test images."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unlearn_core.domain.errors import CancelledError, DivergedError, InvalidHyperparameterError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import TUNED_ON, Method
from unlearn_core.domain.results.course import CurvesResult, TimingsResult
from unlearn_core.domain.results.found_settings import Goal, TriedSettings, TuningResult
from unlearn_core.domain.run import SEARCH_STAGE, Progress
from unlearn_core.domain.stacking import why_specs_not_stackable
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import RunResult, unlearn
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.engine.tuning import budget, find_settings
from unlearn_core.methods import method, methods
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """A run on points in which the first strength forgets too little."""
    folder = tmp_path_factory.mktemp("auto")
    return unlearn(run_spec("mlp-blobs", method="unsir", classes=[1]), device="cpu", data_dir=folder)


def test_a_run_finds_what_forgets(run: RunResult) -> None:
    spec, found = run.report.spec, run.report[TuningResult]
    assert spec.auto == method("unsir").tuning.finds  # type: ignore[union-attr]
    assert found.works and found.chosen == len(found.tried) - 1 > 0
    assert found.tried[0].forget > found.goal.forget_high
    assert run.metrics.accuracy["after"]["forget_test"] == 0
    retain = run.metrics.accuracy["after"]["retain_test"], run.metrics.accuracy["before"]["retain_test"]
    assert retain[0] is not None and retain[1] is not None and retain[0] > retain[1] - 0.05
    assert run.report.params == spec.params | dict(found.params) != spec.params
    assert run.metrics.found == found.params
    seconds = run.report[TimingsResult].seconds
    assert seconds.search is not None and seconds.total > seconds.search + seconds.forget


def test_the_same_spec_gives_the_same_weights_and_so_do_the_settings_alone(run: RunResult, tmp_path: Path) -> None:
    spec, weights = run.report.spec, run.report.evaluations["after"].weights
    again = unlearn(spec, device="cpu", data_dir=tmp_path)
    assert again.report.evaluations["after"].weights == weights
    assert again.report[TuningResult] == run.report[TuningResult]
    alone = unlearn(spec.model_copy(update={"auto": (), "params": run.report.params}), device="cpu", data_dir=tmp_path)
    assert alone.report.evaluations["after"].weights == weights
    assert TuningResult not in alone.report
    assert alone.report[TimingsResult].seconds.search is None


def test_what_was_found_is_in_the_history(run: RunResult) -> None:
    assert run.run is not None
    store = RunStore(run.folder.parents[1])
    row = store.get(run.run)
    assert row.params == run.report.params
    assert reports.read(store.data_dir, run.run)[TuningResult] == run.report[TuningResult]


def test_specs_without_a_search_keep_their_fingerprint() -> None:
    spec = run_spec("mlp-moons", method="unsir", classes=[0], preset="bundled")
    assert "auto" not in spec.model_dump_json()
    assert run_spec("resnet20", method="unsir", classes=[0], preset="auto") == run_spec(
        "resnet20", method="unsir", classes=[0]
    )


def test_a_fixed_hyperparameter_is_not_searched(tmp_path: Path) -> None:
    spec = run_spec("mlp-blobs", method="unsir", classes=[1], overrides={"impair_lr": 0.001, "repair_epochs": 2})
    assert spec.auto == ("repair_lr", "impair_epochs", "batch")
    result = unlearn(spec, device="cpu", data_dir=tmp_path)
    assert result.report.params["impair_lr"] == 0.001
    assert all(set(one.params) == set(spec.auto) for one in result.report[TuningResult].tried)


@pytest.mark.parametrize(
    ("name", "auto", "words"),
    [("unsir", ("noise_steps",), "it finds impair_lr"), ("retrain", ("share",), "there is nothing to find")],
)
def test_only_what_a_method_finds_can_be_left_to_it(name: str, auto: tuple[str, ...], words: str) -> None:
    spec = run_spec("mlp-moons", method=name, classes=[0]).model_copy(update={"auto": auto})
    with pytest.raises(InvalidHyperparameterError, match=words):
        resolve_run(spec, ModelCache("cpu", Path()))


def test_a_run_with_a_search_is_not_stacked() -> None:
    spec = run_spec("mlp-moons", method="finetune", classes=[0])
    assert "finds its own" in str(why_specs_not_stackable([spec, spec], {"finetune": frozenset({"lr"})}))


class Listening(NullListener):
    """Hears the progress, and cancels the run after so many checks."""

    def __init__(self, checks: int | None = None) -> None:
        self.heard, self.left = list[Progress](), checks

    def progress(self, progress: Progress) -> None:
        self.heard.append(progress)

    def check(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise CancelledError("Enough.")


def test_the_search_is_the_first_visible_phase(tmp_path: Path) -> None:
    listener = Listening()
    spec = run_spec("mlp-blobs", method="unsir", classes=[1])
    found = unlearn(spec, device="cpu", data_dir=tmp_path, listener=listener).report[TuningResult]
    searching = [one.phases[0] for one in listener.heard if one.stage == SEARCH_STAGE]
    assert [one.done for one in searching] == list(range(len(found.tried)))
    assert {one.steps for one in searching} == {budget.MOST_TRIES}
    stages = [one.stage for one in listener.heard]
    assert stages.index(SEARCH_STAGE) < stages.index("noise")


def test_the_curve_begins_after_the_search_and_follows_the_model(run: RunResult) -> None:
    """UNSIR's optimiser changes the weights of a model without batch norm without a new version of them."""
    curves, seconds = run.report[CurvesResult], run.report[TimingsResult].seconds
    assert curves.seconds[-1] < seconds.forget + 0.1
    assert (curves.forget[0], curves.forget[-1]) == (pytest.approx(1.0, abs=0.1), 0.0)


def test_it_can_be_cancelled_in_a_try(tmp_path: Path) -> None:
    with pytest.raises(CancelledError, match="Enough"):
        unlearn(
            run_spec("mlp-blobs", method="unsir", classes=[1]), device="cpu", data_dir=tmp_path, listener=Listening(30)
        )


def test_no_test_image_is_looked_at() -> None:
    for spec in (
        run_spec("mlp-rings", method="unsir", classes=[1]),
        run_spec("mlp-rings", method="finetune", images=range(16)),
    ):
        resolved = resolve_run(spec, ModelCache("cpu", Path()))
        judge, split = find_settings.judge_of(resolved), resolved.split
        looked = np.concatenate([judge.forget, judge.retain])
        assert not np.isin(looked, np.concatenate([split.forget_test, split.retain_test])).any()
        assert np.isin(judge.retain, split.retain_val).all()


def test_single_images_should_be_predicted_as_unseen_ones() -> None:
    cache = ModelCache("cpu", Path())
    goal = find_settings.judge_of(
        resolve_run(run_spec("resnet8", method="finetune", images=range(0, 320, 10)), cache)
    ).goal
    assert 0.5 < goal.forget_low < goal.forget_high < 0.75, "about the accuracy on validation images"
    wrong = find_settings.judge_of(
        resolve_run(run_spec("resnet8", method="l2ul", images=range(0, 320, 10)), cache)
    ).goal
    assert (wrong.forget_low, wrong.forget_high) == (0, find_settings.CLASS_LEFT)


def run_search(spec: UnlearnSpec, forget: Callable[..., None] | None = None) -> TuningResult:
    resolved = resolve_run(spec, ModelCache("cpu", Path()))
    if forget is not None:
        resolved = resolved._replace(method=replace(resolved.method, forget=forget))
    problem = build_problem(resolved, ModelCache("cpu", Path()))
    return find_settings.find(resolved, problem, NullTracker, lambda number, most: None)


def test_where_nothing_works_the_closest_is_used() -> None:
    def nothing(problem: object, params: object, tracker: object) -> None:
        pass

    found = run_search(run_spec("mlp-rings", method="boundary", classes=[1]), nothing)
    assert not found.works
    assert found.chosen == 0
    assert [one.strength for one in found.tried] == [1, 4, 16, 64, 256], "until the bound of the learning rate"


def test_a_strength_that_diverges_is_too_strong() -> None:
    def diverging(problem: object, params: object, tracker: object) -> None:
        if params.lr > 2e-4:  # type: ignore[attr-defined]
            raise DivergedError("The loss is no longer a number.")

    found = run_search(run_spec("mlp-rings", method="boundary", classes=[1]), diverging)
    assert [one.strength for one in found.tried[:3]] == [1.0, 0.25, 0.0625]
    assert found.tried[0].failed == "The loss is no longer a number."
    assert found.chosen is not None and not found.tried[found.chosen].failed


def test_nothing_is_chosen_if_all_tries_diverge() -> None:
    def diverging(problem: object, params: object, tracker: object) -> None:
        raise DivergedError("The loss is no longer a number.")

    spec = run_spec("mlp-rings", method="boundary", classes=[1])
    found = run_search(spec, diverging)
    assert found.chosen is None and not found.works
    assert found.params == {"lr": spec.params["lr"]}


def one_try(strength: float, forget: float, retain: float, failed: str = "") -> TriedSettings:
    return TriedSettings(strength=strength, params={}, forget=forget, retain=retain, failed=failed)


@pytest.mark.parametrize(
    ("tried", "repairs", "following"),
    [
        ([one_try(1, 0.0, 0.95)], False, None),
        ([one_try(1, 0.5, 0.95)], False, 4),
        ([one_try(1, 0.0, 0.5)], False, 0.25),
        ([one_try(1, 0.0, 0.5)], True, 4),
        ([one_try(1, 0.5, 0.95), one_try(4, 0.0, 0.5)], False, 2),
        ([one_try(1, 0.5, 0.95), one_try(4, 0.0, 0.0, "It diverged.")], False, 2),
        ([one_try(1, 0.5, 0.95), one_try(4, 0.0, 0.5), one_try(2, 0.3, 0.95)], False, 8**0.5),
    ],
)
def test_the_next_strength_lies_between_too_weak_and_too_strong(
    tried: list[TriedSettings], repairs: bool, following: float | None
) -> None:
    goal, tuning = Goal(forget_low=0, forget_high=0.02, retain_low=0.9), method("cfk" if repairs else "unsir").tuning
    assert tuning is not None
    assert find_settings._next_strength(tried, goal, tuning) == following


@pytest.mark.parametrize("own", [one for one in methods().values() if one.tuning], ids=lambda one: one.id)
@pytest.mark.parametrize("factor", [0.02, 0.1, 1, 20])
@pytest.mark.parametrize("image_cost", [0.005, 1.0, 30.0])
def test_a_search_costs_at_most_half_of_the_run_or_two_seconds(own: Method, factor: float, image_cost: float) -> None:
    sizes = TUNED_ON._replace(forget=round(TUNED_ON.forget * factor), retain=round(TUNED_ON.retain * factor))
    assert own.tuning is not None
    params = own.tuning.settings(next(iter(own.presets.values())).params, sizes, 1.0)
    tries, share = budget.plan(own, params, sizes, image_cost)
    allowed = budget.allowance(own, params, sizes, image_cost)
    assert budget.cost(own, params, sizes, image_cost) <= allowed
    assert allowed == budget.SHARE_OF_RUN * own.images_processed(params, sizes) or allowed * image_cost <= 1500
    assert 0 <= tries <= budget.MOST_TRIES
    assert budget.LEAST_SHARE <= share <= 1


def test_a_shortened_try_has_a_share_of_the_retained_images_and_all_of_a_few_forget_images() -> None:
    sizes = budget.shortened(TUNED_ON._replace(forget=16), 1 / 8)
    assert (sizes.forget, sizes.retain) == (16, 1125)
    assert budget.shortened(TUNED_ON, 1 / 8).forget == 125


def test_without_validation_images_of_a_class_nothing_is_tried_and_the_report_says_so(tmp_path: Path) -> None:
    """Nothing would tell how the model should predict the images: trying would find that doing nothing is right."""
    resolved = resolve_run(run_spec("mlp-rings", method="finetune", images=range(16)), ModelCache("cpu", Path()))
    emptied = resolved._replace(split=resolved.split._replace(retain_val=np.arange(0)))
    problem = build_problem(emptied, ModelCache("cpu", Path()))
    found = find_settings.find(emptied, problem, NullTracker, lambda number, most: None)
    assert (found.tried, found.chosen, found.works) == ([], None, False)
    assert found.reason == find_settings.NO_REFERENCE
    assert found.params["epochs"] > 1, "the rule still holds"


def test_a_try_that_costs_too_much_beside_the_run_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "SHARE_OF_RUN", 0.0)
    monkeypatch.setattr(budget, "ALWAYS_ALLOWED", 0.0)
    found = run_search(run_spec("mlp-rings", method="boundary", classes=[1]))
    assert (found.tried, found.chosen, found.reason) == ([], None, find_settings.NO_ROOM)
