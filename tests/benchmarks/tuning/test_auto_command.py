"""`auto`: resumes, writes each row when it is done, and trains what the grid compares with."""

from collections.abc import Container, Iterator
from pathlib import Path

import pytest

from unlearn_core.__main__ import MISTAKE, main
from unlearn_core.benchmarks import csv_tables
from unlearn_core.benchmarks.csv_tables import MeasuredRow
from unlearn_core.benchmarks.tuning import auto_grid, auto_page
from unlearn_core.benchmarks.tuning.grid_classifiers import grid_classifiers

LEFT = {"forget": 0.2, "forget_gold": 0.0, "retain": 0.9, "retain_gold": 0.99}


def test_a_slice_writes_its_rows_and_the_page(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr("unlearn_core.installation.ROOT", tmp_path)
    monkeypatch.setattr("unlearn_core.cli.results.SCRATCH", tmp_path / "scratch")
    monkeypatch.setattr(csv_tables, "AUTO", tmp_path / "auto.csv")
    keys = [key for key, case in auto_grid.cases().items() if case.classifier == "vit_tiny"][:2]

    def measured(known: Container[str], **options: object) -> Iterator[MeasuredRow]:
        assert options["only"] == ["vit_tiny"] and options["jobs"] == 3
        for key in keys:
            if key not in known:
                case = auto_grid.cases()[key]
                named = {"key": key, "classifier": case.classifier, "method": case.method, "request": case.request}
                yield dict.fromkeys(auto_grid.COLUMNS, "") | named | LEFT

    monkeypatch.setattr(auto_grid, "measure_missing", measured)
    assert main(["auto", "--only", "vit_tiny", "--jobs", "3", "--device", "cpu"]) == 0
    assert "20.0 % left, retain set 90.0 % instead of 99.0 %" in capsys.readouterr().out
    rows = csv_tables.read_rows(tmp_path / "auto.csv", "key")
    assert list(rows) == keys
    assert (tmp_path / "docs" / "auto.md").read_text() == auto_page.auto_page(rows)
    assert main(["auto", "--only", "vit_tiny", "--jobs", "3", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "left" not in said and f"2 of {len(auto_grid.cases())} cases are measured." in said


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
