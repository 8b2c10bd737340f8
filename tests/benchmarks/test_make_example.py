"""The example is a complete report without weights; here it is made with the tiny model."""

from pathlib import Path

import pytest

from tests.methods.small_problem import tiny_spec
from unlearn_core.benchmarks.examples import make_example
from unlearn_core.domain.results.privacy import LiraResult, NeuripsScoreResult, RelearnResult
from unlearn_core.engine.jobs import relearn
from unlearn_core.models import bundled_models
from unlearn_core.store.files import artifacts, reports


def test_it_has_every_part_and_nothing_that_ships_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = bundled_models.bundled("tiny")
    monkeypatch.setattr(relearn, "PROTOCOL", relearn.PROTOCOL.model_copy(update={"draws": 1, "half": 8}))
    monkeypatch.setattr(make_example, "run_spec", lambda *names, **settings: tiny_spec("unsir"))
    monkeypatch.setattr(bundled_models, "bundled", lambda classifier: shipped)
    make_example.make_example(tmp_path / "example", device="cpu")
    report = reports.read_folder(tmp_path / "example")
    assert {"accuracy", "curves", "relearn", "timings"} <= report.parts.keys()
    assert report[RelearnResult].models.keys() == {"after", "gold", "fresh"}
    assert set(report.evaluations) == {"before", "after", "gold"}
    (kept,) = (tmp_path / "example" / "evaluations").rglob("*.npy")
    assert report.evaluations["after"].weights[:32] in kept.name
    assert not (tmp_path / "example" / artifacts.WEIGHTS_FILE).exists()


def test_the_ensemble_example_ships_without_anything_else(tmp_path: Path) -> None:
    wish = tiny_spec("finetune", epochs=1, lr=0.01)
    make_example.make_ensemble_example(
        tmp_path / "example", wish, device="cpu", data_dir=tmp_path / "home", num_models=4, num_shadows=4
    )
    report = reports.read_folder(tmp_path / "example")
    assert set(report.parts) == {"score", "klom", "lira"} and not report.evaluations
    assert report[NeuripsScoreResult].num_models == report[LiraResult].num_shadows == 4
    assert sum(file.stat().st_size for file in (tmp_path / "example").rglob("*") if file.is_file()) < 100_000
