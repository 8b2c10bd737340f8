"""A report's folder is enough: it reads and draws wherever it is taken, with no model and no torch at hand."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from unlearn_core.charts import charts
from unlearn_core.domain.report import Evaluation, Report
from unlearn_core.store.files import reports
from unlearn_core.store.files.evaluations import EvaluationStore

ROOT = Path(__file__).resolve().parents[2]
DRAW = """
import sys
for name in ("torch", "torchvision", "sklearn", "streamlit", "pytorch_grad_cam"):
    sys.modules[name] = None  # importing it fails
from unlearn_core.charts import charts
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.store.files.reports import read_folder
report = read_folder(sys.argv[1])
for chart in charts().values():
    if chart.applies(report) is True:
        assert chart.figure([report], LIGHT).data or chart.figure([report], LIGHT).layout.images
        assert len(chart.table([report])) and chart.summary(report) and chart.alt_text(report)
        print(chart.id)
"""


def drawn(folder: Path) -> set[str]:
    """The charts that a process without torch, plug-ins and data folder draws from a folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UNLEARN_")}
    command = [sys.executable, "-W", "error", "-c", DRAW, str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def drawable(report: Report) -> set[str]:
    return {name for name, chart in charts().items() if chart.applies(report) is True}


def test_the_example_draws_without_torch(tmp_path: Path) -> None:
    shutil.copytree(reports.EXAMPLE_DIR, tmp_path / "example")
    here = reports.read_folder(tmp_path / "example")
    assert drawn(tmp_path / "example") == drawable(here)
    assert {"accuracy", "predictions", "layers", "cam", "curve"} <= drawable(here)


def test_a_report_of_a_classifier_that_nobody_has_heard_of_draws_too(tmp_path: Path) -> None:
    """Neither the model nor its data set is known to the process that draws."""
    report = made_up_report()
    reports.write(report, tmp_path / "first")
    shutil.move(tmp_path / "first", tmp_path / "elsewhere")
    again = reports.read_folder(tmp_path / "elsewhere")
    assert again.spec == report.spec and again.missing == report.missing
    for model, one in report.evaluations.items():
        assert np.array_equal(again.evaluations[model].logits, one.logits)
    assert drawn(tmp_path / "elsewhere") == drawable(report)


def test_a_folder_says_what_it_is(tmp_path: Path) -> None:
    report = made_up_report()
    reports.write(report, tmp_path)
    head = json.loads((tmp_path / "report.json").read_text())
    assert head["format"] == reports.FORMAT
    assert head["spec"]["seed"] == report.spec.seed and head["spec"]["request"]["forget"]["classes"] == [3]
    assert set(head["evaluations"]) == {"before", "after", "gold"}
    told = (tmp_path / "README.txt").read_text()
    files = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()}
    named = {line.split()[0].strip("/") for line in told.splitlines() if line[:1].isalpha() and "  " in line}
    assert files - {"README.txt"} <= named and named - files == {"weights.safetensors", "run.json"}
    assert "versions" in json.loads((tmp_path / "parts" / "timings.json").read_text())


def test_reports_of_one_data_folder_share_what_nets_answered(tmp_path: Path) -> None:
    report, pool = made_up_report(), EvaluationStore(tmp_path / "evaluations")
    for run in "12":
        reports.write(report, tmp_path / run, shared=pool)
    (gold,) = {one.weights for model, one in report.evaluations.items() if model == "gold"}
    paths = list(tmp_path.rglob(f"*{gold[:32]}.npy"))
    assert len(paths) == 3 and len({path.stat().st_ino for path in paths}) == 1
    shutil.rmtree(tmp_path / "evaluations")
    assert set(reports.read_folder(tmp_path / "1").evaluations) == {"before", "after", "gold"}


def test_reports_of_one_model_share_its_outputs_in_memory(tmp_path: Path) -> None:
    report, pool = made_up_report(), EvaluationStore(tmp_path / "evaluations")
    for run in "12":
        reports.write(report, tmp_path / run, shared=pool)
    first, second = (reports.read_folder(tmp_path / run).evaluations["before"] for run in "12")
    assert first.logits is second.logits
    with pytest.raises(ValueError, match="read-only"):
        first.logits[0] = 0
    pool.put(first._replace(logits=first.logits + 1))
    changed = pool.get(first.weights, first.dataset, report.classifier.id)
    assert changed is not None and np.array_equal(changed.logits, first.logits + 1)


def test_a_disk_without_links_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    mine, pool = EvaluationStore(tmp_path / "mine"), EvaluationStore(tmp_path / "pool")
    one = Evaluation("a" * 64, "shapes", np.eye(4, dtype=np.float32))
    mine.link_from(one, pool)
    for folder in (mine, pool):
        kept = folder.get(one.weights, "shapes", "tiny")
        assert kept is not None and np.array_equal(kept.logits, one.logits)


def test_a_folder_of_an_older_release_finds_its_evaluations_where_they_were(tmp_path: Path) -> None:
    report, pool = made_up_report(), tmp_path / "evaluations"
    reports.write(report, tmp_path / "run", shared=EvaluationStore(pool))
    shutil.rmtree(tmp_path / "run" / "evaluations")
    assert set(reports.read_folder(tmp_path / "run", evaluations=pool).evaluations) == {"before", "after", "gold"}
    lost = reports.read_folder(tmp_path / "run")
    assert "after" not in lost.evaluations and "no longer" in lost.missing["after"]
