"""Tuning: declared trials on requests, a seed and images that no result is reported on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.methods.small_problem import tiny_spec
from unlearn_core.benchmarks import csv_tables
from unlearn_core.benchmarks.results import CLASSIFIER, SEEDS, benchmark_cases
from unlearn_core.benchmarks.tuning import trials
from unlearn_core.benchmarks.tuning.trials import TuningTrial
from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import standard_requests
from unlearn_core.domain.errors import DivergedError
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun, resolve_run
from unlearn_core.methods import methods
from unlearn_core.models import classifiers


@pytest.fixture(scope="module")
def every() -> list[TuningTrial]:
    return trials.all_trials()


def test_no_standard_request_and_no_reported_seed_is_used(every: list[TuningTrial]) -> None:
    standard = standard_requests(datasets.card(classifiers.card(CLASSIFIER).dataset)).values()
    reported = {case.spec.seed for case in benchmark_cases()}
    assert not [trial for trial in every if trial.spec.request.forget in standard]
    assert {trial.spec.seed for trial in every}.isdisjoint({*reported, *SEEDS})


def test_every_method_has_its_preset_and_alternatives(every: list[TuningTrial]) -> None:
    assert {trial.method for trial in every} == methods().keys() - {"retrain"}
    for method, request in {(trial.method, trial.request) for trial in every}:
        group = [trial for trial in every if (trial.method, trial.request) == (method, request)]
        assert group[0].label == trials.PRESET
        assert len(group) == 1 + 2 * len(trials.VARIED[method]), "each hyperparameter halved and doubled"
        for trial in group[1:]:
            changed = {name for name, value in trial.spec.params.items() if group[0].spec.params[name] != value}
            assert changed == trial.change.keys(), "one at a time"
    assert len(trials.trials_by_key()) == len(every)


def a_trial() -> TuningTrial:
    return TuningTrial("finetune", "discs", {"lr": 0.02}, tiny_spec("finetune", kind="classes", lr=0.02))


def test_no_test_image_can_be_read(tmp_path: Path) -> None:
    model_cache = ModelCache("cpu", tmp_path)
    resolved = trials.without_test_images(resolve_run(a_trial().spec, model_cache))
    visible = resolved.data.card.train + resolved.data.card.val
    assert len(resolved.data.images) == len(resolved.data.labels) == visible < resolved.split.retain_test.max()
    with pytest.raises(IndexError):
        resolved.data.images[resolved.split.retain_test]


def test_a_row_does_not_depend_on_test_images(tmp_path: Path) -> None:
    """With other test images and labels, a trial gives the same row; `measure` never asks for them."""
    with_them = trials.measure(a_trial(), ModelCache("cpu", tmp_path))
    model_cache = ModelCache("cpu", tmp_path)
    data = model_cache.dataset(a_trial().spec.request.dataset)
    card = data.card
    data.images[card.train + card.val :] = 0
    data.labels[card.train + card.val :] = 0
    without = trials.measure(a_trial(), model_cache)
    same = [name for name in trials.COLUMNS if name != "seconds"]
    assert [with_them[name] for name in same] == [without[name] for name in same]
    assert with_them["hyperparameters"] == "lr=0.02"
    assert float(with_them["passes"]) > 0 and not with_them["error"]
    forget, forget_val, retain = (float(with_them[name]) for name in ("forget_train", "forget_val", "retain_val"))
    assert float(with_them["objective"]) == pytest.approx(retain - max(forget, forget_val), abs=1e-4)


def test_a_trial_that_diverges_is_a_row_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(*args: object) -> None:
        raise DivergedError("The loss is no longer a number.")

    monkeypatch.setattr(trials, "build_problem", lambda resolved, model_cache: None)
    real = trials.without_test_images

    def broken(resolved: ResolvedRun) -> ResolvedRun:
        method = real(resolved).method
        return resolved._replace(method=replace(method, forget=forget))

    monkeypatch.setattr(trials, "without_test_images", broken)
    row = trials.measure(a_trial(), ModelCache("cpu", tmp_path))
    assert (row["error"], row["objective"]) == ("The loss is no longer a number.", "")


@pytest.mark.parametrize(
    ("forget_train", "forget_val", "aim", "expected"),
    [(0.0, 0.0, 0.0, 0.8), (0.1, 0.3, 0.0, 0.5), (0.9, None, 0.85, 0.75), (0.7, None, 0.85, 0.65)],
)
def test_the_objective(forget_train: float, forget_val: float | None, aim: float, expected: float) -> None:
    assert trials.objective(forget_train, forget_val, 0.8, aim) == pytest.approx(expected)


def test_a_slice_skips_what_is_known_and_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[TuningTrial] = []
    monkeypatch.setattr(trials, "measure", lambda trial, model_cache: measured.append(trial) or {"key": "k"})
    own = {key: trial for key, trial in trials.trials_by_key().items() if trial.method == "ssd"}
    known = dict.fromkeys([*own][:-2])
    where = {"device": "cpu", "data_dir": tmp_path}
    assert len(list(trials.measure_missing(known, method="ssd", seconds=600, **where))) == 2
    assert measured == [*own.values()][-2:]
    assert not list(trials.measure_missing({}, method=None, seconds=0, **where))


def test_the_committed_rows_are_current() -> None:
    rows = csv_tables.read_table(csv_tables.TUNING)
    assert {row["key"] for row in rows} <= trials.trials_by_key().keys(), "measure with `make tune`"
    assert np.isfinite([float(row["objective"]) for row in rows if not row["error"]]).all()
