"""`tune`: resumes, writes each row when it is done, and refuses methods that have nothing to tune."""

from pathlib import Path

import pytest

from unlearn_core.__main__ import MISTAKE, main
from unlearn_core.benchmarks import csv_tables
from unlearn_core.benchmarks.tuning import page, trials


def test_a_slice_writes_its_rows_and_the_page(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr("unlearn_core.installation.ROOT", tmp_path)
    monkeypatch.setattr(csv_tables, "TUNING", tmp_path / "tuning.csv")
    own = {key for key, trial in trials.trials_by_key().items() if trial.method == "ssd"}

    def measured(trial: trials.TuningTrial, model_cache: object) -> csv_tables.MeasuredRow:
        key = trials.cache_key(trial)
        return dict.fromkeys(trials.COLUMNS, "") | {"key": key, "method": "ssd", "objective": 0.5}

    monkeypatch.setattr(trials, "measure", measured)
    assert main(["tune", "--only", "ssd", "--device", "cpu"]) == 0
    rows = csv_tables.read_table(tmp_path / "tuning.csv")
    assert {row["key"] for row in rows} == own
    assert (tmp_path / "docs" / "tuning.md").read_text() == page.tuning_page({row["key"]: row for row in rows})
    monkeypatch.setattr(trials, "measure", None)
    assert main(["tune", "--only", "ssd", "--device", "cpu"]) == 0, "nothing is measured twice"
    assert f"12 of {len(trials.trials_by_key())} trials are measured." in capsys.readouterr().out


def test_a_method_without_hyperparameters_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--only", "retrain"]) == MISTAKE
    assert "retrain" in capsys.readouterr().err
