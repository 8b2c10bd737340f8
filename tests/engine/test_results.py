"""The table of results: which runs it is made of, what makes a row out of date, and one row for real."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.methods.laid_out import tiny_spec
from unlearn_core.domain.errors import Diverged
from unlearn_core.engine import results
from unlearn_core.engine.problem import Layout
from unlearn_core.engine.results import COLUMNS, CORE, SEEDS, Case, cases, key_of
from unlearn_core.methods import methods


def test_every_method_has_its_rows() -> None:
    found = cases()
    assert {case.method for case in found} == methods().keys() - {"retrain"}, "retraining is what gold is"
    for name in CORE:
        kinds = methods()[name].supports
        wanted = [request for request in ("cat", "three-classes") if "classes" in kinds]
        wanted += [request for request in ("16-pictures", "200-pictures") if "images" in kinds]
        own = {(case.request, case.seed) for case in found if case.method == name and case.preset == "bundled"}
        assert own >= {(request, seed) for request in wanted for seed in SEEDS}


def test_no_run_stands_there_twice() -> None:
    specs = [case.spec.model_dump_json() for case in cases()]
    assert len(set(specs)) == len(specs)


def test_a_row_is_out_of_date_when_the_spec_or_the_method_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = tiny_spec("unsir")
    assert key_of(spec) == key_of(tiny_spec("unsir"))
    assert key_of(spec) != key_of(tiny_spec("unsir", seed=1))
    assert key_of(spec) != key_of(tiny_spec("unsir", impair_lr=0.007))
    before = key_of(spec)
    source = inspect.getsource
    monkeypatch.setattr(inspect, "getsource", lambda of: source(of) + "# one more line")
    assert key_of(spec) != before


def test_rows_survive_the_file(tmp_path: Path) -> None:
    row = dict.fromkeys(COLUMNS, "") | {"key": "k", "method": "unsir", "error": "a comma, and more"}
    results.write(tmp_path / "runs.csv", [row])
    assert results.read(tmp_path / "runs.csv") == {"k": row}
    assert results.read(tmp_path / "none.csv") == {}


def test_a_row_is_what_was_measured(tmp_path: Path) -> None:
    spec = tiny_spec("finetune", kind="classes", lr=0.01)
    row = results.measure_one(Case("finetune", "bundled", "discs", 0, spec), "cpu", tmp_path, 1)
    assert row["key"] == key_of(spec)
    assert not row["error"]
    assert 0 < row["retain_test_after"] <= 1
    assert 0 <= row["distance_after"] <= 1
    assert row["distance_spread"] == "", "one gold: its spread is unknown"
    assert row["passes"] > 0 and row["seconds"] > 0


def test_a_run_that_diverges_is_a_row_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(problem: object, knobs: object, track: object) -> None:
        raise Diverged("The loss is no longer a number.")

    spec, laid_out = tiny_spec("finetune"), results.lay_out

    def broken(*given: Any) -> Layout:
        layout = laid_out(*given)
        return layout._replace(method=replace(layout.method, forget=forget))

    monkeypatch.setattr(results, "lay_out", broken)
    row = results.measure_one(Case("finetune", "bundled", "discs", 0, spec), "cpu", tmp_path, 1)
    assert row["error"] == "The loss is no longer a number."
    assert row["retain_test_after"] == ""
