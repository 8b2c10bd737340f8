"""`auto`: resumes, writes each row when it is done, and trains what the grid compares with."""

from collections.abc import Container, Iterator
from pathlib import Path

import pytest

from unlearn_core.__main__ import MISTAKE, main
from unlearn_core.benchmarks import csv_tables
from unlearn_core.benchmarks.csv_tables import MeasuredRow
from unlearn_core.benchmarks.tuning import auto_grid, auto_section
from unlearn_core.benchmarks.tuning.grid_classifiers import grid_classifiers

LEFT = {"forget": 0.2, "forget_gold": 0.0, "retain": 0.9, "retain_gold": 0.99}


def test_a_slice_writes_its_rows_and_the_page(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("unlearn_core.cli.results.SCRATCH", tmp_path / "scratch")
    monkeypatch.setattr(csv_tables, "AUTO", tmp_path / "auto.csv")
    keys = [key for key, case in auto_grid.cases().items() if case.classifier == "vit_tiny"][:2]

    def measured(known: Container[str], **options: object) -> Iterator[MeasuredRow]:
        assert options["only"] == ["vit_tiny"] and options["jobs"] == 3
        for key in keys:
            if key not in known:
                yield _row(key)

    monkeypatch.setattr(auto_grid, "measure_missing", measured)
    assert main(["auto", "--only", "vit_tiny", "--jobs", "3", "--device", "cpu"]) == 0
    assert "20.0 % left, retain set 90.0 % instead of 99.0 %" in capsys.readouterr().out
    rows = csv_tables.read_rows(tmp_path / "auto.csv", "key")
    assert list(rows) == keys
    section = auto_section.auto_section(rows)
    assert "Measured are 2 of " in section and "### Every failure" in section
    assert main(["auto", "--only", "vit_tiny", "--jobs", "3", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "left" not in said and f"2 of {len(auto_grid.cases())} cases are measured." in said


def test_a_case_that_is_not_expected_to_work_stands_apart() -> None:
    keys = {
        case.method: key
        for key, case in auto_grid.cases().items()
        if (case.classifier, case.request) == ("resnet8", "one class")
    }
    rows = {keys[name]: {name: str(value) for name, value in _row(keys[name]).items()} for name in ("ssd", "boundary")}
    section = auto_section.auto_section(rows)
    assert "### Methods with retained data: 0 of 1\n" in section
    assert "before the run: 0 of 1\n" in section and "Methods without retained data" not in section
    assert "| resnet8 | SSD | one class | 20.0 % left, retain set 90.0 % instead of 99.0 % | by its search |" in section
    assert "| resnet8 | Boundary | one class | 20.0 % left, retain set 90.0 % instead of 99.0 % | before |" in section


def test_the_criterion_says_how_often_a_retrained_model_meets_it() -> None:
    again = {"method": "retrain", "request": "16-pictures", "forget_train_gold": "0.75"}
    runs = [again | {"forget_train_after": after} for after in ("0.75", "0.8125", "0.875")]
    assert "2 of 3 are so close" in auto_section.auto_section({}, runs)
    assert "so close" not in auto_section.auto_section({})


def _row(key: str) -> MeasuredRow:
    case = auto_grid.cases()[key]
    named = {"key": key, "classifier": case.classifier, "method": case.method, "request": case.request, "found": 0}
    return dict.fromkeys(auto_grid.COLUMNS, "") | named | LEFT


def test_an_unknown_classifier_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["auto", "--only", "alexnet"]) == MISTAKE
    assert "vit_tiny" in capsys.readouterr().err


def test_the_classifiers_that_are_trained_first_are_known_without_their_data() -> None:
    trained = {name: own for name, own in grid_classifiers().items() if own.training is not None}
    assert list(trained) == ["faces", "vit_tiny", "mobilenet_v2"]
    for name, own in trained.items():
        requests = auto_grid.requests(own)
        assert list(requests) == list(auto_grid.REQUESTS), name
        images = requests[auto_grid.REQUESTS[2]]
        assert images.kind == "images" and len(images.images) == auto_grid.IMAGES
        assert max(images.images) < own.num_train


@pytest.mark.slow
def test_cases_are_measured_in_processes_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = auto_grid.cases()
    two = {
        key: case
        for key, case in every.items()
        if case.classifier == "mlp-moons" and case.method in ("finetune", "ssd") and case.request == "one class"
    }
    monkeypatch.setattr(auto_grid, "cases", lambda: two)
    found = list(auto_grid.measure_missing((), only=None, seconds=600, device="cpu", data_dir=tmp_path, jobs=2))
    assert {row["key"] for row in found} == set(two)
    assert not any(row["error"] for row in found)
    late = auto_grid.measure_missing((), only=None, seconds=0, device="cpu", data_dir=tmp_path, jobs=2)
    assert not list(late), "none is started after the time"
